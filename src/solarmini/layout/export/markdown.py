"""A document as CommonMark.

What a model reads best is what the page says, so the default is plain: headings, lists and
tables are marked, bold and italic are not (`rich=True` marks them, and links). Tables are HTML
inside the Markdown, which CommonMark allows: spans, several lines in a cell and a bar in a cell
have no other way to be written; `tables="pipe"` writes those that can be as GitHub's pipe tables.
"""

import re
from collections.abc import Callable
from html import escape
from typing import Literal

from solarmini.layout.document import Document, Element, ListItem, Span, Table
from solarmini.layout.export.clean import clean, safe_link, styled_runs
from solarmini.layout.export.commonmark import ORDERED, escape_inline, escape_lines, flanking
from solarmini.layout.export.flow import flowing
from solarmini.layout.export.plain import plain

Tables = Literal["html", "pipe"]
ImageLink = Callable[[Element], str | None]
_NUMBER = re.compile(r"(\d{1,9})([.)])$")
_BREAK = "  \n"


def to_markdown(
    document: Document,
    *,
    rich: bool = False,
    tables: Tables = "html",
    images: ImageLink | None = None,
) -> str:
    """Return the document as Markdown, all elements in reading order.

    `rich` also marks bold, italic, code, raised and lowered text, and links (http, https and
    mailto only). `images` gives, for a figure, chart or table, the address of its picture or None.
    """
    writer = MarkdownWriter(rich=rich, tables=tables, images=images)
    captions = {e.id: element_caption(e) for e in document.elements if e.category == "caption"}
    parts = []
    for element in flowing(document.elements):
        alt = captions.get(element.caption, "") if element.caption is not None else ""
        part = writer.element(element, alt)
        if part:
            parts.append(part)
    return "\n\n".join(parts) + "\n" if parts else ""


def element_markdown(element: Element, *, rich: bool = False, tables: Tables = "html") -> str:
    """Return one element as Markdown, without a line break at its end."""
    return MarkdownWriter(rich=rich, tables=tables, images=None).element(element)


def element_caption(element: Element) -> str:
    """Return an element's text on one line."""
    return " ".join(clean(element.text).split())


