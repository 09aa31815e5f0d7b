"""The nearest vectors of a very large segment without looking at all of them.

A graph index (HNSW, Malkov & Yashunin 2016, by usearch) in half precision beside the exact
vectors: it only proposes; what it proposes is scored with the exact ones.
"""

from pathlib import Path
from typing import Any

import numpy as np

from solarmini.errors import require

_FILE = "nearest.usearch"
_CONNECTIVITY = 32
_EXPANSION_ADD = 128
_EXPANSION_SEARCH = 256


class Nearest:
    """A graph over the vectors of one segment, mapped from its file."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph

    @classmethod
    def load(cls, folder: Path, dimension: int) -> "Nearest | None":
        """Map the graph of a segment's folder; None when it has none."""
        path = folder / _FILE
        if not path.is_file():
            return None
        graph = _empty(dimension)
        graph.view(str(path))
        return cls(graph)

    def propose(self, vector: np.ndarray, count: int) -> np.ndarray:
        """Return places of about the `count` nearest vectors, int64, in no order."""
        found = self._graph.search(vector, min(count, len(self._graph)))
        return np.asarray(found.keys, dtype=np.int64)


def write(folder: Path, vectors: np.ndarray) -> None:
    """Build the graph of `vectors` [n, d] and write it into a segment's folder."""
    graph = _empty(vectors.shape[1])
    graph.add(np.arange(len(vectors), dtype=np.uint64), np.ascontiguousarray(vectors))
    beside = folder / (_FILE + ".partial")
    graph.save(str(beside))
    beside.rename(folder / _FILE)


def _empty(dimension: int) -> Any:
    index = require("usearch.index", "rag").Index
    return index(
        ndim=dimension,
        metric="ip",
        dtype="f16",
        connectivity=_CONNECTIVITY,
        expansion_add=_EXPANSION_ADD,
        expansion_search=_EXPANSION_SEARCH,
    )
