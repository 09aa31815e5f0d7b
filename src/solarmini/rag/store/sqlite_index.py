"""One state of a SQLite store, ready to be searched: who is there, how long, which vectors."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from solarmini.rag.lexical import bm25
from solarmini.rag.store.nearest import Nearest
from solarmini.rag.store.ranking import best_of_both, best_proposed, top
from solarmini.rag.store.records import Candidates
from solarmini.rag.store.segment import Line, Segment, build, term_hash

_LINES = """
SELECT c.id, c.print, c.words, c.grams, l.terms, v.vector FROM chunks c
JOIN lexicon l ON l.rowid = c.id LEFT JOIN vectors v ON v.chunk = c.id
WHERE c.id > ? AND c.id <= ? ORDER BY c.id
"""


@dataclass(frozen=True)
class Catalogue:
    """All chunks of a store at one moment, in the order of rows."""

    rows: np.ndarray  # int64 [n]
    prints: np.ndarray
    words: np.ndarray
    grams: np.ndarray

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> "Catalogue":
        """Read the catalogue from the index that holds nothing else."""
        found = connection.execute(
            "SELECT id, print, words, grams FROM chunks INDEXED BY chunks_light"
        ).fetchall()
        table = np.array(found, dtype=np.int64).reshape(-1, 4)
        table = table[np.argsort(table[:, 0])]
        return cls(table[:, 0], table[:, 1], table[:, 2], table[:, 3])


def lines_between(connection: sqlite3.Connection, after: int, last: int) -> Iterator[Line]:
    """Yield the chunks with rows after < row <= last, as segments take them in."""
    for found in connection.execute(_LINES, (after, last)):
        yield Line(*found)


class SmallIndex:
    """Few chunks: vectors in memory, postings read from the full-text index as they are needed."""

    def __init__(
        self, connection: sqlite3.Connection, catalogue: Catalogue, dimension: int
    ) -> None:
        self._connection = connection
        self._rows = catalogue.rows
        alive = np.ones(len(catalogue.rows), dtype=bool)
        self._lengths = bm25.Lengths.of(catalogue.words, catalogue.grams, alive)
        self._vectors = np.zeros((len(self._rows), dimension), dtype=np.float32)
        if dimension:
            for row, raw in connection.execute("SELECT chunk, vector FROM vectors"):
                at = np.searchsorted(self._rows, row)
                self._vectors[at] = np.frombuffer(raw, dtype="<f4")

    def candidates(
        self,
        terms: Mapping[str, float],
        vector: np.ndarray | None,
        limit: int,
        among: np.ndarray | None,
    ) -> Candidates:
        """Score every chunk both ways; see Store.candidates."""
        lexical = bm25.scores(terms, self._postings, self._lengths)
        # a store that nothing was ever put into does not know its dimension yet
        dense = None if vector is None or not len(self._rows) else self._vectors @ vector
        open_to = self._lengths.alive
        if among is not None:
            open_to = open_to & np.isin(self._rows, among)
        return best_of_both(self._rows, lexical, dense, open_to, limit)

    def holds(self, term: str) -> bool:
        """Whether a chunk that counts holds `term`."""
        return bool(self._lengths.alive[self._postings(term)[0]].any())

    def _postings(self, term: str) -> tuple[np.ndarray, np.ndarray]:
        found = self._connection.execute(
            "SELECT doc FROM temp.occurrences WHERE term = ?", (term,)
        ).fetchall()
        rows, counts = np.unique(np.array(found, dtype=np.int64), return_counts=True)
        places = np.searchsorted(self._rows, rows)
        return places, counts


class LargeIndex:
    """Many chunks: mapped segments, and a last one in memory for what they do not cover."""

    def __init__(self, segments: Sequence[Segment], catalogue: Catalogue) -> None:
        self.segments = [segment for segment in segments if len(segment.rows)]
        none = np.empty(0, np.int64)
        self._rows = np.concatenate([none, *(s.rows for s in self.segments)])
        prints = np.concatenate([none, *(s.prints for s in self.segments)])
        at = np.searchsorted(catalogue.rows, self._rows)
        at = np.minimum(at, max(len(catalogue.rows) - 1, 0))
        alive = np.zeros(len(self._rows), dtype=bool)
        if len(catalogue.rows):
            same = catalogue.rows[at] == self._rows
            alive = same & (catalogue.prints[at] == prints)
        words = np.concatenate([none, *(s.words for s in self.segments)])
        grams = np.concatenate([none, *(s.grams for s in self.segments)])
        self._lengths = bm25.Lengths.of(words, grams, alive)
        self._starts = np.cumsum([0, *(len(s.rows) for s in self.segments)])
        # for each segment, which of its chunks are still in the store
        self.alive = [
            alive[start:end] for start, end in zip(self._starts[:-1], self._starts[1:], strict=True)
        ]
        # a segment is mapped read-only; numpy multiplies it where it lies
        self._vectors = [s.vectors for s in self.segments]
        self._nearest = [_graph(s) for s in self.segments]

    def candidates(
        self,
        terms: Mapping[str, float],
        vector: np.ndarray | None,
        limit: int,
        among: np.ndarray | None,
    ) -> Candidates:
        """Score every chunk both ways; see Store.candidates."""
        lexical = bm25.scores(terms, self._postings, self._lengths)
        open_to = self._lengths.alive
        if among is not None:
            open_to = open_to & np.isin(self._rows, among)
        if vector is None or not self.segments:
            return best_of_both(self._rows, lexical, None, open_to, limit)
        if among is None and any(self._nearest):
            proposed = self._proposed(vector, 2 * limit)
            cosine = partial(self._cosines, vector)
            return best_proposed(self._rows, lexical, proposed, cosine, open_to, limit)
        dense = np.concatenate([part @ vector for part in self._vectors])
        return best_of_both(self._rows, lexical, dense, open_to, limit)

    def _proposed(self, vector: np.ndarray, count: int) -> np.ndarray:
        """Return places that are near: from the graphs, and of segments without one all best."""
        found = []
        for start, part, graph in zip(self._starts[:-1], self._vectors, self._nearest, strict=True):
            places = graph.propose(vector, count) if graph else top(part @ vector, count, -np.inf)
            found.append(places + start)
        return np.concatenate(found)

    def _cosines(self, vector: np.ndarray, places: np.ndarray) -> np.ndarray:
        made = np.empty(len(places), dtype=np.float32)
        part = np.searchsorted(self._starts, places, side="right") - 1
        for number in np.unique(part):
            here = part == number
            made[here] = self._vectors[number][places[here] - self._starts[number]] @ vector
        return made

    def holds(self, term: str) -> bool:
        """Whether a chunk that counts holds `term`."""
        key = term_hash(term)
        return any(
            bool(alive[segment.postings(key)[0]].any())
            for alive, segment in zip(self.alive, self.segments, strict=True)
        )

    def _postings(self, term: str) -> tuple[np.ndarray, np.ndarray]:
        key = term_hash(term)
        places, counts = [], []
        for start, segment in zip(self._starts[:-1], self.segments, strict=True):
            docs, often = segment.postings(key)
            if len(docs):
                places.append(docs.astype(np.int64) + start)
                counts.append(often)
        if not places:
            return np.empty(0, np.int64), np.empty(0, np.uint16)
        return np.concatenate(places), np.concatenate(counts)


def tail(connection: sqlite3.Connection, after: int, dimension: int, size: int) -> list[Segment]:
    """Return segments in memory of all chunks with rows above `after`, `size` chunks each."""
    made = []
    while True:
        found = connection.execute(
            "SELECT id FROM chunks WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", (after, size - 1)
        ).fetchone()
        last = found[0] if found else 2**62
        segment = build(lines_between(connection, after, last), dimension)
        if len(segment.rows):
            made.append(segment)
        if not found:
            return made
        after = last


def _graph(segment: Segment) -> Nearest | None:
    """Return the graph over a stored segment's vectors, if it has one."""
    if not isinstance(segment.terms, Path):
        return None
    return Nearest.load(segment.terms.parent, segment.vectors.shape[1])