class MarkdownWriter:
    """Writes elements one after the other; knows the number that a numbered list would go on with.

    CommonMark numbers the items after the first by itself: "1." then "5." shows as 1. and 2. A
    number that does not follow on is therefore escaped, so that what is shown is what was printed.
    """

    def __init__(self, *, rich: bool, tables: Tables, images: ImageLink | None) -> None:
        self.rich = rich
        self.tables = tables
        self.images = images
        self._last: tuple[int, str] | None = None  # number and sign of the item before

    def element(self, element: Element, alt: str = "") -> str:
        """Return an element as Markdown; empty when it holds nothing."""
        if element.items:
            return self._list(element.items)
        if element.table is not None:
            self._last = None
            return self._table(element.table)
        if element.category == "code":
            self._last = None
            return _fenced(clean(element.text))
        if element.level:
            self._last = None
            return self._heading(element)
        text = self._block(element.spans)
        link = self.images(element) if self.images and element.image else None
        if link:
            label = escape_inline(alt or element.category).replace("]", r"\]")
            text = f"![{label}]({link})" + (f"\n\n{text}" if text else "")
        return text

    def _heading(self, element: Element) -> str:
        text = " ".join(self._inline(element.spans).split())
        if not text:
            return ""
        if text.endswith("#"):  # would be read as the heading's closing marks
            text = text[:-1] + r"\#"
        return f"{'#' * element.level} {text}"

    def _block(self, spans: tuple[Span, ...]) -> str:
        text = self._inline(spans).strip()
        if not text:
            return ""
        ordered = ORDERED.match(text)
        if not ordered:
            self._last = None
            return escape_lines(text).replace("\n", _BREAK)
        follows = self._follows(int(ordered[1]), ordered[2])
        text = escape_lines(text, number=not follows)
        self._last = (int(ordered[1]), ordered[2]) if follows else None
        return text.replace("\n", _BREAK)

    def _follows(self, number: int, sign: str) -> bool:
        """Whether an item of this number shows its own number here."""
        return self._last is None or self._last[1] != sign or number == self._last[0] + 1

    def _list(self, items: tuple[ListItem, ...]) -> str:
        lines: list[str] = []
        indents = [0]  # column at which the text of each open level's items starts
        numbers: list[tuple[int, str] | None] = [self._last]
        for item in items:
            level = min(item.level, len(indents) - 1)
            del indents[level + 1 :], numbers[level + 1 :]
            self._last = numbers[level]
            marker, text = self._item(item)
            numbers[level] = self._last
            indent = " " * indents[level]
            below = indent + " " * (len(marker) + 1)
            lines.append(f"{indent}{marker} " + text.replace("\n", _BREAK + below))
            indents.append(len(below))
            numbers.append(None)
        self._last = numbers[0]
        return "\n".join(line.rstrip() for line in lines)

    def _item(self, item: ListItem) -> tuple[str, str]:
        """Return CommonMark's marker and the text of an item; what cannot be a marker is text."""
        printed = " ".join(clean(item.marker).split())
        text = self._inline(item.spans).strip()
        number = _NUMBER.match(printed)
        if item.ordered and number and self._follows(int(number[1]), number[2]):
            self._last = (int(number[1]), number[2])
            return printed, escape_lines(text, number=True)
        self._last = None
        bullet = len(printed) <= 1 and not printed.isalnum() and not item.ordered
        if printed and not bullet:
            text = f"{escape_inline(printed)} {text}"
        return "-", escape_lines(text, number=True)

    def _table(self, table: Table) -> str:
        if self.tables == "pipe" and _is_simple(table):
            return self._pipe_table(table)
        lines = ["<table>"]
        row = -1
        for cell in table.cells:
            while row < cell.row:
                row += 1
                lines.append("</tr>\n<tr>" if row else "<tr>")
            spans = "".join(
                f' {name}="{count}"'
                for name, count in (("colspan", cell.column_span), ("rowspan", cell.row_span))
                if count > 1
            )
            tag = "th" if cell.header or cell.row < table.header_rows else "td"
            text = self._cell(cell.spans)
            lines.append(f"<{tag}{spans}> {text} </{tag}>" if text else f"<{tag}{spans}> </{tag}>")
        lines += ["</tr>\n<tr>"] * (table.rows - 1 - row) + ["</tr>", "</table>"]
        return "\n".join(lines)

    def _cell(self, spans: tuple[Span, ...]) -> str:
        if not self.rich:
            text = "".join(plain(span) for span in styled_runs(spans))
            return escape("\n".join(line for line in text.split("\n") if line.strip()), quote=False)
        from solarmini.layout.export.html import inline_html

        return inline_html(spans).replace("\n", "")

    def _pipe_table(self, table: Table) -> str:
        rows = [["" for _ in range(table.columns)] for _ in range(table.rows)]
        for cell in table.cells:
            text = self._inline(cell.spans).strip().replace("|", r"\|")
            rows[cell.row][cell.column] = text.replace("\n", "<br>")
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        lines.insert(1, "|" + " --- |" * table.columns)
        return "\n".join(lines)

    def _inline(self, spans: tuple[Span, ...]) -> str:
        """Return spans with inline markup escaped; line breaks stay "\\n"."""
        if not self.rich:
            text = "".join(plain(span) for span in styled_runs(spans))
            return escape_inline(text)
        runs = list(styled_runs(spans))
        parts = []
        for index, span in enumerate(runs):
            before = _edge(runs[index - 1], -1) if index else " "
            after = _edge(runs[index + 1], 0) if index + 1 < len(runs) else " "
            parts.append(_marked(span, before, after))
        return "".join(parts)


def _edge(span: Span, at: int) -> str:
    """Return the character that stands beside a neighbour: "*" where marks of ours do."""
    marked = (span.bold or span.italic or span.code) and not span.text[at].isspace()
    return "*" if marked else span.text[at]


def _marked(span: Span, before: str, after: str) -> str:
    core = span.text.strip()
    if not core:
        return span.text
    left = span.text[: len(span.text) - len(span.text.lstrip())]
    right = span.text[len(span.text.rstrip()) :]
    before, after = left[-1:] or before, right[:1] or after
    text = escape_inline(core, marked=True)
    if span.code:
        text = _code(core)
    for on, mark, tag in ((span.italic, "*", "em"), (span.bold, "**", "strong")):
        if on and not span.code:
            ringed = before + mark + core + mark + after
            opens, _ = flanking(ringed, 1, 1 + len(mark), "*")
            _, closes = flanking(ringed, len(ringed) - 1 - len(mark), len(ringed) - 1, "*")
            fits = opens and closes and "*" not in before + after and "\n" not in core
            text = f"{mark}{text}{mark}" if fits else f"<{tag}>{text}</{tag}>"
    if span.superscript or span.subscript:
        tag = "sup" if span.superscript else "sub"
        text = f"<{tag}>{text}</{tag}>"
    link = safe_link(span.link)
    if link and "\n" not in core:
        address = link.replace("(", "%28").replace(")", "%29")
        label = re.sub(r"(?<!\\)([\[\]])", r"\\\1", text)
        text = f"[{label}]({address})"
    return left + text + right


def _code(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _fenced(text: str) -> str:
    text = text.strip("\n")
    if not text.strip():
        return ""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _is_simple(table: Table) -> bool:
    """Whether a pipe table can say it all: no spans, one header row."""
    return table.header_rows == 1 and all(
        cell.row_span == cell.column_span == 1 for cell in table.cells
    )
