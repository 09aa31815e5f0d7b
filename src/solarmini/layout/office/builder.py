"""Collects the elements of an office file, page by page."""

import io
import warnings
from dataclasses import dataclass, field

from solarmini.layout.document import (
    Category,
    Cell,
    Element,
    ListItem,
    Page,
    Polygon,
    Problem,
    Span,
    Table,
    rectangle,
)
from solarmini.layout.reading import Reading

WHOLE = rectangle(0, 0, 1, 1)  # where on its page something is, is known to the layout engine only
LETTER = (612.0, 792.0)
HEADINGS: tuple[Category, ...] = (
    "heading1",
    "heading2",
    "heading3",
    "heading4",
    "heading5",
    "heading6",
)


@dataclass(slots=True)
class _Sheet:
    width: float
    height: float
    elements: list[Element] = field(default_factory=list)


class Builder:
    """Elements get their ids in the order in which they are added."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.problems: list[Problem] = []
        self._sheets: list[_Sheet] = []
        self._count = 0

    @property
    def page(self) -> int:
        """Number of the current page, 0 before the first."""
        return len(self._sheets)

    @property
    def at_page_start(self) -> bool:
        """Whether nothing stands on the current page yet but running headers."""
        return not any(e.category != "header" for e in self._sheets[-1].elements)

    def start_page(self, width: float = LETTER[0], height: float = LETTER[1]) -> None:
        """Begin the next page; its size in points."""
        self._sheets.append(_Sheet(max(width, 1.0), max(height, 1.0)))

    def text(self, category: Category, spans: tuple[Span, ...], polygon: Polygon = WHOLE) -> None:
        """Add a text element; empty ones are left out."""
        if any(span.text.strip() for span in spans):
            self._add(Element(**self._place(category, polygon), spans=trimmed(spans)))

    def items(self, items: list[ListItem], polygon: Polygon = WHOLE) -> None:
        """Add a list; an element of text when none of it has a marker."""
        kept = tuple(item for item in items if item.text.strip() or item.marker)
        if kept:
            self._add(Element(**self._place("list", polygon), items=kept))

    def table(self, table: Table | None, polygon: Polygon = WHOLE) -> None:
        """Add a table."""
        if table is not None and any(cell.text.strip() for cell in table.cells):
            self._add(Element(**self._place("table", polygon), table=table))

    def figure(
        self,
        picture: bytes | None,
        polygon: Polygon = WHOLE,
        spans: tuple[Span, ...] = (),
        category: Category = "figure",
    ) -> None:
        """Add a figure or chart; its picture is kept as PNG where that was asked for."""
        image = None
        if picture is not None and category in self.reading.images:
            image = self._png(picture)
        self._add(Element(**self._place(category, polygon), spans=spans, image=image))

    def problem(self, what: str) -> None:
        """Note what could not be read of the current page."""
        self.problems.append(Problem(what=what, page=self.page or None))

    def pages(self) -> list[Page]:
        """Return the finished pages; captions point to the table or figure beside them."""
        return [
            Page(
                number=number,
                width=sheet.width,
                height=sheet.height,
                elements=tuple(_with_captions(sheet.elements)),
            )
            for number, sheet in enumerate(self._sheets, 1)
        ]

    def _place(self, category: Category, polygon: Polygon) -> dict:
        if not self._sheets:
            self.start_page()
        return {
            "id": self._count,
            "category": category,
            "page": len(self._sheets),
            "polygon": polygon,
        }

    def _add(self, element: Element) -> None:
        self._sheets[-1].elements.append(element)
        self._count += 1

    def _png(self, picture: bytes) -> bytes | None:
        from PIL import Image

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = Image.open(io.BytesIO(picture))
                if image.width * image.height > self.reading.limits.max_render_pixels:
                    self.problem(f"a picture of {image.width} x {image.height} is too large")
                    return None
                file = io.BytesIO()
                image.convert("RGBA" if image.has_transparency_data else "RGB").save(file, "PNG")
                return file.getvalue()
        except Exception as error:  # vector pictures (EMF, WMF, SVG) and damaged ones
            self.problem(f"a picture could not be read ({type(error).__name__})")
            return None


def _with_captions(elements: list[Element]) -> list[Element]:
    """Link captions to the table or figure right after or before them; one caption each."""
    owned = ("table", "figure", "chart")
    result = list(elements)
    for at, element in enumerate(elements):
        if element.category != "caption":
            continue
        for other in (at - 1, at + 1):
            free = 0 <= other < len(result) and result[other].caption is None
            if free and result[other].category in owned:
                result[other] = result[other].model_copy(update={"caption": element.id})
                break
    return result


def trimmed(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return spans without white space at both ends and without empty ones."""
    kept = [span for span in spans if span.text]
    while kept and not kept[0].text.strip():
        kept.pop(0)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[0] = kept[0].model_copy(update={"text": kept[0].text.lstrip()})
        kept[-1] = kept[-1].model_copy(update={"text": kept[-1].text.rstrip()})
    return tuple(kept)


def joined(parts: list[tuple[Span, ...]], separator: str = "\n") -> tuple[Span, ...]:
    """Return the spans of several paragraphs as one text with line breaks."""
    result: list[Span] = []
    for part in parts:
        if not any(span.text.strip() for span in part):
            continue
        if result:
            result.append(Span(text=separator))
        result += trimmed(part)
    return tuple(result)


def grid_table(
    rows: int, columns: int, cells: list[Cell], header_rows: int, most: int = 200_000
) -> Table | None:
    """Return a table in which every place is covered exactly once, whatever the file says.

    Later cells that overlap earlier ones shrink or go; places that nothing covers become empty
    cells. None when there is nothing, or more than `most` places.
    """
    if rows < 1 or columns < 1 or rows * columns > most:
        return None
    taken = [[False] * columns for _ in range(rows)]
    kept: list[Cell] = []
    for cell in sorted(cells, key=lambda cell: (cell.row, cell.column)):
        if cell.row >= rows or cell.column >= columns or taken[cell.row][cell.column]:
            continue
        wide = 1
        right = min(cell.column + cell.column_span, columns)
        while cell.column + wide < right and not taken[cell.row][cell.column + wide]:
            wide += 1
        tall = 1
        bottom = min(cell.row + cell.row_span, rows)
        span = slice(cell.column, cell.column + wide)
        while cell.row + tall < bottom and not any(taken[cell.row + tall][span]):
            tall += 1
        for row in range(cell.row, cell.row + tall):
            taken[row][span] = [True] * wide
        kept.append(cell.model_copy(update={"row_span": tall, "column_span": wide}))
    for row in range(rows):
        for column in range(columns):
            if not taken[row][column]:
                kept.append(Cell(row=row, column=column))
    kept.sort(key=lambda cell: (cell.row, cell.column))
    return Table(
        rows=rows, columns=columns, cells=tuple(kept), header_rows=min(max(header_rows, 0), rows)
    )
