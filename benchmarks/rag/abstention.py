"""Is there an answer at all? The data that `solarmini.rag.answer.abstain` was fitted on.

    python benchmarks/rag/abstention.py --work /tmp/rag --shared ../shared \
        --squad korquad=KorQuAD_v1.0_dev.json --fit

Every question is asked of the knowledge bases of `retrieval.py` as it is, then without the
passage that answers it, then without all passages on its subject. Writes how many are answered at
the limit in use, how many rightly (the passage cited is the one), AUROC of the confidence, and the
curve over other limits; and the same for models fitted, in five folds of whole subjects, on the
questions of the others. --fit also prints the weights that all questions give.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from retrieval import machine
from sets import HERE, QuestionSet, shared_sets, squad_set

from solarmini.rag.answer import abstain
from solarmini.rag.answer.evidence import weigh
from solarmini.rag.answer.question import understand
from solarmini.rag.knowledge import KnowledgeBase
from solarmini.rag.lexical.hangul import has_hangul
from solarmini.rag.store.filters import Filters
from solarmini.rag.store.records import DocumentRecord

FOLDS = 5
LIMITS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7)
# which signs are heard, by whether the question is Korean; the constant always is
WORDS = {False: (1, 2, 6), True: (0, 1, 2, 6)}
VECTORS = {False: (0, 3, 4, 5, 6), True: (0, 1, 2, 3, 4, 5, 6)}
RAISED = {"words": 0.25, "vectors": 0.5}  # constants of Korean questions


class Without(Filters):
    """All sources but some."""

    without: frozenset[str]

    @property
    def on_documents(self) -> bool:
        return bool(self.without)

    def admits(self, document: DocumentRecord) -> bool:
        return document.source not in self.without


class Row(NamedTuple):
    """One question asked one way: 0 as it is, 1 without the passage, 2 without the subject."""

    set: str
    subject: str
    way: int
    korean: bool
    right: bool
    row: bool  # whether the best is a row of a table
    signs: abstain.Signs
    confidence: float


def subject(key: str) -> str:
    """Return the article or statute that a passage is of."""
    return key.split(" ")[0] if " " in key else key.rsplit("-", 1)[0]


def taken_away(asked: QuestionSet, right: frozenset[str]) -> list[frozenset[str]]:
    """Return what a question is asked without: nothing, the passage, all on its subject."""
    subjects = set(map(subject, right))
    of_subject = frozenset(key for key in asked.passages if subject(key) in subjects)
    return [frozenset(), right, of_subject]


def asked_thrice(kb: KnowledgeBase, asked: QuestionSet, most: int) -> list[Row]:
    step = max(len(asked.questions) // most, 1)
    name = kb.embedder.name if kb.embedder else None
    rows = []
    for question, right in asked.questions[::step]:
        for way, gone in enumerate(taken_away(asked, right)):
            hits = kb.search(question, abstain.LOOKED_AT, filters=Without(without=gone))
            asked_for = understand(question, kb.store)
            found = weigh(asked_for, hits)
            if found:
                best = found[0]
                rows.append(
                    Row(
                        asked.name,
                        asked.corpus + min(map(subject, right)),
                        way,
                        has_hangul(question),
                        way == 0 and best.piece.hit.source in right,
                        bool(best.piece.pairs),
                        abstain.signs_of(best, hits),
                        abstain.confidence(asked_for, best, hits, name),
                    )
                )
    return rows


def logistic(data: np.ndarray, label: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weights of a logistic regression, by Newton's method, ridge .01."""
    beta = np.zeros(data.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(data @ beta, -30, 30)))
        gradient = data.T @ ((p - label) * weight) + 0.01 * beta
        hessian = (data * (p * (1 - p) * weight)[:, None]).T @ data + 0.01 * np.eye(len(beta))
        beta -= np.linalg.solve(hessian, gradient)
    return beta


def fitted(rows: Sequence[Row], korean: bool, heard: Sequence[int], raised: float) -> abstain.Signs:
    """Return weights fitted on the rows of one language, every set with the same weight."""
    chosen = [row for row in rows if row.korean is korean]
    sets = [row.set for row in chosen]
    weight = np.array([1000 / sets.count(row.set) for row in chosen])
    data = np.array([[row.signs[at] for at in heard] for row in chosen])
    beta = logistic(data, np.array([float(row.right) for row in chosen]), weight)
    found = [0.0] * len(abstain.Signs._fields)
    for at, value in zip(heard, beta, strict=True):
        found[at] = round(float(value), 2)
    found[-1] += raised if korean else 0.0
    return abstain.Signs(*found)


