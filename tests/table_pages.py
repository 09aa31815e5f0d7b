"""Pages made by tests for tables and figures: words, rules and drawings set by hand."""

from collections.abc import Iterable, Sequence

from solarmini.layout.document import Table
from solarmini.layout.primitives import (
    Box,
    Drawing,
    Font,
    FoundTable,
    Line,
    PageContent,
    Rule,
    Word,
    union,
)

Cells = dict[tuple[int, int, int, int], str]  # (row, column, row span, column span) -> text


def line(text: str, x: float, y: float, size: float = 10.0, *, bold: bool = False) -> Line:
    """A line whose baseline's start is at (x, y); letters are half as wide as high."""
    font = Font("Test", size, 700 if bold else 400)
    words, at = [], x
    for part in text.split():
        wide = sum(size * (0.95 if c > "\u1100" else 0.5) for c in part)
        words.append(Word(part, Box(at, y - 0.75 * size, at + wide, y + 0.2 * size), font, y))
        at += wide + 0.28 * size
    return Line(tuple(words), union(w.box for w in words))


def across(y: float, left: float, right: float) -> Rule:
    """A horizontal rule."""
    return Rule(Box(left, y - 0.25, right, y + 0.25), True, 0.5)


def down(x: float, top: float, bottom: float) -> Rule:
    """A vertical rule."""
    return Rule(Box(x - 0.25, top, x + 0.25, bottom), False, 0.5)


def fill(left: float, top: float, right: float, bottom: float, color: int = 0xDDEEFF) -> Drawing:
    """A filled box."""
    return Drawing(Box(left, top, right, bottom), True, True, False, color)


def page(
    lines: Iterable[Line], rules: Iterable[Rule] = (), drawings: Iterable[Drawing] = ()
) -> PageContent:
    """An A4 page."""
    return PageContent(1, 595.0, 842.0, list(lines), list(rules), list(drawings))


def ruled(xs: Sequence[float], ys: Sequence[float], cells: Cells) -> PageContent:
    """A page with a table drawn with rules around every cell, texts at the top left of each."""
    lines, rules = [], []
    for (row, column, high, wide), text in cells.items():
        left, right = xs[column], xs[column + wide]
        top, bottom = ys[row], ys[row + high]
        rules += [across(top, left, right), across(bottom, left, right)]
        rules += [down(left, top, bottom), down(right, top, bottom)]
        for number, part in enumerate(text.split("\n") if text else ()):
            lines.append(line(part, left + 4, top + 12 + 12 * number))
    return page(lines, rules)


def set_in_columns(
    rows: Sequence[Sequence[str]], xs: Sequence[float], top: float = 100.0, pitch: float = 14.0
) -> list[Line]:
    """Rows of texts, each column set flush left at its x; empty texts are left out."""
    return [
        line(text, xs[column], top + pitch * number)
        for number, row in enumerate(rows)
        for column, text in enumerate(row)
        if text
    ]


def texts(table: Table) -> list[list[str]]:
    """Texts by row; a cell that spans stands once, in its first place, the others are ''."""
    rows = [["" for _ in range(table.columns)] for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row][cell.column] = cell.text
    return rows


def spans(table: Table) -> Cells:
    """The cells by place."""
    return {(c.row, c.column, c.row_span, c.column_span): c.text for c in table.cells}


def check(content: PageContent, found: Sequence[FoundTable]) -> None:
    """What holds of any tables found: places covered once, words kept once, nothing shared."""
    used: list[int] = []
    for table in found:
        grid = table.table
        places = [
            (r, c)
            for cell in grid.cells
            for r in range(cell.row, cell.row + cell.row_span)
            for c in range(cell.column, cell.column + cell.column_span)
        ]
        assert sorted(places) == [(r, c) for r in range(grid.rows) for c in range(grid.columns)]
        have = sorted("".join(w.text for ln in table.lines for w in ln.words))
        assert have == sorted("".join("".join(c.text.split()) for c in grid.cells))
        used += map(id, table.lines)
    assert len(used) == len(set(used))
    assert set(used) <= set(map(id, content.lines))
