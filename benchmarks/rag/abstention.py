"""Is there an answer at all? The data that `solarmini.rag.answer.abstain` was fitted on.

    python benchmarks/rag/abstention.py --work /tmp/rag --shared ../shared \
        --squad korquad=KorQuAD_v1.0_dev.json --fit

Every question is asked of the knowledge bases of `retrieval.py` as it is, then without the
passage that answers it, then without all passages on its subject. Prints AUROC of the confidence
and how many are answered at the limit in use; --fit also prints the weights that a logistic
regression gives, with and without vectors.
"""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from retrieval import machine
from sets import HERE, QuestionSet, shared_sets, squad_set

from solarmini.rag.answer.abstain import ENOUGH, confidence
from solarmini.rag.answer.evidence import weigh
from solarmini.rag.answer.question import understand
from solarmini.rag.knowledge import KnowledgeBase
from solarmini.rag.retrieve.hit import Hit

HITS = 6
Row = tuple[float, list[float]]  # confidence; held, near, names, cosine


def subject(key: str) -> str:
    """Return the article or statute that a passage is of."""
    return key.split(" ")[0] if " " in key else key.rsplit("-", 1)[0]


def measured(kb: KnowledgeBase, question: str, hits: Sequence[Hit]) -> Row | None:
    found = weigh(understand(question, kb.store), hits[:HITS])
    if not found:
        return None
    best = found[0]
    name = kb.embedder.name if kb.embedder else None
    shares = [best.held, best.near, best.names, best.piece.hit.dense]
    return confidence(question, best, name), shares


def asked_thrice(kb: KnowledgeBase, asked: QuestionSet, most: int) -> list[list[Row | None]]:
    step = max(len(asked.questions) // most, 1)
    rows = []
    for question, right in asked.questions[::step]:
        hits = kb.search(question, 40)
        subjects = {subject(key) for key in right}
        rows.append(
            [
                measured(kb, question, hits),
                measured(kb, question, [h for h in hits if h.source not in right]),
                measured(kb, question, [h for h in hits if subject(h.source) not in subjects]),
            ]
        )
    return rows


def answered(sure: Sequence[float]) -> float | None:
    """Return the share at or above the limit; None in a set whose passages have one subject."""
    return round(float(np.mean(np.array(sure) >= ENOUGH)), 4) if sure else None


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    if not positive or not negative:
        return None
    one, other = np.array(positive)[:, None], np.array(negative)[None]
    return round(float((one > other).mean() + (one == other).mean() / 2), 4)


def fit(rows: Sequence[Sequence[Row | None]], columns: Sequence[int]) -> list[float]:
    """Return weights of the columns and a constant: logistic regression, both classes equal."""
    pairs = [(row[at], at == 0) for row in rows for at in range(3)]
    data = np.array([[found[1][c] for c in columns] + [1.0] for found, _ in pairs if found])
    label = np.array([answered for found, answered in pairs if found])
    weight = np.where(label, 2.0, 1.0)
    beta = np.zeros(data.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-data @ beta))
        gradient = data.T @ ((p - label) * weight) + 1e-3 * beta
        hessian = (data * (p * (1 - p) * weight)[:, None]).T @ data + 1e-3 * np.eye(len(beta))
        beta -= np.linalg.solve(hessian, gradient)
    return [round(float(value), 3) for value in beta]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    parser.add_argument("--squad", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--most", type=int, default=150, help="questions of each set")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    sets = shared_sets(options.shared)
    for given in options.squad:
        name, _, path = given.partition("=")
        sets.append(squad_set(name, Path(path), None))
    table, every = [], []
    for asked in sets:
        with KnowledgeBase.open(options.work / f"{asked.corpus}.db", create=False) as kb:
            rows = asked_thrice(kb, asked, options.most)
        every += rows
        sure = [[row[at][0] for row in rows if row[at]] for at in range(3)]
        figures = {
            "set": asked.name,
            "questions": len(rows),
            "answered": answered(sure[0]),
            "answered_without_the_passage": answered(sure[1]),
            "answered_without_the_subject": answered(sure[2]),
            "auroc_passage": auroc(sure[0], sure[1]),
            "auroc_subject": auroc(sure[0], sure[2]),
        }
        table.append(figures)
        print(json.dumps(figures), flush=True)
    if options.fit:
        print("held, near, names, constant:", fit(every, [0, 1, 2]))
        print("held, near, names, cosine, constant:", fit(every, [0, 1, 2, 3]))
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    done = {"date": date, "machine": machine(), "limit": round(ENOUGH, 4), "rows": table}
    (HERE / "results" / f"{date}-abstention.json").write_text(json.dumps(done, indent=1) + "\n")


if __name__ == "__main__":
    main()
