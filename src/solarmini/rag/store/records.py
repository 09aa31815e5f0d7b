"""What goes into a store and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from solarmini.rag.chunk.model import Chunk


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A source in a store: what file it was, and how it was read.

    `sha256` is that of the file's bytes; `recipe` names everything else its chunks depend on
    (sizes, reader versions): a source is up to date when both are the same.
    """

    source: str
    sha256: str
    size: int
    recipe: str
    format: str
    pages: int
    title: str | None = None
    problems: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk to be stored: its terms ("_" begins bigrams and pairs), its vector float32 [d]."""

    chunk: Chunk
    terms: Mapping[str, int]
    vector: np.ndarray | None


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk of a store. `row` is its number there, never used twice by one store."""

    row: int
    ordinal: int
    document: DocumentRecord
    chunk: Chunk


class Candidates(NamedTuple):
    """Chunks that one of the two searches found, with the scores of both, in no order.

    `rows` int64 [n], `lexical` float32 [n] (BM25; 0 where no term is shared) and `dense` float32
    [n] (cosine; 0 where there are no vectors). `most` is the BM25 score that no chunk can exceed,
    `missing` the terms that no chunk holds.
    """

    rows: np.ndarray
    lexical: np.ndarray
    dense: np.ndarray
    most: float
    missing: tuple[str, ...]
