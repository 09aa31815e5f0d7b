"""Rows that rules leave together: a ruled band that holds several rows of values."""

import itertools

from solarmini.layout.tables.columns import Column
from solarmini.layout.tables.grid import Grid, Piece
from solarmini.layout.tables.rows import group_rows
from solarmini.layout.tables.text import TextRow, font_size, rows_of


def split_rows(grid: Grid) -> Grid:
    """Split the bands of a ruled grid in which text stands in rows without rules between."""
    columns = [Column(grid.xs[i], grid.xs[i + 1], set(), 1) for i in range(grid.columns)]
    pieces: list[Piece] = []
    ys = [grid.ys[0]]
    shift = 0
    starts: list[int] = []  # new index of each old row
    heights: list[int] = []
    parts: list[list[list[TextRow]] | None] = []
    for row in range(grid.rows):
        split = _split(grid, row, columns)
        parts.append(split)
        count = len(split) if split else 1
        starts.append(row + shift)
        heights.append(count)
        shift += count - 1
        low, high = grid.ys[row], grid.ys[row + 1]
        if split:
            for before, after in itertools.pairwise(split):
                edge = (before[-1].box.bottom + after[0].box.top) / 2
                ys.append(min(max(edge, ys[-1] + 0.1), high - 0.1))
        ys.append(high)
        assert low < high
    if not shift:
        return grid
    for piece in grid.pieces:
        pieces += _place(piece, starts, heights, parts)
    return Grid(grid.xs, ys, pieces, 0)


def _split(grid: Grid, row: int, columns: list[Column]) -> list[list[TextRow]] | None:
    """Printed lines of a band by row, when they are several rows; else None."""
    cells = [p for p in grid.pieces if p.row == row and p.row_span == 1 and p.column_span == 1]
    full = [p for p in cells if p.chunks]
    if len(full) < 2:
        return None
    counts = sorted((len(rows_of(p.chunks)) for p in full), reverse=True)
    if counts[1] < 2:
        return None
    chunks = [c for p in full for c in p.chunks]
    printed = rows_of(chunks)
    size = sum(w.font.size for c in chunks for w in c.words) / sum(len(c.words) for c in chunks)
    bands = group_rows(printed, columns, [], size)
    if len(bands) < 2:
        return None
    many = values = 0
    for piece in full:
        own = set(map(id, piece.chunks))
        held = [[c for line in band.lines for c in line.chunks if id(c) in own] for band in bands]
        present = [h for h in held if h]
        if len(present) >= 0.7 * len(bands):
            many += 1
            values += sum(all(c.numeric for c in h) for h in present) >= 0.6 * len(present)
    if many < 2 or not (values or (len(bands) >= 3 and grid.rows <= 3)):
        return None
    return [band.lines for band in bands]


def _place(
    piece: Piece,
    starts: list[int],
    heights: list[int],
    parts: list[list[list[TextRow]] | None],
) -> list[Piece]:
    row = starts[piece.row]
    split = parts[piece.row]
    last = piece.row + piece.row_span - 1
    if split is None or piece.row_span > 1:
        high = starts[last] + heights[last] - row
        return [Piece(row, piece.column, high, piece.column_span, piece.chunks)]
    if piece.column_span > 1:
        return [Piece(row, piece.column, len(split), piece.column_span, piece.chunks)]
    found = []
    for at, lines in enumerate(split):
        own = {id(c) for line in lines for c in line.chunks}
        found.append(Piece(row + at, piece.column, 1, 1, [c for c in piece.chunks if id(c) in own]))
    return found


__all__ = ["font_size", "split_rows"]
