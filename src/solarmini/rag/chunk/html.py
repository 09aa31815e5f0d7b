"""HTML to blocks with the standard library's parser: what a reader sees, without scripts."""

import re
from html.parser import HTMLParser

from solarmini.layout.document import Cell, Span, Table
from solarmini.layout.stated import stated_number
from solarmini.rag.chunk.model import Block, Kind, Parsed, Place

_HIDDEN = {"script", "style", "template", "noscript", "svg", "iframe", "object"}
_BLOCK = {
    "p", "div", "section", "article", "main", "ul", "ol", "dl", "blockquote", "figure",
    "figcaption", "header", "footer", "aside", "nav", "address", "hr", "form", "body", "html",
    "details", "summary",
}  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_MOST_SPAN = 1000  # a page may claim any number


def parse_html(text: str) -> Parsed:
    """Return an HTML page as blocks; the title is that of `<title>` or the first `<h1>`."""
    reader = _Reader()
    reader.feed(text.replace("\0", ""))
    reader.close()
    reader.flush()
    first = next((b.text for b in reader.blocks if b.level == 1), None)
    title = " ".join("".join(reader.title).split()) or first
    return Parsed("html", tuple(reader.blocks), pages=1, title=title)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self.title: list[str] = []
        self._said: list[str] = []
        self._hidden: list[str] = []
        self._level = 0
        self._code = 0
        self._in_title = False
        self._tables: list[_TableDraft] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._in_title = True
        elif tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag == "table":
            self.flush()
            self._tables.append(_TableDraft())
        elif self._tables:
            self._tables[-1].start(tag, dict(attrs))
        elif tag in _HEADINGS or tag in _BLOCK or tag == "pre":
            self.flush()
            self._level = _HEADINGS.get(tag, 0)
            self._code += tag == "pre"
        elif tag in ("li", "dt", "dd", "br", "tr"):
            self._said.append("\n• " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif self._hidden and tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        elif tag == "table" and self._tables:
            self._close_table()
        elif not self._tables and (tag in _HEADINGS or tag in _BLOCK or tag == "pre"):
            self.flush()

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif self._hidden:
            return
        elif self._tables:
            self._tables[-1].text(data)
        else:
            self._said.append(data if self._code else re.sub(r"\s+", " ", data))

    def flush(self) -> None:
        """Close the block that is open, if it says anything."""
        text = "".join(self._said)
        if not self._code:
            text = "\n".join(line.strip() for line in text.split("\n") if line.strip(" •"))
        if text.strip():
            kind: Kind = "code" if self._code else "text"
            place = (Place(1, None, len(self.blocks)),)
            self.blocks.append(Block(kind, text.strip("\n"), place, level=self._level))
        self._said, self._level, self._code = [], 0, 0

    def _close_table(self) -> None:
        draft = self._tables.pop()
        if self._tables:  # a table for layout inside another: its words belong to that cell
            self._tables[-1].text(" " + draft.words() + " ")
            return
        table = draft.table()
        if table is not None:
            place = (Place(1, None, len(self.blocks)),)
            caption = " ".join("".join(draft.caption).split())
            text = draft.words()
            self.blocks.append(Block("table", text, place, table=table, caption=caption))


class _TableDraft:
    def __init__(self) -> None:
        self.caption: list[str] = []
        self._rows: list[list[tuple[bool, int, int, list[str]]]] = []
        self._open: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag == "tr":
            self._rows.append([])
            self._open = None
        elif tag in ("td", "th"):
            if not self._rows:
                self._rows.append([])
            self._open = []
            across = _span(attributes.get("colspan"))
            down = _span(attributes.get("rowspan"))
            self._rows[-1].append((tag == "th", down, across, self._open))
        elif tag == "caption":
            self._open = self.caption
        elif tag in ("br", "p", "div", "li") and self._open is not None:
            self._open.append(" ")

    def text(self, data: str) -> None:
        if self._open is not None:
            self._open.append(data)

    def words(self) -> str:
        """All words of the cells, a row a line."""
        return "\n".join(
            " ".join(" ".join("".join(said).split()) for *_, said in row) for row in self._rows
        )

    def table(self) -> Table | None:
        """Return the grid, spans cut at other cells and at the end; None when it says nothing."""
        if not self.words().strip():
            return None
        taken: dict[tuple[int, int], int] = {}
        cells: list[Cell] = []
        for row, found in enumerate(self._rows):
            column = 0
            for header, down, across, said in found:
                while (row, column) in taken:
                    column += 1
                down, width = min(down, len(self._rows) - row), 1
                while width < across and (row, column + width) not in taken:
                    width += 1
                for r in range(row, row + down):
                    for c in range(column, column + width):
                        taken[r, c] = len(cells)
                text = " ".join("".join(said).split())
                cells.append(
                    Cell(row=row, column=column, row_span=down, column_span=width,
                         header=header, spans=(Span(text=text),))
                )  # fmt: skip
                column += width
        return _filled(cells, taken, len(self._rows))


def _filled(cells: list[Cell], taken: dict[tuple[int, int], int], rows: int) -> Table:
    """Give every place of the grid a cell, and count the rows of the head."""
    columns = max(column for _, column in taken) + 1
    empty = [
        Cell(row=row, column=column)
        for row in range(rows)
        for column in range(columns)
        if (row, column) not in taken
    ]
    head = 0
    while head < rows - 1 and all(c.header for c in cells if c.row == head):
        head += 1
    ordered = sorted([*cells, *empty], key=lambda cell: (cell.row, cell.column))
    return Table(rows=rows, columns=columns, cells=tuple(ordered), header_rows=head)


def _span(value: str | None) -> int:
    return stated_number(value, 1, least=1, most=_MOST_SPAN)
