"""Leaving out hits that say what a better hit says already."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from solarmini.rag.retrieve.hit import Hit

_ALIKE = 0.9  # share of distinct terms in common (Jaccard) from which texts are the same
_LEXICAL_SPREAD = 0.1  # of the better score: further apart, two texts are not the same
_DENSE_SPREAD = 0.02

TermsOf = Callable[[Sequence[int]], dict[int, frozenset[str]]]


def without_duplicates(hits: Sequence[Hit], terms_of: TermsOf, limit: int) -> list[Hit]:
    """Return the first `limit` hits that are not near-duplicates of an earlier one.

    Texts that differ in a number are never duplicates: two years' tables look much the same. Each
    hit kept names the chunks that were left out for it.
    """
    suspects = {
        hit.row
        for at, hit in enumerate(hits)
        for other in (*hits[:at], *hits[at + 1 :])
        if _may_be_same(hit, other)
    }
    terms = terms_of(sorted(suspects)) if suspects else {}
    kept: list[Hit] = []
    for hit in hits:
        twin = next((i for i, other in enumerate(kept) if _same(hit, other, terms)), None)
        if twin is not None:
            seen = kept[twin]
            kept[twin] = replace(seen, duplicates=(*seen.duplicates, hit.chunk_id))
        elif len(kept) < limit:
            kept.append(hit)
    return kept


def _may_be_same(a: Hit, b: Hit) -> bool:
    near = abs(a.lexical - b.lexical) <= _LEXICAL_SPREAD * max(a.lexical, b.lexical)
    return near and abs(a.dense - b.dense) <= _DENSE_SPREAD


def _same(a: Hit, b: Hit, terms: dict[int, frozenset[str]]) -> bool:
    if a.row not in terms or b.row not in terms or not _may_be_same(a, b):
        return False
    x, y = terms[a.row], terms[b.row]
    if len(x & y) < _ALIKE * len(x | y):
        return False
    return not any(any(c.isdigit() for c in term) for term in x ^ y)
