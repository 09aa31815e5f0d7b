"""Small pages typed by hand: lines of words with boxes, as a reader would give them."""

import textwrap
from collections.abc import Callable

import pytest

from solarmini.layout.document import Cell, Span, Table
from solarmini.layout.primitives import (
    Box,
    Drawing,
    Font,
    FoundFigure,
    FoundTable,
    Line,
    PageContent,
    Picture,
    Rule,
    Word,
    union,
)

WIDE = 0.5  # of the size: width of a letter


class Typist:
    """Types on a page of 600 x 800 points."""

    def __init__(self, number: int = 1) -> None:
        self.content = PageContent(number, 600.0, 800.0)

    def line(
        self,
        text: str,
        x: float,
        y: float,
        size: float = 10.0,
        *,
        bold: bool = False,
        italic: bool = False,
        font: str = "Serif",
        mono: bool = False,
        width: float | None = None,
        raised: tuple[int, ...] = (),
    ) -> Line:
        """Set a line with its top at y; `width` stretches the spaces; `raised` words are small."""
        type_ = Font(font, size, 700 if bold else 400, italic, mono)
        parts = text.split(" ")
        bare = sum(len(part) for part in parts) * WIDE * size
        gap = WIDE * size if width is None else (width - bare) / max(len(parts) - 1, 1)
        words = []
        for i, part in enumerate(parts):
            right = x + len(part) * WIDE * size
            box = Box(x, y, right, y + size)
            style = Font(font, size * 0.6) if i in raised else type_
            up = "superscript" if i in raised else ""
            words.append(Word(part, box, style, y + 0.8 * size, bool(i) and not up, raised=up))
            x = right + (0 if i + 1 in raised else gap)
        line = Line(tuple(words), union(w.box for w in words), order=len(self.content.lines))
        self.content.lines.append(line)
        return line

    def text(
        self,
        text: str,
        x: float,
        y: float,
        columns: int = 40,
        size: float = 10.0,
        *,
        indent: float = 0.0,
        **style: object,
    ) -> float:
        """Set a paragraph, wrapped and flush on both sides; returns the y below it."""
        rows = textwrap.wrap(text, columns)
        full = columns * WIDE * size
        for i, row in enumerate(rows):
            shift = indent if i == 0 else 0.0
            width = full - shift if i + 1 < len(rows) else None
            self.line(row, x + shift, y, size, width=width, **style)  # type: ignore[arg-type]
            y += 1.2 * size
        return y

    def figure(self, box: tuple[float, float, float, float], *inside: str) -> FoundFigure:
        """Put a picture there, with lines of text in it."""
        place = Box(*box)
        self.content.pictures.append(Picture(place, (100, 100)))
        lines = [
            self.line(text, place.left + 5, place.top + 5 + 12 * i, 8)
            for i, text in enumerate(inside)
        ]
        return FoundFigure(place, False, lines, 0.9)

    def table(self, box: tuple[float, float, float, float], *cells: str) -> FoundTable:
        """Put a table of one column there."""
        place = Box(*box)
        lines = [
            self.line(text, place.left + 2, place.top + 2 + 12 * i) for i, text in enumerate(cells)
        ]
        made = tuple(
            Cell(row=i, column=0, spans=(Span(text=text),)) for i, text in enumerate(cells)
        )
        return FoundTable(place, Table(rows=len(cells), columns=1, cells=made), lines, 0.9)

    def rule(self, left: float, top: float, right: float) -> None:
        """Draw a horizontal rule."""
        self.content.rules.append(Rule(Box(left, top, right, top + 0.5), True, 0.5))

    def frame(self, box: tuple[float, float, float, float]) -> None:
        """Draw a filled box behind text."""
        self.content.drawings.append(Drawing(Box(*box), True, True, False, 0xEEEEEE))


@pytest.fixture
def typist() -> Callable[..., Typist]:
    return Typist
