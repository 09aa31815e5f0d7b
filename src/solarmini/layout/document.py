"""The one typed document: pages hold elements in reading order; every exporter reads only this.

Coordinates are fractions of the page as it is seen (rotation applied): x from 0 (left) to 1
(right), y from 0 (top) to 1 (bottom). Text is Unicode NFC, in logical order.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field

Category = Literal[
    "paragraph",
    "heading1",
    "heading2",
    "heading3",
    "heading4",
    "heading5",
    "heading6",
    "list",
    "table",
    "figure",
    "chart",
    "caption",
    "equation",
    "header",
    "footer",
    "footnote",
    "index",
    "code",
]
CATEGORIES: tuple[Category, ...] = get_args(Category)

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Point(NamedTuple):
    """A place on a page, in fractions of its width and height."""

    x: Fraction
    y: Fraction


# Clockwise from the top left as the text is read; on a straight page a rectangle.
Polygon = tuple[Point, Point, Point, Point]


def rectangle(left: float, top: float, right: float, bottom: float) -> Polygon:
    """Return the polygon of a box, cut to the page."""
    left, top, right, bottom = (min(max(v, 0.0), 1.0) for v in (left, top, right, bottom))
    return (Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom))


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


class Span(_Part):
    """A run of text in one style; `link` is where it points, as written in the file."""

    text: str
    bold: bool = False
    italic: bool = False
    superscript: bool = False
    subscript: bool = False
    code: bool = False
    link: str | None = None


class ListItem(_Part):
    """One item of a list: its marker as printed ("•", "1.", "가."), depth from 0, and text."""

    marker: str
    spans: tuple[Span, ...]
    level: Annotated[int, Field(ge=0, le=15)] = 0
    ordered: bool = False

    @property
    def text(self) -> str:
        """The item without its marker."""
        return "".join(span.text for span in self.spans)


class Cell(_Part):
    """A table cell at (row, column), spanning `row_span` x `column_span` grid places."""

    row: Annotated[int, Field(ge=0)]
    column: Annotated[int, Field(ge=0)]
    row_span: Annotated[int, Field(ge=1)] = 1
    column_span: Annotated[int, Field(ge=1)] = 1
    header: bool = False
    spans: tuple[Span, ...] = ()
    polygon: Polygon | None = None
    page: int | None = None  # where it is another page than the table's own (joined tables)

    @property
    def text(self) -> str:
        """Plain text of the cell; "\\n" between its lines only where they are separate."""
        return "".join(span.text for span in self.spans)


class Table(_Part):
    """A grid of rows x columns; every place is covered by exactly one cell.

    The first `header_rows` rows are the head. Cells are sorted by (row, column).
    """

    rows: Annotated[int, Field(ge=1)]
    columns: Annotated[int, Field(ge=1)]
    cells: tuple[Cell, ...]
    header_rows: Annotated[int, Field(ge=0)] = 0

    def grid(self) -> list[list[Cell | None]]:
        """Return the cell that covers each place, rows x columns."""
        places: list[list[Cell | None]] = [[None] * self.columns for _ in range(self.rows)]
        for cell in self.cells:
            for row in range(cell.row, min(cell.row + cell.row_span, self.rows)):
                for column in range(cell.column, min(cell.column + cell.column_span, self.columns)):
                    places[row][column] = cell
        return places


class Element(_Part):
    """One piece of a page.

    `id` counts from 0 through the document in reading order. `spans` is the text in its styles
    ("\\n" only where a line break means something: addresses, verse, code); lists carry `items`,
    tables `table`, figures and charts `image` (PNG, when asked for) and the text printed inside
    them in `spans`. `caption` is the id of the caption element that belongs to a table or figure.
    `continues` is the id of the paragraph that this one goes on with after a column or page break.
    `confidence` is 0..1: how sure the reader is of category and text.
    """

    id: Annotated[int, Field(ge=0)]
    category: Category
    page: Annotated[int, Field(ge=1)]
    polygon: Polygon
    spans: tuple[Span, ...] = ()
    items: tuple[ListItem, ...] = ()
    table: Table | None = None
    image: bytes | None = None
    caption: int | None = None
    continues: int | None = None
    confidence: Fraction = 1.0
    ocr: bool = False

    @property
    def level(self) -> int:
        """Level 1..6 of a heading, 0 of anything else."""
        return int(self.category[-1]) if self.category.startswith("heading") else 0

    @property
    def text(self) -> str:
        """Plain text: items one a line, table cells by row with tabs between."""
        if self.items:
            return "\n".join(f"{i.marker} {i.text}".strip() for i in self.items)
        if self.table is not None:
            rows: list[list[str]] = [[] for _ in range(self.table.rows)]
            for cell in self.table.cells:
                rows[cell.row].append(cell.text.replace("\n", " "))
            return "\n".join("\t".join(row) for row in rows)
        return "".join(span.text for span in self.spans)


class Problem(_Part):
    """Something that went wrong while the rest went on: which page, what, and how to mend it."""

    what: str
    page: int | None = None
    mend: str | None = None
    fatal: bool = False  # the page (or, without a page, the document) has no content


class Page(_Part):
    """A page as it is seen: size in PDF points (1/72 inch), or pixels of a picture at 72 dpi."""

    number: Annotated[int, Field(ge=1)]
    width: Annotated[float, Field(gt=0)]
    height: Annotated[float, Field(gt=0)]
    elements: tuple[Element, ...] = ()
    angle: float = 0.0  # degrees clockwise by which a scan was turned to be read
    ocr: bool = False  # some of the text was recognised from pixels

    @property
    def text(self) -> str:
        """Plain text of the page in reading order."""
        return "\n".join(element.text for element in self.elements)


class Document(_Part):
    """What was read of one file: its pages in order, and what could not be read."""

    source: str
    format: Literal["pdf", "image", "docx", "pptx", "xlsx", "hwpx"]
    total_pages: Annotated[int, Field(ge=0)]
    pages: tuple[Page, ...] = ()
    title: str | None = None
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0

    @property
    def elements(self) -> Iterator[Element]:
        """All elements in reading order."""
        for page in self.pages:
            yield from page.elements

    @property
    def complete(self) -> bool:
        """Whether every page asked for was read."""
        return not any(problem.fatal for problem in self.problems)
