"""Tables without (all) rules: columns and rows from where the text stands, rules as they help."""

import itertools
from collections.abc import Sequence
from itertools import pairwise

from solarmini.layout.primitives import Box, Line, union
from solarmini.layout.tables.columns import Column, find_columns, place, separators
from solarmini.layout.tables.edges import Edge, Edges, levels
from solarmini.layout.tables.grid import Grid, Piece
from solarmini.layout.tables.rows import Band, group_rows
from solarmini.layout.tables.text import Chunk, TextRow, chunks_of, font_size, rows_of

_PLACES = 20_000


def read_stream(
    box: Box, lines: Sequence[Line], edges: Edges, columns: Sequence[Column] | None = None
) -> Grid | None:
    """Read the table in `box` from its lines; None when its text does not stand in columns.

    `columns` are given where they are known already (a table that goes on).
    """
    text = [line for line in lines if not line.angle and line.words]
    if not text:
        return None
    size = font_size(text)
    printed = rows_of(chunks_of(text, edges.vertical))
    barriers = [e.at for e in edges.vertical if e.covers(box.top, box.bottom) >= 0.5]
    found = list(columns) if columns else find_columns(printed, size, barriers)
    if len(found) < 2:
        return None
    printed = [_part_row(row, found, size) for row in printed]
    bands = group_rows(printed, found, edges.horizontal, size)
    if len(found) * len(bands) > _PLACES:
        return None
    xs = separators(found, box.left, box.right, barriers)
    grid = Grid(xs, _row_edges(box, bands, edges.horizontal), [])
    for row, band in enumerate(bands):
        grid.pieces += _pieces(row, band, found)
    join_by_rules(grid, bands)
    return grid.complete()


def _part_row(row: TextRow, columns: Sequence[Column], size: float) -> TextRow:
    """Part texts that stand too close: words that begin exactly where columns do."""
    chunks: list[Chunk] = []
    for chunk in row.chunks:
        first, last = place(columns, chunk)
        cuts = _cuts(chunk, columns[first + 1 : last + 1], size) if last > first else []
        parts = [0, *cuts, len(chunk.words)]
        for a, b in itertools.pairwise(parts):
            words = chunk.words[a:b]
            chunks.append(Chunk(words, union(w.box for w in words), chunk.line))
    return TextRow(chunks)


def _cuts(chunk: Chunk, columns: Sequence[Column], size: float) -> list[int]:
    """Index of the word that begins each column; none unless every column has one."""
    near = (0.9 if len(columns) > 1 else 0.25) * size
    cuts: list[int] = []
    for column in columns:
        start = cuts[-1] + 1 if cuts else 1
        offs = [
            (abs(chunk.words[i].box.left - column.left), i) for i in range(start, len(chunk.words))
        ]
        if not offs or min(offs)[0] > near:
            return []
        cuts.append(min(offs)[1])
    return cuts


def header_above(
    lines: Sequence[Line], inside: Sequence[Line], grid: Grid, edges: Edges
) -> list[Line]:
    """Lines right above a table whose words begin exactly where its columns do: a tight header."""
    size = font_size(inside)
    kept = set(map(id, inside))
    top = min(line.box.top for line in inside)
    near = [
        line
        for line in lines
        if id(line) not in kept
        and -0.5 * size < top - line.box.bottom < 0.9 * size
        and line.box.left > grid.xs[0] - 2 * size
        and line.box.left < grid.xs[-1]
    ]
    rows = rows_of(chunks_of(near, edges.vertical))
    if not rows:
        return []
    found = [
        Column(min(c.box.left for c in chunks), max(c.box.right for c in chunks), set(), 1)
        for column in range(grid.columns)
        if (chunks := [c for p in grid.pieces if p.column == column for c in p.chunks])
    ]
    row = _part_row(rows[-1], found, size)
    if len(row.chunks) != grid.columns or len(found) != grid.columns:
        return []
    return [near[i] for i in sorted({chunk.line for chunk in row.chunks})]


def _row_edges(box: Box, bands: Sequence[Band], horizontals: Sequence[Edge]) -> list[float]:
    tops = [min(line.box.top for line in band.lines) for band in bands]
    bottoms = [max(line.box.bottom for line in band.lines) for band in bands]
    ys = [min(box.top, tops[0])]
    for at in range(1, len(bands)):
        low, high = bands[at - 1].lines[-1].middle, bands[at].lines[0].middle
        drawn = [e for e in horizontals if low < e.at < high]
        y = max(drawn, key=lambda e: e.length).at if drawn else (bottoms[at - 1] + tops[at]) / 2
        ys.append(max(y, ys[-1] + 0.1))
    ys.append(max(box.bottom, bottoms[-1], ys[-1] + 0.1))
    return ys


def _pieces(row: int, band: Band, columns: Sequence[Column]) -> list[Piece]:
    """Cells of one row: chunks by column; a chunk over several columns spans them."""
    spots = [(place(columns, chunk), chunk) for line in band.lines for chunk in line.chunks]
    pieces: dict[int, Piece] = {}
    for (first, last), chunk in sorted(spots, key=lambda s: (s[0][1] - s[0][0], s[0])):
        alone = len(spots) == 1 or all(s == (first, last) for s, _ in spots)
        owners = [
            p for p in pieces.values() if p.column <= last and first < p.column + p.column_span
        ]
        if owners:
            # an overlong text beside a filled neighbour belongs where it begins
            near = min(owners, key=lambda p: abs(columns[p.column].left - chunk.box.left))
            near.chunks.append(chunk)
        elif last > first and not alone and _overflows(chunk.box, columns, first, last):
            pieces[first] = Piece(row, first, 1, 1, [chunk])
        else:
            pieces[first] = Piece(row, first, 1, last - first + 1, [chunk])
    return list(pieces.values())


def _overflows(box: Box, columns: Sequence[Column], first: int, last: int) -> bool:
    """Whether a text begins where its column does and merely runs over the next one's edge."""
    begins = abs(box.left - columns[first].left) < 3.0
    reach = box.right - columns[last].left
    return begins and reach < 0.5 * (columns[last].right - columns[last].left)


def join_by_rules(grid: Grid, bands: Sequence[Band]) -> None:
    """Spans that narrower rules show: a heading over the columns its rule runs along."""
    by_row = grid.by_row()
    for row in range(len(bands) - 1):
        partly = bands[row + 1].partly
        if partly:
            sides = list(enumerate(pairwise(grid.xs)))
            grid.open[row] = frozenset(
                c for c, (a, b) in sides if sum(e.covers(a, b) for e in partly) < 0.3
            )
        for level in levels(partly, 3.0):
            if not any(_span_rule(grid, by_row[row], e.start, e.end) for e in level):
                _span_rule(grid, by_row[row], level[0].start, max(e.end for e in level))


def _span_rule(grid: Grid, row: Sequence[Piece], start: float, end: float) -> bool:
    """Let the one piece of `row` over a rule span the columns the rule runs along."""
    middles = [(a + b) / 2 for a, b in zip(grid.xs, grid.xs[1:], strict=False)]
    under = [c for c, middle in enumerate(middles) if start - 3 <= middle <= end + 3]
    if len(under) < 2 or len(under) == grid.columns:
        return False
    over = [
        p for p in row if p.chunks and p.column <= under[-1] and under[0] < p.column + p.column_span
    ]
    if len(over) != 1 or over[0].column < under[0]:
        return False
    over[0].column, over[0].column_span = under[0], len(under)
    return True
