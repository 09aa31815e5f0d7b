"""Choosing the candidates of a search: the best of each way of searching, scored both ways."""

from collections.abc import Callable

import numpy as np

from solarmini.rag.lexical.bm25 import Scores
from solarmini.rag.store.records import Candidates

_MANY = 10_000  # values from which it pays to look at a sample first
_STEP = 16


def best_of_both(
    rows: np.ndarray,
    lexical: Scores,
    dense: np.ndarray | None,
    open_to: np.ndarray,
    limit: int,
) -> Candidates:
    """Return the best `limit` by either score, with both scores of each.

    All arrays are of equal length; only where `open_to` (bool) is true may a chunk be chosen.
    """
    chosen = top(_where(open_to, lexical.values, 0.0), limit, above=0.0)
    if dense is not None:
        nearest = top(_where(open_to, dense, -np.inf), limit, above=-np.inf)
        chosen = np.union1d(chosen, nearest)
    return Candidates(
        rows=rows[chosen],
        lexical=lexical.values[chosen],
        dense=np.zeros(len(chosen), np.float32) if dense is None else dense[chosen],
        most=lexical.most,
        missing=lexical.missing,
    )


def best_proposed(
    rows: np.ndarray,
    lexical: Scores,
    proposed: np.ndarray,
    cosine: Callable[[np.ndarray], np.ndarray],
    open_to: np.ndarray,
    limit: int,
) -> Candidates:
    """Return the best `limit` by words and the best of the `proposed` places, both scored.

    `cosine` gives the cosines of places; it is asked for those chosen only.
    """
    proposed = proposed[open_to[proposed]]
    chosen = top(_where(open_to, lexical.values, 0.0), limit, above=0.0)
    nearest = proposed[top(cosine(proposed), limit, above=-np.inf)]
    chosen = np.union1d(chosen, nearest)
    return Candidates(
        rows=rows[chosen],
        lexical=lexical.values[chosen],
        dense=cosine(chosen),
        most=lexical.most,
        missing=lexical.missing,
    )


def top(values: np.ndarray, limit: int, above: float) -> np.ndarray:
    """Return where the `limit` largest values are that exceed `above`; ties go to the first."""
    if len(values) > limit:
        edge = _largest(values, limit)
        better = np.flatnonzero(values > edge)
        equal = np.flatnonzero(values == edge)[: limit - len(better)]
        chosen = np.concatenate([better, equal])
    else:
        chosen = np.arange(len(values))
    return chosen[values[chosen] > above]


def _largest(values: np.ndarray, place: int) -> float:
    """Return the `place`-th largest value, from 1."""
    if len(values) > _MANY:
        # a sample's value that about twice as many exceed: the rest need not be put in order
        sample = values[::_STEP]
        rank = min(2 * place // _STEP + _STEP, len(sample) - 1)
        above = values[values > np.partition(sample, len(sample) - rank)[len(sample) - rank]]
        if len(above) >= place:
            values = above
    return np.partition(values, len(values) - place)[len(values) - place]


def _where(open_to: np.ndarray, values: np.ndarray, else_: float) -> np.ndarray:
    return values if open_to.all() else np.where(open_to, values, np.float32(else_))
