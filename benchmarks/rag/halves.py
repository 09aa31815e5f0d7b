"""Are the weights of lexical search those of one benchmark? Chosen on half, measured on the rest.

    python benchmarks/rag/halves.py --squad korquad=KorQuAD_v1.0_dev.json

The articles of a file in SQuAD's format are dealt into two halves; all passages are searched. For
each half, the weights of BM25 and of the query are chosen from a grid by recall@5 + nDCG@10 of its
own questions, and measured on the other's. Writes results/<date>-halves.json.
"""

import argparse
import itertools
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from retrieval import machine
from sets import HERE, squad_set

from solarmini.rag.lexical import bm25, query
from solarmini.rag.lexical.terms import document_terms

KINDS, COMPOUNDS = (1.0, 0.8, 0.6, 0.4), (0.3, 0.5, 1.0)
K1S, BS, GRAMS = (0.3, 0.4, 0.6), (0.7, 0.9), (0.3, 0.4, 0.6)
IN_USE = (query._KIND, query._COMPOUND, bm25.K1, bm25.B, bm25.GRAMS)


class Postings:
    """All postings, term by term, to be weighed by any weights at once."""

    def __init__(self, texts: list[str]) -> None:
        held: dict[str, list[tuple[int, int]]] = {}
        words, grams = np.zeros(len(texts)), np.zeros(len(texts))
        for at, text in enumerate(texts):
            for term, often in document_terms(text).items():
                held.setdefault(term, []).append((at, often))
                (grams if bm25.is_gram(term) else words)[at] += often
        self.numbers = {term: number for number, term in enumerate(held)}
        self.starts = np.cumsum([0, *(len(places) for places in held.values())])
        flat = np.array([place for places in held.values() for place in places])
        self.docs, self.often = flat[:, 0], flat[:, 1].astype(float)
        sizes = np.diff(self.starts)
        self.gram = np.repeat([bm25.is_gram(term) for term in held], sizes)
        length = np.where(self.gram, grams[self.docs], words[self.docs])
        mean = np.where(self.gram, bm25.mean_length(grams), bm25.mean_length(words))
        self.length = length / mean
        self.idf = np.repeat([bm25.idf(len(texts), size) for size in sizes], sizes)
        self.total = len(texts)

    def weighed(self, k1: float, b: float, grams: float) -> np.ndarray:
        """Return what each posting is worth."""
        norm = k1 * (1 - b + b * self.length)
        return np.where(self.gram, grams, 1) * self.idf * self.often / (self.often + norm)

    def places(self, terms: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
        """Return where the postings of some terms are, and how much each term weighs."""
        known = [
            (self.starts[number], self.starts[number + 1], weight)
            for term, weight in terms.items()
            if (number := self.numbers.get(term)) is not None
        ]
        at = [np.arange(start, end, dtype=np.int32) for start, end, _ in known]
        weights = [np.full(end - start, weight, np.float32) for start, end, weight in known]
        none = np.zeros(0, np.int32)
        return np.concatenate([none, *at]), np.concatenate([none, *weights])


def measures(ranks: np.ndarray) -> tuple[float, float]:
    """Return recall@5 and nDCG@10 of the places, from 0, of the one right passage."""
    gains = [1 / math.log2(rank + 2) if rank < 10 else 0.0 for rank in ranks]
    return round(float((ranks < 5).mean()), 4), round(float(np.mean(gains)), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--squad", required=True, metavar="NAME=FILE")
    name, _, path = parser.parse_args().squad.partition("=")
    asked = squad_set(name, Path(path), None)
    keys = list(asked.passages)
    place_of = {key: at for at, key in enumerate(keys)}
    right = np.array([place_of[min(answering)] for _, answering in asked.questions])
    article = np.array([int(keys[at].split("-")[-2]) for at in right])
    dealt = np.random.default_rng(7).permutation(article.max() + 1) % 2
    half = dealt[article]
    postings = Postings(list(asked.passages.values()))
    found = []
    for query._KIND, query._COMPOUND in itertools.product(KINDS, COMPOUNDS):
        looked_up = [postings.places(query.query_terms(q)) for q, _ in asked.questions]
        for k1, b, grams in itertools.product(K1S, BS, GRAMS):
            worth = postings.weighed(k1, b, grams)
            ranks = np.empty(len(right), int)
            for at, ((places, weights), wanted) in enumerate(zip(looked_up, right, strict=True)):
                values = worth[places] * weights
                scores = np.bincount(postings.docs[places], values, postings.total)
                before = scores[:wanted] >= scores[wanted]
                ranks[at] = before.sum() + (scores[wanted + 1 :] > scores[wanted]).sum()
            point = (query._KIND, query._COMPOUND, k1, b, grams)
            found.append((point, [measures(ranks[half == at]) for at in (0, 1)], measures(ranks)))
    rows = []
    for chosen_on in (0, 1):
        weights, by_half, _ = max(found, key=lambda row: sum(row[1][chosen_on]))
        rows.append(
            {
                "chosen_on": chosen_on,
                "weights": weights,
                "there": by_half[chosen_on],
                "on_the_other": by_half[1 - chosen_on],
                "in_use_on_the_other": next(r[1][1 - chosen_on] for r in found if r[0] == IN_USE),
            }
        )
    done = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine(),
        "set": name,
        "questions": [int((half == at).sum()) for at in (0, 1)],
        "in_use": {"weights": IN_USE, "all": next(row[2] for row in found if row[0] == IN_USE)},
        "rows": rows,
        "grid": {
            "points": len(found),
            "recall_from": min(row[2][0] for row in found),
            "recall_to": max(row[2][0] for row in found),
        },
    }
    out = HERE / "results" / f"{done['date']}-halves.json"
    out.write_text(json.dumps(done, indent=1) + "\n")
    print(json.dumps(done))


if __name__ == "__main__":
    main()
