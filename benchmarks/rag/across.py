"""Korean questions about English passages: are they answered, and rightly?

    python benchmarks/rag/across.py --work /tmp/rag --shared ../shared --fit

Asks the set "across-ko" of `sets.py` of the knowledge base of `retrieval.py` as it is, then without
the passage that answers, then without all passages on its subject, as `abstention.py` does; and
asks the questions of a paper about something else. in use: the weights of
`solarmini.rag.answer.across`; unseen: weights fitted, in five folds of whole subjects, on the
questions of the others. --fit also prints the weights that all questions give. Writes
results/<date>-across.json.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from abstention import Without, auroc, cross_validated, logistic, subject, taken_away
from retrieval import machine
from sets import HERE, QuestionSet, shared_sets

from solarmini.rag.answer import abstain, across
from solarmini.rag.answer.abstain import ENOUGH, LOOKED_AT
from solarmini.rag.answer.question import understand
from solarmini.rag.knowledge import KnowledgeBase

LIMITS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
RAISED = 0.35  # the constant in use above the one fitted
WAYS = ("answered", "without_the_passage", "without_the_subject", "of_another_paper")


class Row(NamedTuple):
    """One question asked in one of WAYS."""

    subject: str
    way: int
    right: bool
    signs: across.AcrossSigns | None


def asked_of(
    kb: KnowledgeBase, question: str, gone: frozenset[str]
) -> tuple[str, across.AcrossSigns | None]:
    """Return the source that would be cited, and what speaks for it."""
    hits = kb.search(question, LOOKED_AT, filters=Without(without=gone))
    asked = understand(question, kb.store)
    found, signs = across.evidence_across(asked, hits, hits, kb.embedder)
    return found[0].piece.hit.source if found else "", signs


def rows_of(kb: KnowledgeBase, asked: QuestionSet, paper: KnowledgeBase) -> list[Row]:
    rows = []
    for question, right in asked.questions:
        about = min(map(subject, right))
        for way, gone in enumerate(taken_away(asked, right)):
            cited, signs = asked_of(kb, question, gone)
            rows.append(Row(about, way, way == 0 and cited in right, signs))
        _, signs = asked_of(paper, question, frozenset())
        rows.append(Row(about, len(WAYS) - 1, False, signs))
    return rows


def fitted(rows: Sequence[Row]) -> np.ndarray:
    """Return the weights of the signs."""
    known = [row for row in rows if row.signs]
    data = np.array([row.signs for row in known])
    return logistic(data, np.array([float(row.right) for row in known]), np.ones(len(known)))


def weighing(weights: Sequence[float]) -> Callable[[Row], float]:
    """Return the confidence that `across` gives with these weights."""
    return lambda row: abstain.logistic(abstain.weighed(row.signs, weights)) if row.signs else 0.0


def model(rows: Sequence[Row]) -> Callable[[Row], float]:
    """Return the confidence with weights of these rows."""
    *weights, constant = map(float, fitted(rows))
    return weighing([*weights, constant + RAISED])


def figures(rows: Sequence[Row], confidence: Sequence[float]) -> dict:
    """Return shares of the questions that are answered at each limit, and AUROC."""
    sure = np.array(confidence)
    way = np.array([row.way for row in rows])
    right = np.array([row.right for row in rows])
    asked = (way == 0).sum()
    curve = [
        {
            "limit": round(limit, 4),
            "rightly": round(float((right & (sure >= limit)).sum() / asked), 4),
        }
        | {
            name: round(float((sure[way == at] >= limit).sum() / asked), 4)
            for at, name in enumerate(WAYS)
        }
        for limit in (ENOUGH, *LIMITS)
    ]
    passage, of_subject, paper = (
        auroc(sure[right].tolist(), sure[way == at].tolist()) for at in (1, 2, 3)
    )
    found = {"auroc_passage": passage, "auroc_subject": of_subject, "auroc_paper": paper}
    return curve[0] | found | {"curve": curve[1:]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    asked = next(each for each in shared_sets(options.shared) if each.name == "across-ko")
    with (
        KnowledgeBase.open(options.work / f"{asked.corpus}.db", create=False) as kb,
        KnowledgeBase.open(options.work / "paper.db") as paper,
    ):
        paper.add([options.shared / "papers/solar_paper.pdf"])
        rows = rows_of(kb, asked, paper)
    if options.fit:
        print("before the constant is raised:", fitted(rows).round(2))
    table = [
        {"set": asked.name, "questions": len(asked.questions), "weights": weights}
        | figures(rows, sure)
        for weights, sure in (
            ("in use", list(map(weighing(across.WEIGHTS), rows))),
            ("unseen", cross_validated(rows, model)),
        )
    ]
    for row in table:
        print({name: value for name, value in row.items() if name != "curve"}, flush=True)
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    done = {"date": date, "machine": machine(), "rows": table}
    (HERE / "results" / f"{date}-across.json").write_text(json.dumps(done, indent=1) + "\n")


if __name__ == "__main__":
    main()
