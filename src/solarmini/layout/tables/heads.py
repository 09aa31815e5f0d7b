"""Header rows of a grid, and the spans that headings have without a rule to show them."""

from collections.abc import Sequence

from solarmini.layout.tables.edges import Edge
from solarmini.layout.tables.grid import Grid, Piece
from solarmini.layout.values import is_value

_MOST = 5  # header rows


def count_header_rows(grid: Grid, horizontals: Sequence[Edge]) -> int:
    """Number of rows that head the table, from rules, weight, and where values begin."""
    if grid.rows < 2:
        return 0
    rows = grid.by_row()
    by_rule = _by_rule(grid, horizontals)
    if by_rule:
        return by_rule
    bold = [_bold(row) for row in rows]
    if bold[0] and not all(bold):
        return min(bold.index(False), _MOST)
    values = [0 if _years(row) else sum(is_value(p.text) for p in row) for row in rows]
    if not values[0]:
        first = next((i for i, n in enumerate(values) if n and i), 1)
        spread = 1
        while spread < min(first, _MOST) and _spans(rows[spread - 1]):
            spread += 1
        return spread
    return 0


def _years(row: Sequence[Piece]) -> bool:
    """Whether the values of a row are years, which head columns."""
    texts = [p.text.strip() for p in row if p.chunks and is_value(p.text)]
    return len(texts) > 1 and all(
        len(t[:4]) == 4 and t[:4].isdecimal() and 1800 <= int(t[:4]) <= 2100 for t in texts
    )


def _spans(row: Sequence[Piece]) -> bool:
    return any(p.column_span > 1 for p in row) or not row or not row[0].chunks


def _bold(row: Sequence[Piece]) -> bool:
    words = [w for p in row for chunk in p.chunks for w in chunk.words]
    heavy = sum(len(w.text) for w in words if w.font.bold)
    return bool(words) and heavy > 0.8 * sum(len(w.text) for w in words)


def _by_rule(grid: Grid, horizontals: Sequence[Edge]) -> int:
    """Rows above the first rule across, when only a few rules run across (one under the head)."""
    ruled = []
    for at, y in enumerate(grid.ys):
        level = [e for e in horizontals if abs(e.at - y) < 2.5]
        sides = zip(grid.xs, grid.xs[1:], strict=False)
        if level and all(sum(e.covers(a, b) for e in level) > 0.5 for a, b in sides):
            ruled.append(at)
    inner = [at for at in ruled if 0 < at < grid.rows]
    if not inner or len(inner) > max(1, grid.rows // 3):
        return 0
    return inner[0] if inner[0] <= min(_MOST, grid.rows - 1) else 0


def span_headings(grid: Grid) -> None:
    """Let headings span: those centred over several columns, and those beside two rows of them."""
    _join_open(grid)
    if grid.header_rows < 2:
        return
    for row in range(grid.header_rows - 2, -1, -1):
        rows = grid.by_row()
        below = [(p.column, p.column + p.column_span - 1) for p in rows[row + 1] if p.chunks]
        for piece in [p for p in rows[row] if p.chunks and p.column_span == 1]:
            _center(grid, row, piece, below)
    grid.complete()
    rows = grid.by_row()
    if any(p.column_span > 1 and p.chunks for row in rows[: grid.header_rows] for p in row):
        _deepen(grid)


def _join_open(grid: Grid) -> None:
    """Join cells between which a rule stops, where it runs under others of the row.

    In the head whatever stands in them; below only where one is empty and rules stop again and
    again, for a line under figures is a sum and joins nothing.
    """
    body = [row for row in grid.open if row + 1 >= grid.header_rows]
    for row in sorted(grid.open):
        head = row + 1 < grid.header_rows
        if not head and len(body) < 2:
            continue
        for column in sorted(grid.open[row]):
            pieces = [p for p in grid.pieces if p.column == column and p.column_span == 1]
            above = next((p for p in pieces if p.row + p.row_span == row + 1), None)
            below = next((p for p in pieces if p.row == row + 1), None)
            if above is None or below is None:
                continue
            if head or not above.chunks or not below.chunks:
                above.row_span += below.row_span
                above.chunks += below.chunks
                grid.pieces.remove(below)


def _center(grid: Grid, row: int, piece: Piece, below: Sequence[tuple[int, int]]) -> None:
    """Widen a heading over the headings below in whose middle it stands.

    It covers each of them whole, and none that stands under another heading of its row.
    """
    pieces = [p for p in grid.pieces if p.row == row]
    filled = {
        c
        for p in pieces
        if p.chunks and p is not piece
        for c in range(p.column, p.column + p.column_span)
    }
    own = next((i for i, (a, b) in enumerate(below) if a <= piece.column <= b), None)
    if own is None:
        return
    middle = (min(c.box.left for c in piece.chunks) + max(c.box.right for c in piece.chunks)) / 2
    size = piece.chunks[0].words[0].font.size

    def free(at: int) -> bool:
        return not filled.intersection(range(below[at][0], below[at][1] + 1))

    def off(low: int, high: int) -> float:
        left, right = _extent(grid, row, below[low][0])[0], _extent(grid, row, below[high][1])[1]
        return abs((left + right) / 2 - middle)

    low = high = own
    while low and below[low - 1][1] + 1 == below[low][0] and free(low - 1):
        low -= 1
    while high + 1 < len(below) and below[high][1] + 1 == below[high + 1][0] and free(high + 1):
        high += 1
    if not free(own) or (below[own] == (piece.column, piece.column) and off(own, own) < 1.5 * size):
        return
    runs = [(a, b) for a in range(low, own + 1) for b in range(own, high + 1)]
    best = min(runs, key=lambda run: off(*run))
    if off(*best) < size:
        first, last = below[best[0]][0], below[best[1]][1]
        for other in [p for p in pieces if p is not piece and first <= p.column <= last]:
            grid.pieces.remove(other)
        piece.column, piece.column_span = first, last - first + 1


def _extent(grid: Grid, row: int, column: int) -> tuple[float, float]:
    """Left and right of the text below `row` in a column."""
    boxes = [
        c.box
        for p in grid.pieces
        if p.row > row and p.column == column and p.column_span == 1
        for c in p.chunks
    ]
    if not boxes:
        return grid.xs[column], grid.xs[column + 1]
    return min(b.left for b in boxes), max(b.right for b in boxes)


def _deepen(grid: Grid) -> None:
    """A single heading in its column covers all header rows."""
    heads = grid.header_rows
    for column in range(grid.columns):
        stack = [
            p
            for p in grid.pieces
            if p.row < heads and p.column <= column < p.column + p.column_span
        ]
        full = [p for p in stack if p.chunks]
        if len(full) != 1 or any(p.column_span > 1 for p in stack):
            continue
        keep = full[0]
        grid.pieces = [p for p in grid.pieces if p not in stack or p is keep]
        keep.row, keep.row_span = 0, heads