def model(rows: Sequence[Row]) -> Callable[[Row], float]:
    """Return the confidence that `abstain.confidence` gives with weights of these rows."""
    words = [fitted(rows, k, WORDS[k], RAISED["words"]) for k in (False, True)]
    vectors = [fitted(rows, k, VECTORS[k], RAISED["vectors"]) for k in (False, True)]

    def value(row: Row) -> float:
        found = abstain.weighed(row.signs, words[row.korean])
        if row.signs.names < abstain._NAMES:
            found = min(found, abstain._LEAST - 1.0)
        found -= abstain._BESIDE_VECTORS
        found = max(found, abstain.weighed(row.signs, vectors[row.korean]))
        return abstain.logistic(found)

    return value


def cross_validated(rows: Sequence[Any], model: Callable[[Any], Callable]) -> list[float]:
    """Return the confidence in each row of a model that saw nothing of its subject."""
    subjects = sorted({row.subject for row in rows})
    dealt = np.random.default_rng(1).permutation(len(subjects)) % FOLDS
    fold = dict(zip(subjects, dealt, strict=True))
    models = [model([row for row in rows if fold[row.subject] != at]) for at in range(FOLDS)]
    return [models[fold[row.subject]](row) for row in rows]


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    if not positive or not negative:
        return None
    one, other = np.array(positive)[:, None], np.array(negative)[None]
    return round(float((one > other).mean() + (one == other).mean() / 2), 4)


def shares(rows: Sequence[Row], sure: Sequence[float], asked: int, limit: float) -> dict:
    """Return the shares of the `asked` questions that are answered at a limit."""
    above = [row for row, value in zip(rows, sure, strict=True) if value >= limit]
    one_subject = len({row.subject for row in rows}) == 1
    return {
        "answered": round(sum(row.way == 0 for row in above) / asked, 4),
        "rightly": round(sum(row.right for row in above) / asked, 4),
        "without_the_passage": round(sum(row.way == 1 for row in above) / asked, 4),
        "without_the_subject": None
        if one_subject
        else round(sum(row.way == 2 for row in above) / asked, 4),
    }


def figures(rows: Sequence[Row], sure: Sequence[float], asked: int) -> dict:
    by_way = [[s for row, s in zip(rows, sure, strict=True) if row.way == at] for at in range(3)]
    right = [s for row, s in zip(rows, sure, strict=True) if row.right]
    return {
        **shares(rows, sure, asked, abstain.ENOUGH),
        "auroc_passage": auroc(right, by_way[1]),
        "auroc_subject": auroc(right, by_way[2]),
        "curve": [{"limit": limit} | shares(rows, sure, asked, limit) for limit in LIMITS],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    parser.add_argument("--squad", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--most", type=int, default=150, help="questions of each set")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    # questions in another language than the passages: see across.py
    sets = [each for each in shared_sets(options.shared) if "across" not in each.name]
    for given in options.squad:
        name, _, path = given.partition("=")
        sets.append(squad_set(name, Path(path), None))
    every: list[Row] = []
    asked_of = {}
    for asked in sets:
        with KnowledgeBase.open(options.work / f"{asked.corpus}.db", create=False) as kb:
            every += asked_thrice(kb, asked, options.most)
        step = max(len(asked.questions) // options.most, 1)
        asked_of[asked.name] = len(asked.questions[::step])
        print(asked.name, asked_of[asked.name], flush=True)
    others = cross_validated(every, model)
    table = []
    for name, questions in asked_of.items():
        at = [i for i, row in enumerate(every) if row.set == name]
        rows = [every[i] for i in at]
        used = figures(rows, [row.confidence for row in rows], questions)
        unseen = figures(rows, [others[i] for i in at], questions)
        table.append({"set": name, "questions": questions, "in_use": used, "unseen": unseen})
        print(name, {k: v for k, v in used.items() if k != "curve"}, flush=True)
        print("  of other folds:", {k: v for k, v in unseen.items() if k != "curve"}, flush=True)
    if options.fit:
        for kind, heard in (("words", WORDS), ("vectors", VECTORS)):
            for korean in (False, True):
                print(kind, korean, fitted(every, korean, heard[korean], RAISED[kind]))
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    done = {"date": date, "machine": machine(), "limit": round(abstain.ENOUGH, 4), "rows": table}
    (HERE / "results" / f"{date}-abstention.json").write_text(json.dumps(done, indent=1) + "\n")


if __name__ == "__main__":
    main()
