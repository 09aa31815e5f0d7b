"""The search itself: candidates from both indexes, one score, no repeats, context on request."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from solarmini.rag.embed.interface import Embedder
from solarmini.rag.lexical.query import Query, parse_query
from solarmini.rag.lexical.typos import corrections
from solarmini.rag.retrieve.duplicates import without_duplicates
from solarmini.rag.retrieve.fusion import dense_weight, fuse, usual_cosine
from solarmini.rag.retrieve.hit import Hit, hit_of
from solarmini.rag.retrieve.rerank import Reranker
from solarmini.rag.store.filters import Filters
from solarmini.rag.store.interface import Store
from solarmini.rag.store.records import Candidates

Mode = Literal["hybrid", "lexical", "dense"]
Expand = Literal["none", "neighbours", "section"]

_CANDIDATES = 100  # of each index
_RERANKED = 30
_SPARE = 3  # hits looked at for each one asked for, since some are duplicates
_MOST_CONTEXT = 8_000  # characters of context around a hit


@dataclass(frozen=True, slots=True)
class Request:
    """A search as asked for; see `KnowledgeBase.search`."""

    query: str
    limit: int = 10
    filters: Filters | None = None
    mode: Mode = "hybrid"
    expand: Expand = "none"
    reranker: Reranker | None = None


def search(store: Store, embedder: Embedder | None, request: Request) -> list[Hit]:
    """Return the best hits, best first; none when the question has no words at all."""
    if request.limit < 1 or not request.query.strip():
        return []
    mode: Mode = "lexical" if embedder is None else request.mode
    vector = embedder.query(request.query) if embedder and mode != "lexical" else None
    asked = parse_query(request.query) if mode != "dense" else Query({}, {}, {})
    among = store.select(request.filters) if request.filters else None
    found = _candidates(store, asked, vector, max(_CANDIDATES, 2 * request.limit), among)
    scores = _scores(found, mode, request.query)
    order = np.lexsort((found.rows, -scores))
    if mode == "lexical":
        order = order[scores[order] > 0]
    wanted = _SPARE * request.limit
    if request.reranker:
        read = _hits(store, found, scores, order[: wanted + _RERANKED])
        batches: Iterable[list[Hit]] = [_reranked(request.reranker, request.query, read)]
    else:
        firsts = range(0, min(wanted, len(order)), request.limit)
        batches = (
            _hits(store, found, scores, order[first : first + request.limit]) for first in firsts
        )
    hits = without_duplicates(batches, store.terms_of, request.limit)
    return [_expanded(store, hit, request.expand) for hit in hits]


def _candidates(
    store: Store,
    asked: Query,
    vector: np.ndarray | None,
    limit: int,
    among: np.ndarray | None,
) -> Candidates:
    """Ask the store; for terms unknown to it, with what they may have meant."""
    terms: Mapping[str, float] = asked.terms
    unknown = store.unknown([*asked.words, *asked.grams])
    if unknown:
        meant = dict(terms)
        vocabulary = store.vocabulary()
        for term in unknown:
            guessed = corrections([term], vocabulary)
            if guessed:
                del meant[term]
            for guess, weight in guessed.items():
                meant[guess] = max(meant.get(guess, 0.0), weight)
        terms = meant
    return store.candidates(terms, vector, limit, among)


def _scores(found: Candidates, mode: Mode, query: str) -> np.ndarray:
    if mode == "lexical":
        return found.lexical
    if mode == "dense":
        return found.dense
    return fuse(found.lexical, found.dense, found.most, dense_weight(query))


def _hits(store: Store, found: Candidates, scores: np.ndarray, order: np.ndarray) -> list[Hit]:
    at = {int(found.rows[i]): i for i in order}
    usual = usual_cosine(found.dense)
    hits = []
    for chunk in store.chunks(list(at)):
        i = at[chunk.row]
        lexical, dense = float(found.lexical[i]), float(found.dense[i])
        share = lexical / max(found.most, 1e-6)
        ahead = None if usual is None else dense - usual
        hits.append(hit_of(chunk, float(scores[i]), lexical, dense, share, ahead))
    return hits


def _reranked(reranker: Reranker, query: str, hits: list[Hit]) -> list[Hit]:
    first, rest = hits[:_RERANKED], hits[_RERANKED:]
    if not first:
        return hits
    said = [" > ".join((*hit.heading, hit.text)) for hit in first]
    new = reranker.scores(query, said)
    scored = [replace(hit, score=float(s)) for hit, s in zip(first, new, strict=True)]
    scored.sort(key=lambda hit: -hit.score)
    return [*scored, *rest]


def _expanded(store: Store, hit: Hit, expand: Expand) -> Hit:
    """Add the text around a hit: one chunk before and after, or all under its heading."""
    if expand == "none":
        return hit
    rows = store.around(hit.row, 1, 1) if expand == "neighbours" else store.section(hit.row)
    chunks = store.chunks(rows)
    center = next((i for i, chunk in enumerate(chunks) if chunk.row == hit.row), 0)
    first = last = center
    size = len(hit.text)
    while first > 0 or last < len(chunks) - 1:
        before = len(chunks[first - 1].chunk.text) if first > 0 else None
        after = len(chunks[last + 1].chunk.text) if last < len(chunks) - 1 else None
        size += min(x for x in (before, after) if x is not None)
        if size > _MOST_CONTEXT:
            break
        if before is not None and (after is None or before <= after):
            first -= 1
        else:
            last += 1
    text = "\n".join(chunk.chunk.text for chunk in chunks[first : last + 1])
    return replace(hit, context=text)
