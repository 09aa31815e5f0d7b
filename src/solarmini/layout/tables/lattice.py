"""Tables drawn with rules both ways: rules part the cells, spans are where one is missing."""

import itertools
from collections.abc import Sequence

import numpy as np

from solarmini.layout.primitives import Box, Line
from solarmini.layout.tables.edges import NEAR, Edge, Edges, cluster
from solarmini.layout.tables.grid import Grid, Piece
from solarmini.layout.tables.text import Chunk, chunks_of

_TOUCH = 3.0  # points by which edges that meet may miss each other
_WALL = 0.6  # share of a side that has to be drawn to part two cells
_PLACES = 20_000  # grids finer than this are hatching
_NARROW = 3.0  # columns and rows thinner than this are double rules


def components(edges: Edges) -> list[Edges]:
    """Groups of edges that cross or touch, each with both directions."""
    flat, tall = edges.horizontal, edges.vertical
    if not flat or not tall:
        return []
    parent = list(range(len(flat) + len(tall)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    h = np.array([(e.at, e.start - _TOUCH, e.end + _TOUCH) for e in flat])[:, None, :]
    v = np.array([(e.at, e.start - _TOUCH, e.end + _TOUCH) for e in tall])[None, :, :]
    meet = (v[..., 1] <= h[..., 0]) & (h[..., 0] <= v[..., 2])
    meet &= (h[..., 1] <= v[..., 0]) & (v[..., 0] <= h[..., 2])
    for i, j in zip(*np.nonzero(meet), strict=True):
        parent[root(int(i))] = root(len(flat) + int(j))
    groups: dict[int, Edges] = {}
    for i, edge in enumerate(flat):
        groups.setdefault(root(i), Edges([], [])).horizontal.append(edge)
    for j, edge in enumerate(tall):
        groups.setdefault(root(len(flat) + j), Edges([], [])).vertical.append(edge)
    return [g for g in groups.values() if len(g.horizontal) > 1 and g.vertical]


def frame(group: Edges) -> tuple[list[float], list[float]]:
    """Places of the column edges and row edges of a component.

    Tables open at the sides are closed where their rules end.
    """
    xs = cluster((e.at for e in group.vertical), NEAR + 1)
    ys = cluster((e.at for e in group.horizontal), NEAR + 1)
    xs = _close(xs, [(e.start, e.end) for e in group.horizontal])
    ys = _close(ys, [(e.start, e.end) for e in group.vertical])
    return _thin(xs), _thin(ys)


def _close(places: list[float], ends: Sequence[tuple[float, float]]) -> list[float]:
    low, high = min(s for s, _ in ends), max(e for _, e in ends)
    if not places:
        return [low, high]
    if low < places[0] - 2 * _TOUCH:
        places = [low, *places]
    if high > places[-1] + 2 * _TOUCH:
        places = [*places, high]
    return places


def _thin(places: list[float]) -> list[float]:
    kept = places[:1]
    for place in places[1:]:
        if place - kept[-1] > _NARROW:
            kept.append(place)
    return kept


def _walls(edges: Sequence[Edge], at: float, spots: Sequence[float]) -> list[bool]:
    """For each stretch between neighbouring `spots`, whether a wall is drawn along `at`."""
    near = [e for e in edges if abs(e.at - at) <= NEAR + 1]
    return [
        sum(e.covers(low, high) for e in near) >= _WALL for low, high in itertools.pairwise(spots)
    ]


def units(
    group: Edges, xs: Sequence[float], ys: Sequence[float]
) -> list[tuple[int, int, int, int]]:
    """Cells as (row, column, row span, column span), from the walls between unit places."""
    rows, columns = len(ys) - 1, len(xs) - 1
    beside = [_walls(group.vertical, x, ys) for x in xs[1:-1]]
    right = [[beside[c][r] for c in range(columns - 1)] for r in range(rows)]
    below = [_walls(group.horizontal, y, xs) for y in ys[1:-1]]
    taken = [[False] * columns for _ in range(rows)]
    cells = []
    for r in range(rows):
        for c in range(columns):
            if taken[r][c]:
                continue
            wide = 1
            while c + wide < columns and not right[r][c + wide - 1] and not taken[r][c + wide]:
                wide += 1
            high = 1
            while r + high < rows and _joined(below, right, taken, r + high, c, wide):
                high += 1
            for i in range(r, r + high):
                taken[i][c : c + wide] = [True] * wide
            cells.append((r, c, high, wide))
    return cells


def _joined(
    below: Sequence[Sequence[bool]],
    right: Sequence[Sequence[bool]],
    taken: Sequence[Sequence[bool]],
    row: int,
    column: int,
    wide: int,
) -> bool:
    """Whether the places under a cell, `wide` of them, belong to it."""
    inside = range(column, column + wide)
    if any(below[row - 1][c] or taken[row][c] for c in inside):
        return False
    if any(right[row][c] for c in range(column, column + wide - 1)):
        return False
    last = column + wide - 1
    return last >= len(right[row]) or right[row][last]


def read_lattice(group: Edges, lines: Sequence[Line]) -> Grid | None:
    """Read the table that a component of edges draws; None when it draws none."""
    xs, ys = frame(group)
    if len(xs) < 2 or len(ys) < 2 or (len(xs) - 1) * (len(ys) - 1) < 2:
        return None
    if len(xs) * len(ys) > _PLACES:
        return None
    cells = units(group, xs, ys)
    pieces = [Piece(r, c, high, wide) for r, c, high, wide in cells]
    grid = Grid(xs, ys, pieces)
    owner: dict[tuple[int, int], Piece] = {}
    for piece in pieces:
        for r in range(piece.row, piece.row + piece.row_span):
            for c in range(piece.column, piece.column + piece.column_span):
                owner[r, c] = piece
    for chunk in (*chunks_of(lines, group.vertical), *rotated_chunks(lines)):
        owner[locate(xs, ys, chunk)].chunks.append(chunk)
    grid.pieces = [part for piece in pieces for part in _part(piece, xs)]
    return grid


def _part(piece: Piece, xs: Sequence[float]) -> list[Piece]:
    """Part a wide cell at a column edge where texts stand side by side and none crosses it."""
    for at in range(piece.column + 1, piece.column + piece.column_span):
        left = [c for c in piece.chunks if c.box.right < xs[at] + 1]
        right = [c for c in piece.chunks if c.box.left > xs[at] - 1]
        if len(left) + len(right) < len(piece.chunks) or not _beside(left, right):
            continue
        wide = at - piece.column
        first = Piece(piece.row, piece.column, piece.row_span, wide, left)
        rest = Piece(piece.row, at, piece.row_span, piece.column_span - wide, right)
        return [first, *_part(rest, xs)]
    return [piece]


def _beside(left: Sequence[Chunk], right: Sequence[Chunk]) -> bool:
    return any(
        min(a.box.bottom, b.box.bottom) - max(a.box.top, b.box.top) > 0.5 * a.box.height
        for a in left
        for b in right
    )


def locate(xs: Sequence[float], ys: Sequence[float], chunk: Chunk) -> tuple[int, int]:
    """Place (row, column) where most of a chunk lies, the nearest when it lies outside."""
    box = chunk.box
    return _most(ys, box.top, box.bottom), _most(xs, box.left, box.right)


def _most(places: Sequence[float], low: float, high: float) -> int:
    shares = [min(high, b) - max(low, a) for a, b in itertools.pairwise(places)]
    return max(range(len(shares)), key=lambda i: shares[i])


def lattice_box(group: Edges) -> Box:
    """Box around a component."""
    xs, ys = frame(group)
    return Box(xs[0], ys[0], xs[-1], ys[-1])


def rotated_chunks(lines: Sequence[Line]) -> list[Chunk]:
    """Chunks of lines that are read upwards or downwards, a line each."""
    return [Chunk(line.words, line.box, i) for i, line in enumerate(lines) if line.angle]
