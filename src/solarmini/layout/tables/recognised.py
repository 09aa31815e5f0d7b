"""The structure a table model saw, filled with the words of the page."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from solarmini.layout.models.base import TableGuess
from solarmini.layout.primitives import Box, Line, union
from solarmini.layout.tables.grid import Grid, Piece
from solarmini.layout.tables.lattice import locate
from solarmini.layout.tables.text import Chunk, chunks_of

_MOST = 4000  # places


def read_guess(guess: TableGuess, box: Box, lines: Sequence[Line]) -> Grid | None:
    """Put the words of `lines` into the cells of `guess`; None where they make no grid.

    Every word lands in one cell: texts that run over an edge are parted at the nearest space.
    """
    rows, columns = guess.rows, guess.columns
    if rows < 2 or columns < 2 or rows * columns > _MOST:
        return None
    sides = _edges(
        [(c.column, c.column_span, c.box.left, c.box.right) for c in guess.cells], columns
    )
    levels = _edges([(c.row, c.row_span, c.box.top, c.box.bottom) for c in guess.cells], rows)
    if sides is None or levels is None:
        return None
    xs = [min(box.left, sides[0] - 1), *sides, max(box.right, sides[-1] + 1)]
    ys = [min(box.top, levels[0] - 1), *levels, max(box.bottom, levels[-1] + 1)]
    pieces = [Piece(c.row, c.column, c.row_span, c.column_span) for c in guess.cells]
    grid = Grid(xs, ys, [p for p in pieces if _inside(p, rows, columns)])
    grid.header_rows = min(guess.header_rows, rows - 1)
    grid.complete()
    owner = {
        (r, c): piece
        for piece in grid.pieces
        for r in range(piece.row, piece.row + piece.row_span)
        for c in range(piece.column, piece.column + piece.column_span)
    }
    for chunk in chunks_of([line for line in lines if not line.angle]):
        row, _ = locate(xs, ys, chunk)
        cuts = [x for c, x in enumerate(xs[1:-1]) if owner[row, c] is not owner[row, c + 1]]
        for part in _part(chunk, cuts):
            owner[locate(xs, ys, part)].chunks.append(part)
    return grid


def _inside(piece: Piece, rows: int, columns: int) -> bool:
    return piece.row + piece.row_span <= rows and piece.column + piece.column_span <= columns


def _edges(spans: Sequence[tuple[int, int, float, float]], count: int) -> list[float] | None:
    """Edges between `count` rows or columns from (place, span, low, high) of cells, rising."""
    edges: list[float] = []
    for at in range(1, count):
        before = [high for start, wide, _, high in spans if start + wide == at]
        after = [low for start, _, low, _ in spans if start == at]
        if not before or not after:
            return None
        edge = (median(before) + median(after)) / 2
        if max(before) < min(after):
            edge = (max(before) + min(after)) / 2
        edges.append(edge)
    return edges if all(a < b for a, b in pairwise(edges)) else None


def _part(chunk: Chunk, cuts: Sequence[float]) -> list[Chunk]:
    """Part a chunk at the spaces nearest to the edges that run through it."""
    parts: list[Chunk] = []
    words = list(chunk.words)
    for x in cuts:
        if len(words) < 2 or not words[0].box.left + 2 < x < words[-1].box.right - 2:
            continue
        left = [w for w in words if (w.box.left + w.box.right) / 2 < x]
        if left and len(left) < len(words):
            parts.append(Chunk(tuple(left), union(w.box for w in left), chunk.line))
            words = words[len(left) :]
    parts.append(Chunk(tuple(words), union(w.box for w in words), chunk.line))
    return parts
