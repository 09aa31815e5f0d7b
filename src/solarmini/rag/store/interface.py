"""What every store can do; search and indexing know nothing else of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from solarmini.rag.lexical.typos import Vocabulary
from solarmini.rag.store.filters import Filters
from solarmini.rag.store.records import Candidates, DocumentRecord, NewChunk, StoredChunk


class Store(Protocol):
    """Documents, their chunks, terms and vectors; every write is one transaction.

    Safe to use from several threads, and by several processes at once: a second writer waits.
    Methods raise CorruptStoreError when what is stored is damaged, StoreError otherwise.
    """

    @property
    def where(self) -> str:
        """Path or URL, without a password."""
        ...

    def settings(self) -> dict[str, str]:
        """Return what the store was made with (embedder, dimension, analysis)."""
        ...

    def bind(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Record settings not recorded yet; return all. What is recorded never changes."""
        ...

    def count(self) -> int:
        """Return the number of chunks."""
        ...

    def documents(self) -> list[DocumentRecord]:
        """Return every source, by name."""
        ...

    def replace(self, document: DocumentRecord, chunks: Sequence[NewChunk]) -> None:
        """Put a source in the place of its former self, all or nothing."""
        ...

    def delete(self, source: str) -> bool:
        """Remove a source and all that came of it; False when there is none of that name."""
        ...

    def vectors_of(self, chunk_ids: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the vectors known for chunk ids: of stored chunks, and kept ones."""
        ...

    def keep_vectors(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Keep vectors of chunks not stored yet, so that a killed run need not make them again."""
        ...

    def forget_vectors(self) -> None:
        """Drop kept vectors; those of stored chunks stay."""
        ...

    def candidates(
        self,
        terms: Mapping[str, float],
        vector: np.ndarray | None,
        limit: int,
        among: np.ndarray | None = None,
    ) -> Candidates:
        """Return the best `limit` chunks by BM25 of `terms` and by cosine with `vector`.

        Terms have weights; `among` (int64 rows, sorted) restricts the search.
        """
        ...

    def unknown(self, terms: Iterable[str]) -> list[str]:
        """Return those of `terms` that no chunk holds."""
        ...

    def select(self, filters: Filters) -> np.ndarray | None:
        """Return the rows that `filters` admit, sorted; None when they admit all."""
        ...

    def chunks(self, rows: Sequence[int]) -> list[StoredChunk]:
        """Return chunks in the order asked; rows that are gone are left out."""
        ...

    def rows_of(self, chunk_id: str) -> list[int]:
        """Return the rows of a chunk id, one for each document that has it."""
        ...

    def around(self, row: int, before: int, after: int) -> list[int]:
        """Return the row and its neighbours in the document, in reading order."""
        ...

    def section(self, row: int) -> list[int]:
        """Return all rows under the same heading, in reading order."""
        ...

    def terms_of(self, rows: Sequence[int]) -> dict[int, frozenset[str]]:
        """Return the distinct terms of chunks."""
        ...

    def vocabulary(self) -> Vocabulary:
        """Return all terms, for the correction of typos."""
        ...

    def tidy(self) -> None:
        """Give back the space of what was deleted and bring derived files up to date."""
        ...

    def problems(self) -> list[str]:
        """Check everything; return what is wrong, in words (nothing: the store is sound)."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
