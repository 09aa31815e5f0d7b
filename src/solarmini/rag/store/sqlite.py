"""A knowledge base in one SQLite file; nothing has to be started."""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from solarmini.rag.chunk.model import places_to_json
from solarmini.rag.lexical.bm25 import is_gram
from solarmini.rag.lexical.typos import Vocabulary
from solarmini.rag.store import sqlite_file
from solarmini.rag.store.filters import Filters
from solarmini.rag.store.guarded import guarded
from solarmini.rag.store.records import Candidates, DocumentRecord, NewChunk, StoredChunk
from solarmini.rag.store.rows import DOCUMENT, chunk_of, document_of, document_values
from solarmini.rag.store.segments import SegmentFolder
from solarmini.rag.store.sqlite_index import Catalogue, LargeIndex, SmallIndex, tail

# Up to here postings come straight from the full-text index, and the file is all there is.
SEGMENTS_ABOVE = 5_000
# Up to here all vectors are compared; beyond, graphs propose which.
GRAPHS_ABOVE = 300_000
_SEGMENT_SIZE = 25_000  # chunks; about 150 MB in memory while one is made
_TAIL = 2_500  # chunks that may stay outside of segments
_IN_ONE = 500  # values in one IN (…)


class SQLiteStore:
    """Implements `Store`; see there."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._segments_above, self._graphs_above = SEGMENTS_ABOVE, GRAPHS_ABOVE
        self._lock = threading.RLock()
        self._connection = sqlite_file.open_file(self._path)
        self._index: SmallIndex | LargeIndex | None = None
        self._index_of = ""
        self._vocabulary: Vocabulary | None = None
        self._folder = SegmentFolder(self._path, self.settings()["id"])

    def _guard(self) -> AbstractContextManager[None]:
        return sqlite_file.guard(self._path)

    @property
    def where(self) -> str:
        """The file."""
        return str(self._path)

    @guarded
    def settings(self) -> dict[str, str]:
        """Return what the store was made with."""
        return dict(self._connection.execute("SELECT key, value FROM settings").fetchall())

    @guarded
    def bind(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Record settings not recorded yet; return all."""
        if any(key not in self.settings() for key in settings):
            with sqlite_file.writing(self._connection):
                self._connection.executemany(
                    "INSERT OR IGNORE INTO settings VALUES (?, ?)", settings.items()
                )
        return self.settings()

    @guarded
    def count(self) -> int:
        """Return the number of chunks."""
        query = "SELECT count(*) FROM chunks INDEXED BY chunks_light"
        return self._connection.execute(query).fetchone()[0]

    @guarded
    def documents(self) -> list[DocumentRecord]:
        """Return every source, by name."""
        found = self._connection.execute(f"SELECT {DOCUMENT} FROM documents ORDER BY source")
        return [document_of(row) for row in found]

    @guarded
    def replace(self, document: DocumentRecord, chunks: Sequence[NewChunk]) -> None:
        """Put a source in the place of its former self, all or nothing."""
        with sqlite_file.writing(self._connection):
            self._remove(document.source)
            number = self._connection.execute(
                f"INSERT INTO documents ({DOCUMENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                tuple(document_values(document).values()),
            ).lastrowid
            for ordinal, new in enumerate(chunks):
                self._insert(number or 0, ordinal, new)
            self._advance()

    @guarded
    def delete(self, source: str) -> bool:
        """Remove a source and all that came of it."""
        with sqlite_file.writing(self._connection):
            removed = self._remove(source)
            if removed:
                self._advance()
        return removed

    def _insert(self, document: int, ordinal: int, new: NewChunk) -> None:
        chunk = new.chunk
        grams = sum(often for term, often in new.terms.items() if is_gram(term))
        row = self._connection.execute(
            "INSERT INTO chunks (document, ordinal, section, chunk_id, print, words, grams, kind,"
            " heading, first_page, last_page, tokens, places, text, markup)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                document,
                ordinal,
                chunk.section,
                chunk.id,
                int(chunk.id[:15], 16),
                sum(new.terms.values()) - grams,
                grams,
                chunk.kind,
                json.dumps(chunk.heading, ensure_ascii=False),
                *chunk.pages,
                chunk.tokens,
                places_to_json(chunk.places),
                chunk.text,
                chunk.markup,
            ),
        ).lastrowid
        said = " ".join(" ".join([term] * often) for term, often in new.terms.items())
        self._connection.execute("INSERT INTO lexicon (rowid, terms) VALUES (?, ?)", (row, said))
        if new.vector is not None:
            raw = np.asarray(new.vector, dtype="<f4").tobytes()
            self._connection.execute("INSERT INTO vectors VALUES (?, ?)", (row, raw))
            self._connection.execute("DELETE FROM kept_vectors WHERE chunk_id = ?", (chunk.id,))

    def _remove(self, source: str) -> bool:
        found = self._connection.execute(
            "SELECT id FROM documents WHERE source = ?", (source,)
        ).fetchone()
        if found is None:
            return False
        self._connection.execute("INSERT OR IGNORE INTO settings VALUES ('untidy', '1')")
        self._connection.execute(
            "DELETE FROM lexicon WHERE rowid IN (SELECT id FROM chunks WHERE document = ?)", found
        )
        self._connection.execute("DELETE FROM documents WHERE id = ?", found)
        return True

    def _advance(self) -> None:
        self._connection.execute(
            "UPDATE settings SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'"
        )

    @guarded
    def vectors_of(self, chunk_ids: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the vectors known for chunk ids: of stored chunks, and kept ones."""
        found: dict[str, np.ndarray] = {}
        for some in _batches(list(chunk_ids)):
            marks = ", ".join("?" * len(some))
            rows = self._connection.execute(
                f"SELECT chunk_id, vector FROM kept_vectors WHERE chunk_id IN ({marks})"
                " UNION ALL SELECT c.chunk_id, v.vector FROM chunks c"
                f" JOIN vectors v ON v.chunk = c.id WHERE c.chunk_id IN ({marks})",
                [*some, *some],
            )
            found.update((name, np.frombuffer(raw, dtype="<f4")) for name, raw in rows)
        return found

    @guarded
    def keep_vectors(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Keep vectors of chunks not stored yet."""
        rows = [(name, np.asarray(v, dtype="<f4").tobytes()) for name, v in vectors.items()]
        with sqlite_file.writing(self._connection):
            self._connection.executemany("INSERT OR REPLACE INTO kept_vectors VALUES (?, ?)", rows)

    @guarded
    def forget_vectors(self) -> None:
        """Drop kept vectors."""
        if self._connection.execute("SELECT 1 FROM kept_vectors LIMIT 1").fetchone():
            with sqlite_file.writing(self._connection):
                self._connection.execute("DELETE FROM kept_vectors")

    @guarded
    def candidates(
        self,
        terms: Mapping[str, float],
        vector: np.ndarray | None,
        limit: int,
        among: np.ndarray | None = None,
    ) -> Candidates:
        """Return the best `limit` chunks by BM25 of `terms` and by cosine with `vector`."""
        self._connection.execute("BEGIN")  # one state for all that is read
        try:
            return self._current().candidates(terms, vector, limit, among)
        finally:
            self._connection.execute("COMMIT")

    @guarded
    def unknown(self, terms: Iterable[str]) -> list[str]:
        """Return those of `terms` that no chunk holds."""
        index = self._current()
        return [term for term in terms if not index.holds(term)]

    def _current(self) -> SmallIndex | LargeIndex:
        state = self.settings()["generation"]
        if self._index is None or self._index_of != state:
            self._vocabulary = None
            catalogue = Catalogue.read(self._connection)
            if len(catalogue.rows) <= self._segments_above:
                self._index = SmallIndex(self._connection, catalogue, self._dimension())
            else:
                self._index = self._large(catalogue)
            self._index_of = state
        return self._index

    def _large(self, catalogue: Catalogue) -> LargeIndex:
        segments = self._folder.load()
        covered = max((int(s.rows[-1]) for s in segments if len(s.rows)), default=0)
        rest = tail(self._connection, covered, self._dimension(), _SEGMENT_SIZE)
        return LargeIndex([*segments, *rest], catalogue)

    def _dimension(self) -> int:
        return int(self.settings().get("dimension", "0"))

    @guarded
    def select(self, filters: Filters) -> np.ndarray | None:
        """Return the rows that `filters` admit, sorted; None when they admit all."""
        if not (filters.on_documents or filters.on_chunks):
            return None
        parts, values = filters.conditions("lower({})")
        if filters.on_documents:
            found = self._connection.execute(f"SELECT id, {DOCUMENT} FROM documents").fetchall()
            admitted = [number for number, *rest in found if filters.admits(document_of(rest))]
            parts.append("document IN (SELECT value FROM json_each(:documents))")
            values["documents"] = json.dumps(admitted)
        query = f"SELECT id FROM chunks WHERE {' AND '.join(parts)} ORDER BY id"
        return np.array(self._connection.execute(query, values).fetchall(), np.int64).reshape(-1)

    @guarded
    def chunks(self, rows: Sequence[int]) -> list[StoredChunk]:
        """Return chunks in the order asked; rows that are gone are left out."""
        found: dict[int, StoredChunk] = {}
        names = ", ".join(f"d.{name}" for name in DOCUMENT.split(", "))
        for some in _batches([int(row) for row in rows]):
            marks = ", ".join("?" * len(some))
            query = (
                "SELECT c.id, c.ordinal, c.chunk_id, c.kind, c.text, c.heading, c.places,"
                f" c.tokens, c.section, c.markup, {names} FROM chunks c"
                f" JOIN documents d ON d.id = c.document WHERE c.id IN ({marks})"
            )
            for row in self._connection.execute(query, some):
                found[row[0]] = StoredChunk(
                    row[0], row[1], document_of(row[10:]), chunk_of(row[2:10])
                )
        return [found[int(row)] for row in rows if int(row) in found]

    @guarded
    def rows_of(self, chunk_id: str) -> list[int]:
        """Return the rows of a chunk id."""
        query = "SELECT id FROM chunks WHERE chunk_id = ? ORDER BY id"
        return [row for (row,) in self._connection.execute(query, (chunk_id,))]

    @guarded
    def around(self, row: int, before: int, after: int) -> list[int]:
        """Return the row and its neighbours in the document, in reading order."""
        query = (
            "SELECT n.id FROM chunks c JOIN chunks n ON n.document = c.document"
            " AND n.ordinal BETWEEN c.ordinal - ? AND c.ordinal + ?"
            " WHERE c.id = ? ORDER BY n.ordinal"
        )
        return [found for (found,) in self._connection.execute(query, (before, after, row))]

    @guarded
    def section(self, row: int) -> list[int]:
        """Return all rows under the same heading, in reading order."""
        query = (
            "SELECT n.id FROM chunks c JOIN chunks n ON n.document = c.document"
            " AND n.section = c.section WHERE c.id = ? ORDER BY n.ordinal"
        )
        return [found for (found,) in self._connection.execute(query, (row,))]

    @guarded
    def terms_of(self, rows: Sequence[int]) -> dict[int, frozenset[str]]:
        """Return the distinct terms of chunks."""
        found: dict[int, frozenset[str]] = {}
        for some in _batches([int(row) for row in rows]):
            marks = ", ".join("?" * len(some))
            query = f"SELECT rowid, terms FROM lexicon WHERE rowid IN ({marks})"
            for row, said in self._connection.execute(query, some):
                found[row] = frozenset(said.split())
        return found

    @guarded
    def vocabulary(self) -> Vocabulary:
        """Return all terms but pairs, for the correction of typos; kept until the store changes."""
        self._current()
        if self._vocabulary is None:
            found = self._connection.execute(
                "SELECT term, doc FROM temp.words WHERE term NOT GLOB '__*'"
            ).fetchall()
            self._vocabulary = Vocabulary([t for t, _ in found], [n for _, n in found])
        return self._vocabulary

    @guarded
    def tidy(self) -> None:
        """Merge the full-text index so that no trace of deleted text stays, write segments."""
        if "untidy" in self.settings():
            with sqlite_file.writing(self._connection):
                self._connection.execute("INSERT INTO lexicon (lexicon) VALUES ('optimize')")
                self._connection.execute("DELETE FROM settings WHERE key = 'untidy'")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._index = None
        if self.count() <= self._segments_above:
            self._folder.remove()
            return
        with self._folder.lock() as ours:
            if ours:
                self._write_segments()
        self._index = None

    def _write_segments(self) -> None:
        index = self._large(Catalogue.read(self._connection))
        kept, changed = [], []
        for segment, alive in zip(index.segments, index.alive, strict=True):
            stored = isinstance(segment.terms, Path)
            if not alive.all():
                changed.append(segment.without(~alive))
            elif stored:
                kept.append(segment)
            elif len(segment.rows) > _TAIL or not kept:
                changed.append(segment)
        large = self.count() > self._graphs_above
        self._folder.replace(kept, changed, graphs=large)

    @guarded
    def problems(self) -> list[str]:
        """Check the file, the full-text index and that nothing is there by half."""
        from solarmini.rag.store.sqlite_check import problems

        return problems(self._connection, self._dimension())

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._index = None
            self._connection.close()


def _batches(items: list[Any]) -> Iterable[list[Any]]:
    return (items[at : at + _IN_ONE] for at in range(0, len(items), _IN_ONE))
