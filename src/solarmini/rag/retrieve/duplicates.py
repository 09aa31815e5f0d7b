"""Leaving out hits that say what a better hit says already."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from solarmini.rag.retrieve.hit import Hit

_ALIKE = 0.9  # share of distinct terms in common (Jaccard) from which texts are the same
_LEXICAL_SPREAD = 0.1  # of the better score: further apart, two texts are not the same
_DENSE_SPREAD = 0.02

TermsOf = Callable[[Sequence[int]], dict[int, frozenset[str]]]


def without_duplicates(
    batches: Iterable[Sequence[Hit]], terms_of: TermsOf, limit: int
) -> list[Hit]:
    """Return the first `limit` hits that are not near-duplicates of an earlier one.

    Hits come best first, in batches, of which no more are taken than are needed. Texts that differ
    in a number are never duplicates: two years' tables look much the same. Each hit kept names the
    chunks that were left out for it.
    """
    kept: list[Hit] = []
    terms: dict[int, frozenset[str]] = {}
    for hits in batches:
        looked_at = [*kept, *hits]
        near = _near(looked_at)
        places = list(range(len(kept)))  # of the hits kept, among those looked at
        suspects = {looked_at[at].row for at in np.flatnonzero(near.any(axis=1))}
        if unknown := sorted(suspects - terms.keys()):
            terms |= terms_of(unknown)
        for at in range(len(kept), len(looked_at)):
            hit = looked_at[at]
            likely = (i for i, place in enumerate(places) if near[at, place])
            twin = next((i for i in likely if _same(hit, kept[i], terms)), None)
            if twin is None:
                kept.append(hit)
                places.append(at)
                if len(kept) == limit:
                    return kept
            else:
                left_out = (*kept[twin].duplicates, hit.chunk_id)
                kept[twin] = replace(kept[twin], duplicates=left_out)
    return kept


def _near(hits: Sequence[Hit]) -> np.ndarray:
    """Return which two hits, bool [n, n], have scores near enough for one text."""
    lexical = np.array([hit.lexical for hit in hits])
    dense = np.array([hit.dense for hit in hits])
    spread = _LEXICAL_SPREAD * np.maximum.outer(lexical, lexical)
    near = np.abs(np.subtract.outer(lexical, lexical)) <= spread
    near &= np.abs(np.subtract.outer(dense, dense)) <= _DENSE_SPREAD
    np.fill_diagonal(near, False)
    return near


def _same(a: Hit, b: Hit, terms: dict[int, frozenset[str]]) -> bool:
    x, y = terms.get(a.row), terms.get(b.row)
    if x is None or y is None:
        return False
    common = len(x & y)
    if common < _ALIKE * (len(x) + len(y) - common):
        return False
    return not any(any(c.isdigit() for c in term) for term in x ^ y)
