"""A table on its way: edges of rows and columns, and what stands in each place."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from solarmini.layout.document import Cell, Span, Table, rectangle
from solarmini.layout.primitives import Box, union
from solarmini.layout.tables.text import Chunk, rows_of

_BULLETS = "•▪■◦‣●○∙"
_SOFT_HYPHEN = "\u00ad"


@dataclass(slots=True)
class Piece:
    """A cell: its place, its spans and the chunks in it."""

    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    chunks: list[Chunk] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Plain text of the cell."""
        return "".join(span.text for span in cell_spans(self.chunks))


@dataclass(slots=True)
class Grid:
    """Row edges `ys` (rows + 1), column edges `xs` (columns + 1), and pieces that cover it once."""

    xs: list[float]
    ys: list[float]
    pieces: list[Piece]
    header_rows: int = 0
    # edges between rows with rules under some columns only: row above -> columns left open
    open: dict[int, frozenset[int]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.ys) - 1

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.xs) - 1

    @property
    def box(self) -> Box:
        """The box around it."""
        return Box(self.xs[0], self.ys[0], self.xs[-1], self.ys[-1])

    def piece_box(self, piece: Piece) -> Box:
        """Box of a piece."""
        return Box(
            self.xs[piece.column],
            self.ys[piece.row],
            self.xs[piece.column + piece.column_span],
            self.ys[piece.row + piece.row_span],
        )

    def by_row(self) -> list[list[Piece]]:
        """Pieces by the row they begin in, from left to right."""
        rows: list[list[Piece]] = [[] for _ in range(self.rows)]
        for piece in self.pieces:
            rows[piece.row].append(piece)
        for row in rows:
            row.sort(key=lambda p: p.column)
        return rows

    def complete(self) -> "Grid":
        """Add an empty piece wherever none covers a place; a piece over a taken place shrinks."""
        taken: set[tuple[int, int]] = set()
        kept: dict[tuple[int, int], Piece] = {}
        for piece in sorted(self.pieces, key=lambda p: (p.row, p.column)):
            places = set(_places(piece))
            if places & taken:
                owner = kept.get((piece.row, piece.column)) or _owner(kept, piece)
                if owner is not None:
                    owner.chunks += piece.chunks
                    continue
                piece.row_span = piece.column_span = 1
                places = set(_places(piece))
            taken |= places
            kept[piece.row, piece.column] = piece
        for row in range(self.rows):
            for column in range(self.columns):
                if (row, column) not in taken:
                    kept[row, column] = Piece(row, column)
        self.pieces = [kept[place] for place in sorted(kept)]
        return self

    def without_slivers(self, narrow: float = 8.0) -> "Grid":
        """Drop empty rows and columns too thin for text: the white between double rules."""
        full_rows = {p.row for p in self.pieces if p.chunks}
        full_columns = {p.column for p in self.pieces if p.chunks}
        rows = [
            r for r in range(self.rows) if r in full_rows or self.ys[r + 1] - self.ys[r] >= narrow
        ]
        columns = [
            c
            for c in range(self.columns)
            if c in full_columns or self.xs[c + 1] - self.xs[c] >= narrow
        ]
        if not rows or not columns or (len(rows), len(columns)) == (self.rows, self.columns):
            return self
        pieces = []
        for p in self.pieces:
            down = [i for i, r in enumerate(rows) if p.row <= r < p.row + p.row_span]
            along = [i for i, c in enumerate(columns) if p.column <= c < p.column + p.column_span]
            if down and along:
                pieces.append(Piece(down[0], along[0], len(down), len(along), p.chunks))
        heads = sum(r < self.header_rows for r in rows)
        ys = [self.ys[r] for r in rows] + [self.ys[rows[-1] + 1]]
        xs = [self.xs[c] for c in columns] + [self.xs[columns[-1] + 1]]
        return Grid(xs, ys, pieces, heads)

    def to_table(self, width: float, height: float) -> Table:
        """Freeze it into the document's table; `width` and `height` are those of the page."""
        cells = []
        for piece in sorted(self.pieces, key=lambda p: (p.row, p.column)):
            box = self.piece_box(piece)
            cells.append(
                Cell(
                    row=piece.row,
                    column=piece.column,
                    row_span=piece.row_span,
                    column_span=piece.column_span,
                    header=piece.row < self.header_rows,
                    spans=cell_spans(piece.chunks),
                    polygon=rectangle(
                        box.left / width, box.top / height, box.right / width, box.bottom / height
                    ),
                )
            )
        return Table(
            rows=self.rows, columns=self.columns, cells=tuple(cells), header_rows=self.header_rows
        )


def _places(piece: Piece) -> Iterator[tuple[int, int]]:
    for row in range(piece.row, piece.row + piece.row_span):
        for column in range(piece.column, piece.column + piece.column_span):
            yield row, column


def _owner(kept: dict[tuple[int, int], Piece], piece: Piece) -> Piece | None:
    for other in kept.values():
        if (piece.row, piece.column) in _places(other):
            return other
    return None


def cell_spans(chunks: Iterable[Chunk]) -> tuple[Span, ...]:
    """Text of a cell in its styles, lines from top to bottom joined as they are read."""
    runs: list[tuple[tuple[bool, bool, str, bool, str | None], str]] = []
    last = ""
    for number, row in enumerate(rows_of(chunks)):
        words = [word for chunk in row.chunks for word in chunk.words]
        starts = {chunk.words[0] for chunk in row.chunks}
        for at, word in enumerate(words):
            text = word.text.replace(_SOFT_HYPHEN, "")
            if at:
                glue = " " if word.space or word in starts else ""
            else:
                glue = _glue(last, text) if number else ""
                if last.endswith(_SOFT_HYPHEN):
                    glue = ""
            style = (word.font.bold, word.font.italic, word.raised, word.font.mono, word.link)
            if runs and runs[-1][0] == style:
                runs[-1] = (style, runs[-1][1] + glue + text)
            else:
                if glue and runs:
                    runs[-1] = (runs[-1][0], runs[-1][1] + glue)
                runs.append((style, text))
            last = word.text
    return tuple(
        Span(
            text=text,
            bold=bold,
            italic=italic,
            superscript=raised == "superscript",
            subscript=raised == "subscript",
            code=mono,
            link=link,
        )
        for (bold, italic, raised, mono, link), text in runs
        if text
    )


def _glue(before: str, after: str) -> str:
    """Return what stands between the last word of a line and the first of the next."""
    if after[:1] in _BULLETS and after:
        return "\n"
    if before.endswith(("-", "‐")) and len(before) > 1 and before[-2].isalpha():
        return "" if after[:1].islower() else " "
    if before and after and _tight(before[-1]) and _tight(after[0]):
        return ""
    return " "


def _tight(char: str) -> bool:
    """Whether the script writes no spaces between words (Han, Kana)."""
    return "\u3040" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff"


def bounds(pieces: Iterable[Chunk]) -> Box:
    """Box around chunks."""
    return union(c.box for c in pieces)
