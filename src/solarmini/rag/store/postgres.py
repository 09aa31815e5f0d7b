"""A knowledge base on a PostgreSQL server with pgvector, for more than one machine."""

import json
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from solarmini.errors import CorruptStoreError, StoreError
from solarmini.rag.chunk.model import places_to_json
from solarmini.rag.lexical import bm25
from solarmini.rag.lexical.bm25 import is_gram
from solarmini.rag.lexical.typos import Vocabulary
from solarmini.rag.store import postgres_link
from solarmini.rag.store import postgres_sql as sql
from solarmini.rag.store.filters import Filters
from solarmini.rag.store.guarded import guarded
from solarmini.rag.store.records import Candidates, DocumentRecord, NewChunk, StoredChunk
from solarmini.rag.store.rows import DOCUMENT, chunk_of, document_of, document_values

_APPROXIMATE_ABOVE = 50_000  # chunks from which vectors get an HNSW index
_LOCK_CLASS = 0x534F4C52  # first key of our advisory locks


class PostgresStore:
    """Implements `Store`; see there. BM25 is computed by the server, in SQL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.RLock()
        self._closed = False
        self._connection = postgres_link.connect(url)
        self._vocabulary: tuple[str, Vocabulary] | None = None
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _guard(self) -> AbstractContextManager[None]:
        return postgres_link.guard(self._url)

    @property
    def where(self) -> str:
        """The URL without the password."""
        return postgres_link.without_password(self._url)

    @guarded
    def _prepare(self) -> None:
        run = self._connection.run
        with self._transaction():
            run("SELECT pg_advisory_xact_lock(:a, 0)", a=_LOCK_CLASS)
            there = run("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")
            if not there:
                raise StoreError(
                    "the server has no pgvector",
                    where=self.where,
                    mend="install the extension 'vector' on it",
                )
            if not run("SELECT 1 FROM pg_extension WHERE extname = 'vector'"):
                run("CREATE EXTENSION vector")
            if not run("SELECT to_regclass('solarmini.settings')")[0][0]:
                for statement in sql.SCHEMA.split(";\n"):
                    if statement.strip():
                        run(statement)
                run(
                    "INSERT INTO solarmini.settings VALUES ('schema', :v), ('generation', '0')",
                    v=sql.SCHEMA_VERSION,
                )
        made = self.settings().get("schema")
        if made is None:
            raise CorruptStoreError("the server's schema 'solarmini' is not ours", where=self.where)
        if made != sql.SCHEMA_VERSION:
            raise StoreError(
                f"the store was written by another version of solar-mini (schema {made})",
                where=self.where,
                mend="upgrade solar-mini",
            )

    @contextmanager
    def _transaction(self, kind: str = "") -> Generator[None]:
        self._connection.run(f"BEGIN {kind}")
        try:
            yield
        except BaseException:
            self._connection.run("ROLLBACK")
            raise
        self._connection.run("COMMIT")

    @guarded
    def settings(self) -> dict[str, str]:
        """Return what the store was made with."""
        return dict(self._connection.run("SELECT key, value FROM solarmini.settings"))

    @guarded
    def bind(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Record settings not recorded yet; return all."""
        with self._transaction():  # others see all of them or none
            for key, value in sorted(settings.items()):
                self._connection.run(
                    "INSERT INTO solarmini.settings VALUES (:k, :v) ON CONFLICT DO NOTHING",
                    k=key, v=value,
                )  # fmt: skip
        return self.settings()

    @guarded
    def count(self) -> int:
        """Return the number of chunks."""
        return self._connection.run("SELECT count(*) FROM solarmini.chunks")[0][0]

    @guarded
    def documents(self) -> list[DocumentRecord]:
        """Return every source, by name."""
        found = self._connection.run(
            f'SELECT {DOCUMENT} FROM solarmini.documents ORDER BY source COLLATE "C"'
        )
        return [document_of(row) for row in found]

    @guarded
    def replace(self, document: DocumentRecord, chunks: Sequence[NewChunk]) -> None:
        """Put a source in the place of its former self, all or nothing."""
        with self._transaction():
            self._remove(document.source)
            number = self._connection.run(sql.INSERT_DOCUMENT, **document_values(document))[0][0]
            for ordinal, new in enumerate(chunks):
                self._insert(number, ordinal, new)
            self._advance()

    @guarded
    def delete(self, source: str) -> bool:
        """Remove a source and all that came of it."""
        with self._transaction():
            removed = self._remove(source)
            if removed:
                self._advance()
        return removed

    def _insert(self, document: int, ordinal: int, new: NewChunk) -> None:
        chunk = new.chunk
        grams = sum(often for term, often in new.terms.items() if is_gram(term))
        words = sum(new.terms.values()) - grams
        first, last = chunk.pages
        row = self._connection.run(
            sql.INSERT_CHUNK,
            document=document,
            ordinal=ordinal,
            section=chunk.section,
            chunk_id=chunk.id,
            words=words,
            grams=grams,
            kind=chunk.kind,
            heading=json.dumps(chunk.heading, ensure_ascii=False),
            first_page=first,
            last_page=last,
            tokens=chunk.tokens,
            places=places_to_json(chunk.places),
            text=chunk.text.replace("\0", ""),
            markup=chunk.markup and chunk.markup.replace("\0", ""),
            vector=None if new.vector is None else _text(new.vector),
        )[0][0]
        terms = list(new.terms)
        self._connection.run(
            sql.INSERT_POSTINGS,
            terms=terms,
            chunks=[row] * len(terms),
            often=[new.terms[term] for term in terms],
            lengths=[grams if is_gram(term) else words for term in terms],
        )
        self._connection.run("DELETE FROM solarmini.kept_vectors WHERE chunk_id = :c", c=chunk.id)

    def _remove(self, source: str) -> bool:
        run = self._connection.run
        # a second writer of the same source waits here
        run("SELECT pg_advisory_xact_lock(:a, hashtext(:s))", a=_LOCK_CLASS, s=source)
        return bool(run("DELETE FROM solarmini.documents WHERE source = :s RETURNING 1", s=source))

    def _advance(self) -> None:
        self._connection.run(
            "UPDATE solarmini.settings SET value = (value::bigint + 1)::text"
            " WHERE key = 'generation'"
        )

    @guarded
    def vectors_of(self, chunk_ids: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the vectors known for chunk ids: of stored chunks, and kept ones."""
        names = list(chunk_ids)
        found = self._connection.run(
            "SELECT chunk_id, vector::text FROM solarmini.kept_vectors"
            " WHERE chunk_id = ANY(CAST(:names AS text[]))"
            " UNION ALL SELECT chunk_id, vector::text FROM solarmini.chunks"
            " WHERE chunk_id = ANY(CAST(:names AS text[])) AND vector IS NOT NULL",
            names=names,
        )
        return {name: np.array(json.loads(said), dtype=np.float32) for name, said in found}

    @guarded
    def keep_vectors(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Keep vectors of chunks not stored yet."""
        with self._transaction():
            for name, vector in vectors.items():
                self._connection.run(
                    "INSERT INTO solarmini.kept_vectors VALUES (:n, CAST(:v AS vector))"
                    " ON CONFLICT (chunk_id) DO UPDATE SET vector = excluded.vector",
                    n=name, v=_text(vector),
                )  # fmt: skip

    @guarded
    def forget_vectors(self) -> None:
        """Drop kept vectors."""
        self._connection.run("DELETE FROM solarmini.kept_vectors")

    @guarded
    def candidates(
        self,
        terms: Mapping[str, float],
        vector: np.ndarray | None,
        limit: int,
        among: np.ndarray | None = None,
    ) -> Candidates:
        """Return the best `limit` chunks by BM25 of `terms` and by cosine with `vector`."""
        open_to = None if among is None else among.tolist()
        with self._transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            weights, missing, most = self._weights(terms)
            lexical = self._lexical(weights, limit, open_to)
            dense = {} if vector is None else self._dense(vector, limit, open_to)
            rows = sorted(lexical.keys() | dense.keys())
            lexical |= self._lexical(weights, len(rows), [r for r in rows if r not in lexical])
            if vector is not None:
                dense |= self._dense(vector, len(rows), [r for r in rows if r not in dense])
        return Candidates(
            rows=np.array(rows, dtype=np.int64),
            lexical=np.array([lexical.get(row, 0.0) for row in rows], dtype=np.float32),
            dense=np.array([dense.get(row, 0.0) for row in rows], dtype=np.float32),
            most=most,
            missing=tuple(sorted(missing)),
        )

    @guarded
    def unknown(self, terms: Iterable[str]) -> list[str]:
        """Return those of `terms` that no chunk holds."""
        asked = list(terms)
        found = self._connection.run(
            "SELECT DISTINCT term FROM solarmini.postings WHERE term = ANY(CAST(:terms AS text[]))",
            terms=asked,
        )
        known = {term for (term,) in found}
        return [term for term in asked if term not in known]

    def _weights(
        self, terms: Mapping[str, float]
    ) -> tuple[dict[str, tuple[float, float]], list[str], float]:
        """Return (factor, mean length) of each known term, the unknown ones, and the most."""
        run = self._connection.run
        total, words, grams = run(
            "SELECT count(*), avg(nullif(words, 0)), avg(nullif(grams, 0)) FROM solarmini.chunks"
        )[0]
        holding = dict(
            run(
                "SELECT term, count(*) FROM solarmini.postings"
                " WHERE term = ANY(CAST(:terms AS text[])) GROUP BY term",
                terms=list(terms),
            )
        )
        weights: dict[str, tuple[float, float]] = {}
        missing, most = [], 0.0
        for term, weight in terms.items():
            part = bm25.GRAMS if is_gram(term) else 1
            factor = weight * bm25.idf(total, holding.get(term, 0)) * (bm25.K1 + 1) * part
            most += factor
            if term in holding:
                weights[term] = (factor, float((grams if is_gram(term) else words) or 1))
            else:
                missing.append(term)
        return weights, missing, most

    def _lexical(
        self, weights: Mapping[str, tuple[float, float]], most: int, among: list[int] | None
    ) -> dict[int, float]:
        if not weights or among == []:
            return {}
        values: dict[str, Any] = {} if among is None else {"among": among}
        found = self._connection.run(
            sql.LEXICAL.format(among=_among("p.chunk", among)),
            terms=list(weights),
            factors=[factor for factor, _ in weights.values()],
            means=[mean for _, mean in weights.values()],
            k1=bm25.K1,
            b=bm25.B,
            most=most,
            **values,
        )
        return {row: float(score) for row, score in found}

    def _dense(self, vector: np.ndarray, most: int, among: list[int] | None) -> dict[int, float]:
        if among == []:
            return {}
        values: dict[str, Any] = {} if among is None else {"among": among}
        query = sql.DENSE.format(dimension=len(vector), among=_among("id", among))
        self._connection.run(f"SET LOCAL hnsw.ef_search = {min(max(2 * most, 40), 1000)}")
        found = self._connection.run(query, vector=_text(vector), most=most, **values)
        return {row: float(score) for row, score in found}

    @guarded
    def select(self, filters: Filters) -> np.ndarray | None:
        """Return the rows that `filters` admit, sorted; None when they admit all."""
        if not (filters.on_documents or filters.on_chunks):
            return None
        parts, values = filters.conditions("lower({})")
        if filters.on_documents:
            found = self._connection.run(f"SELECT id, {DOCUMENT} FROM solarmini.documents")
            values["documents"] = [n for n, *rest in found if filters.admits(document_of(rest))]
            parts.append("document = ANY(CAST(:documents AS bigint[]))")
        query = f"SELECT id FROM solarmini.chunks WHERE {' AND '.join(parts)} ORDER BY id"
        found = self._connection.run(query, **values)
        return np.array(found, dtype=np.int64).reshape(-1)

    @guarded
    def chunks(self, rows: Sequence[int]) -> list[StoredChunk]:
        """Return chunks in the order asked; rows that are gone are left out."""
        wanted = [int(row) for row in rows]
        found = {
            row[0]: StoredChunk(row[0], row[1], document_of(row[10:]), chunk_of(row[2:10]))
            for row in self._connection.run(sql.CHUNKS, rows=wanted)
        }
        return [found[row] for row in wanted if row in found]

    @guarded
    def rows_of(self, chunk_id: str) -> list[int]:
        """Return the rows of a chunk id."""
        query = "SELECT id FROM solarmini.chunks WHERE chunk_id = :c ORDER BY id"
        return [row for (row,) in self._connection.run(query, c=chunk_id)]

    @guarded
    def around(self, row: int, before: int, after: int) -> list[int]:
        """Return the row and its neighbours in the document, in reading order."""
        found = self._connection.run(
            "SELECT n.id FROM solarmini.chunks c JOIN solarmini.chunks n"
            " ON n.document = c.document AND n.ordinal BETWEEN c.ordinal - CAST(:before AS int)"
            " AND c.ordinal + CAST(:after AS int) WHERE c.id = :row ORDER BY n.ordinal",
            row=int(row), before=before, after=after,
        )  # fmt: skip
        return [found_row for (found_row,) in found]

    @guarded
    def section(self, row: int) -> list[int]:
        """Return all rows under the same heading, in reading order."""
        found = self._connection.run(
            "SELECT n.id FROM solarmini.chunks c JOIN solarmini.chunks n"
            " ON n.document = c.document AND n.section = c.section"
            " WHERE c.id = :row ORDER BY n.ordinal",
            row=int(row),
        )
        return [found_row for (found_row,) in found]

    @guarded
    def terms_of(self, rows: Sequence[int]) -> dict[int, frozenset[str]]:
        """Return the distinct terms of chunks."""
        found = self._connection.run(
            "SELECT chunk, array_agg(term) FROM solarmini.postings"
            " WHERE chunk = ANY(CAST(:rows AS bigint[])) GROUP BY chunk",
            rows=[int(row) for row in rows],
        )
        return {row: frozenset(terms) for row, terms in found}

    @guarded
    def vocabulary(self) -> Vocabulary:
        """Return all terms but pairs, for the correction of typos; kept until the store changes."""
        generation = self.settings()["generation"]
        if self._vocabulary is None or self._vocabulary[0] != generation:
            found = self._connection.run(
                "SELECT term, count(*) FROM solarmini.postings"
                " WHERE left(term, 2) <> '__' GROUP BY term"
            )
            made = Vocabulary([term for term, _ in found], [count for _, count in found])
            self._vocabulary = (generation, made)
        return self._vocabulary[1]

    @guarded
    def tidy(self) -> None:
        """Tell the planner what is there; index the vectors of a large store."""
        dimension = int(self.settings().get("dimension", "0"))
        if dimension and self.count() > _APPROXIMATE_ABOVE:
            self._connection.run(sql.INDEX_VECTORS.format(dimension=dimension))
        self._connection.run("VACUUM ANALYZE solarmini.chunks")
        self._connection.run("VACUUM ANALYZE solarmini.postings")

    @guarded
    def problems(self) -> list[str]:
        """Check that nothing is there by half."""
        dimension = int(self.settings().get("dimension", "0"))
        found = []
        for name, query in sql.PROBLEMS.items():
            if "{dimension}" in query and not dimension:
                continue
            count = self._connection.run(query.format(dimension=dimension))[0][0]
            if count:
                found.append(f"{count} {name}")
        return found

    def close(self) -> None:
        """Let go of the connection; a second time does nothing."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._connection.close()


def _among(column: str, rows: list[int] | None) -> str:
    return "true" if rows is None else f"{column} = ANY(CAST(:among AS bigint[]))"


def _text(vector: np.ndarray) -> str:
    """Write a vector as pgvector reads it, without loss."""
    return "[" + ",".join(repr(float(value)) for value in vector.astype(np.float32)) + "]"
