"""A part of a large store laid out for fast search: vectors and postings as mapped arrays.

Files of a segment (numpy .npy, n chunks, d dimensions, t terms, p postings): rows int64 [n]
ascending, prints int64 [n] (of the chunks' ids), words and grams int32 [n] (lengths), vectors
float32 [n, d], hashes uint64 [t] ascending, starts int64 [t + 1], docs uint32 [p], counts
uint16 [p]; and terms.utf8, the terms in the order of their hashes. Never changed once written.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Line(NamedTuple):
    """One chunk as a segment takes it in; `terms` are parted by spaces."""

    row: int
    print: int
    words: int
    grams: int
    terms: str
    vector: bytes | None


@dataclass(frozen=True)
class Segment:
    """Arrays as described above; `vectors` has d = 0 in a store without an embedder."""

    rows: np.ndarray
    prints: np.ndarray
    words: np.ndarray
    grams: np.ndarray
    vectors: np.ndarray
    hashes: np.ndarray
    starts: np.ndarray
    docs: np.ndarray
    counts: np.ndarray
    terms: tuple[str, ...] | Path  # a path is read when first needed

    def postings(self, key: np.uint64) -> tuple[np.ndarray, np.ndarray]:
        """Return the chunks that hold a term (places in this segment) and how often.

        `key` is its `term_hash`.
        """
        at = int(self.hashes.searchsorted(key))
        if at == len(self.hashes) or self.hashes[at] != key:
            return self.docs[:0], self.counts[:0]
        start, end = int(self.starts[at]), int(self.starts[at + 1])
        return self.docs[start:end], self.counts[start:end]

    def vocabulary(self) -> tuple[str, ...]:
        """Return the terms in the order of `hashes`."""
        if isinstance(self.terms, Path):
            return tuple(self.terms.read_text(encoding="utf-8").split("\n"))
        return self.terms

    def without(self, dead: np.ndarray) -> "Segment":
        """Return the segment without the chunks where `dead` (bool [n]) is true."""
        keep = ~dead
        place = np.cumsum(keep) - 1
        kept = keep[self.docs]
        held = np.add.reduceat(np.append(kept, False), self.starts[:-1]) if len(kept) else []
        sizes = np.where(np.diff(self.starts) > 0, held, 0) if len(kept) else np.zeros(0, int)
        alive = sizes > 0
        names = self.vocabulary()
        return Segment(
            rows=self.rows[keep],
            prints=self.prints[keep],
            words=self.words[keep],
            grams=self.grams[keep],
            vectors=self.vectors[keep],
            hashes=self.hashes[alive],
            starts=np.concatenate([[0], np.cumsum(sizes[alive])]).astype(np.int64),
            docs=place[self.docs[kept]].astype(np.uint32),
            counts=self.counts[kept],
            terms=tuple(name for name, some in zip(names, alive, strict=True) if some),
        )

    def save(self, folder: Path) -> None:
        """Write the arrays into an existing folder."""
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / _TERMS).write_text("\n".join(self.vocabulary()), encoding="utf-8")


_ARRAYS = tuple(field.name for field in fields(Segment) if field.name != "terms")
_TERMS = "terms.utf8"  # no ending that is read as a source, should the store lie among them


def load(folder: Path) -> Segment:
    """Map a segment that `Segment.save` wrote; OSError or ValueError when it is not whole."""
    # as plain arrays over the same mapped bytes: numpy's own class makes every slice slow
    arrays = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray) for name in _ARRAYS
    }
    if not (folder / _TERMS).is_file():
        raise OSError(f"{folder / _TERMS} is missing")
    return Segment(**arrays, terms=folder / _TERMS)


def build(lines: Iterable[Line], dimension: int) -> Segment:
    """Return a segment of chunks given in ascending order of rows."""
    numbers: dict[str, int] = {}
    heads, vectors, ids, counts, sizes = [], [], [], [], []
    for line in lines:
        found = Counter(line.terms.split())
        ids.append(np.fromiter((numbers.setdefault(t, len(numbers)) for t in found), np.int64))
        counts.append(np.fromiter(found.values(), np.int64))
        sizes.append(len(found))
        heads.append((line.row, line.print, line.words, line.grams))
        vectors.append(np.frombuffer(line.vector or b"", dtype="<f4"))
    head = np.array(heads, dtype=np.int64).reshape(-1, 4)
    hashes = np.fromiter((term_hash(term) for term in numbers), np.uint64, len(numbers))
    order = np.argsort(hashes)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    ranked = rank[np.concatenate(ids)] if ids else np.zeros(0, np.int64)
    by_term = np.argsort(ranked, kind="stable")
    docs = np.repeat(np.arange(len(heads), dtype=np.uint32), sizes)[by_term]
    flat = np.concatenate(counts) if counts else np.zeros(0, np.int64)
    names = list(numbers)
    matrix = np.zeros((len(heads), dimension), dtype=np.float32)
    for at, vector in enumerate(vectors):
        if len(vector) == dimension:
            matrix[at] = vector
    return Segment(
        rows=head[:, 0],
        prints=head[:, 1],
        words=head[:, 2].astype(np.int32),
        grams=head[:, 3].astype(np.int32),
        vectors=matrix,
        hashes=hashes[order],
        starts=np.searchsorted(ranked[by_term], np.arange(len(order) + 1)).astype(np.int64),
        docs=docs,
        counts=np.minimum(flat[by_term], 65535).astype(np.uint16),
        terms=tuple(names[at] for at in order),
    )


def term_hash(term: str) -> np.uint64:
    """Return 64 bits that stand for a term; two terms share them with a chance of 2^-64."""
    return np.uint64(int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "little"))
