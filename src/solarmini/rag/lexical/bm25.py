"""BM25 (Robertson & Zaragoza 2009) over words and, separately, bigrams and pairs of words.

score(q, d) = sum over words t of q:  weight(t) * part(t, d)
            + GRAMS * the same sum over character bigrams and pairs of words
part(t, d) = idf(t) * f(t, d) * (K1 + 1) / (f(t, d) + K1 * (1 - B + B * |d| / mean |d|))
idf(t) = ln(1 + (N - n(t) + 0.5) / (n(t) + 0.5)); N chunks, n(t) of them hold t; f(t, d)
occurrences of t in d; |d| number of words (for bigrams and pairs, of both) of d.

Words and bigrams have lengths of their own because a Korean chunk has twice as many bigrams as
morphemes, and an English one has none. K1 is lower than the usual 1.2, which FTS5's own bm25()
has fixed: a passage answers a question by naming a thing, not by repeating it (on KorQuAD nDCG@10
.968 instead of .962). Every store gives the same scores.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

K1 = 0.4
B = 0.9
GRAMS = 0.4

Postings = Callable[[str], tuple[np.ndarray, np.ndarray]]
"""term -> places of the chunks that hold it (int, each once), and how often each does."""


def is_gram(term: str) -> bool:
    """Whether a term is a character bigram or a pair of words."""
    return term.startswith("_")


def idf(total: int, holding: int) -> float:
    """Return the weight of a term that `holding` of `total` chunks hold."""
    return math.log1p((total - holding + 0.5) / (holding + 0.5))


@dataclass(frozen=True)
class Lengths:
    """How long the chunks of a store are, as BM25 needs it; `alive` are those that count."""

    words: np.ndarray  # float32 [n], K1 * (1 - B + B * length / mean length)
    grams: np.ndarray
    alive: np.ndarray  # bool [n]
    total: int

    @classmethod
    def of(cls, words: np.ndarray, grams: np.ndarray, alive: np.ndarray) -> "Lengths":
        """Make them of the numbers of words and bigrams, int [n]."""
        return cls(
            words=_norm(words, alive),
            grams=_norm(grams, alive),
            alive=alive,
            total=int(np.count_nonzero(alive)),
        )


def mean_length(lengths: np.ndarray) -> float:
    """Return the mean of the lengths that are not 0, or 1."""
    held = lengths[lengths > 0]
    return float(held.mean()) if len(held) else 1.0


def _norm(lengths: np.ndarray, alive: np.ndarray) -> np.ndarray:
    share = lengths.astype(np.float32) / mean_length(lengths[alive])
    return (K1 * (1 - B + B * share)).astype(np.float32)


class Scores(NamedTuple):
    """BM25 of every chunk, float32 [n]; `most`, which no chunk can exceed; terms nobody holds."""

    values: np.ndarray
    most: float
    missing: tuple[str, ...]


def scores(terms: Mapping[str, float], postings: Postings, lengths: Lengths) -> Scores:
    """Score every chunk; those not alive have what they have."""
    total = np.zeros(len(lengths.alive), dtype=np.float32)
    most, missing = 0.0, []
    all_alive = lengths.total == len(lengths.alive)
    for term, weight in sorted(terms.items()):
        places, counts = postings(term)
        holding = len(places) if all_alive else int(np.count_nonzero(lengths.alive[places]))
        factor = weight * idf(lengths.total, holding) * (K1 + 1) * (GRAMS if is_gram(term) else 1)
        most += factor
        if not holding:
            missing.append(term)
            continue
        norm = (lengths.grams if is_gram(term) else lengths.words)[places]
        often = counts.astype(np.float32)
        total[places] += np.float32(factor) * often / (often + norm)
    return Scores(total, most, tuple(missing))
