"""Columns of a table from where its text stands.

Chunks that stand over one another belong to one column. Narrow chunks are looked at first: what
is wide may span. Two neighbours stay apart when there are rows that have text in both; they are
one column when more text runs through both than there are such rows.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from solarmini.layout.tables.text import Chunk, TextRow


@dataclass(slots=True)
class Column:
    """Text from `left` to `right`, in the rows `rows` (indexes)."""

    left: float
    right: float
    rows: set[int] = field(default_factory=set)
    count: int = 0

    def overlap(self, chunk: Chunk) -> float:
        """Points that a chunk shares with it."""
        return min(self.right, chunk.box.right) - max(self.left, chunk.box.left)

    def holds(self, chunk: Chunk) -> bool:
        """Whether a chunk stands (partly) in it."""
        narrow = min(self.right - self.left, chunk.box.width)
        return self.overlap(chunk) > max(min(1.5, 0.5 * narrow), 0.12 * narrow)


def find_columns(
    rows: Sequence[TextRow], size: float, barriers: Sequence[float] = ()
) -> list[Column]:
    """Columns of the rows, left to right; `barriers` are rules no column crosses."""
    columns: list[Column] = []
    wide: list[Chunk] = []
    placed = sorted(
        ((chunk, at) for at, row in enumerate(rows) for chunk in row.chunks),
        key=lambda pair: pair[0].box.width,
    )
    for chunk, at in placed:
        under = [c for c in columns if c.holds(chunk)]
        if len(under) > 1:
            wide.append(chunk)
        elif under:
            _extend(under[0], chunk, at)
        elif _room(columns, chunk):
            new = Column(chunk.box.left, chunk.box.right)
            _extend(new, chunk, at)
            columns.append(new)
    columns.sort(key=lambda c: c.left)
    columns = _merge_crossed(columns, wide, barriers)
    return _merge_disjoint(columns, size, len(rows), barriers)


def _extend(column: Column, chunk: Chunk, at: int) -> None:
    column.left = min(column.left, chunk.box.left)
    column.right = max(column.right, chunk.box.right)
    column.rows.add(at)
    column.count += 1


def _room(columns: Sequence[Column], chunk: Chunk) -> bool:
    return all(c.overlap(chunk) < 0.5 * chunk.box.width for c in columns)


def _fuse(left: Column, right: Column) -> Column:
    return Column(
        min(left.left, right.left),
        max(left.right, right.right),
        left.rows | right.rows,
        left.count + right.count,
    )


def _barred(left: Column, right: Column, barriers: Sequence[float]) -> bool:
    low, high = left.right - 2, right.left + 2
    return any(low <= x <= high for x in barriers)


def _merge_crossed(
    columns: list[Column], wide: Sequence[Chunk], barriers: Sequence[float]
) -> list[Column]:
    at = 0
    while at + 1 < len(columns):
        left, right = columns[at], columns[at + 1]
        both = len(left.rows & right.rows)
        across = sum(left.holds(c) and right.holds(c) for c in wide)
        if across > both and not _barred(left, right, barriers):
            columns[at : at + 2] = [_fuse(left, right)]
            at = max(at - 1, 0)
        else:
            at += 1
    return columns


def _merge_disjoint(
    columns: list[Column], size: float, rows: int, barriers: Sequence[float]
) -> list[Column]:
    """Fuse neighbours that never stand in one row: a heading set off from its values."""
    while True:
        best: tuple[float, int] | None = None
        for at in range(len(columns) - 1):
            left, right = columns[at], columns[at + 1]
            if left.rows & right.rows or _barred(left, right, barriers):
                continue
            gap = right.left - left.right
            few = min(len(left.rows), len(right.rows))
            if gap < 4 * size and few <= max(2, rows // 4) and (best is None or gap < best[0]):
                best = (gap, at)
        if best is None:
            return columns
        at = best[1]
        columns[at : at + 2] = [_fuse(columns[at], columns[at + 1])]


def separators(
    columns: Sequence[Column], left: float, right: float, barriers: Sequence[float] = ()
) -> list[float]:
    """Edges of the columns (columns + 1): rules where there are, else the middle of the white."""
    xs = [min(left, columns[0].left)]
    for before, after in itertools.pairwise(columns):
        low, high = before.right, after.left
        between = [x for x in barriers if low - 2 <= x <= high + 2]
        xs.append(between[0] if between else (low + high) / 2)
    xs.append(max(right, columns[-1].right))
    return xs


def place(columns: Sequence[Column], chunk: Chunk) -> tuple[int, int]:
    """First and last column a chunk stands in."""
    under = [i for i, c in enumerate(columns) if c.holds(chunk)]
    if under:
        return under[0], under[-1]
    middle = (chunk.box.left + chunk.box.right) / 2
    near = min(
        range(len(columns)),
        key=lambda i: max(columns[i].left - middle, middle - columns[i].right, 0.0),
    )
    return near, near
