"""Choosing the candidates of a search: the best of each way of searching, scored both ways."""

from collections.abc import Callable

import numpy as np

from solarmini.rag.lexical.bm25 import Scores
from solarmini.rag.store.records import Candidates


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
    chosen = top(np.where(open_to, lexical.values, 0), limit, above=0.0)
    if dense is not None:
        nearest = top(np.where(open_to, dense, -np.inf), limit, above=-np.inf)
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
    chosen = top(np.where(open_to, lexical.values, 0), limit, above=0.0)
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
        edge = np.partition(values, len(values) - limit)[len(values) - limit]
        better = np.flatnonzero(values > edge)
        equal = np.flatnonzero(values == edge)[: limit - len(better)]
        chosen = np.concatenate([better, equal])
    else:
        chosen = np.arange(len(values))
    return chosen[values[chosen] > above]
