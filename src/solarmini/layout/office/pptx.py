"""PPTX: each slide a page; shapes in the order in which people look at them, with their boxes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solarmini.errors import require
from solarmini.layout.document import Cell, ListItem, Polygon, Span, Table, rectangle
from solarmini.layout.office.builder import Builder, grid_table, joined
from solarmini.layout.office.charts import chart_spans
from solarmini.layout.office.markers import bullet, number_text

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_TITLES = ("TITLE", "CENTER_TITLE", "VERTICAL_TITLE")
_FOOTERS = ("FOOTER", "SLIDE_NUMBER", "DATE")
_BODIES = ("BODY", "OBJECT", "VERTICAL_BODY", "VERTICAL_OBJECT")


@dataclass(frozen=True, slots=True)
class _Shape:
    """A shape and its box in points on the slide, groups resolved."""

    shape: Any
    left: float
    top: float
    width: float
    height: float


def read_pptx(path: Path, builder: Builder) -> str | None:
    """Read a PPTX into `builder`; return its title."""
    pptx = require("pptx", "layout")
    deck = pptx.Presentation(str(path))
    width, height = (deck.slide_width or 9144000) / 12700, (deck.slide_height or 6858000) / 12700
    for slide in deck.slides:
        builder.start_page(width, height)
        for shape in _in_order(list(_flat(slide.shapes)), height):
            try:
                _read_shape(shape, builder, width, height)
            except (KeyError, ValueError, AttributeError, TypeError) as error:
                name = getattr(shape.shape, "name", "?")
                builder.problem(f"the shape '{name}' could not be read ({error})")
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            text = slide.notes_slide.notes_text_frame.text.strip()
            builder.text("footnote", (Span(text=text),) if text else ())
    return deck.core_properties.title


def _flat(
    shapes: Any, scale: tuple[float, float, float, float] = (1, 0, 1, 0), depth: int = 0
) -> Iterator[_Shape]:
    """Yield shapes outside of groups; `scale` maps their EMUs: x * a + b, y * c + d."""
    across, left, down, top = scale
    for shape in shapes:
        if shape.shape_type == 6 and depth < 20:  # a group
            frame = shape._element.find(f".//{_A}xfrm")
            inner = _group_scale(frame, scale) if frame is not None else scale
            yield from _flat(shape.shapes, inner, depth + 1)
            continue
        yield _Shape(
            shape,
            ((shape.left or 0) * across + left) / 12700,
            ((shape.top or 0) * down + top) / 12700,
            (shape.width or 0) * across / 12700,
            (shape.height or 0) * down / 12700,
        )


def _group_scale(
    frame: Any, scale: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    across, left, down, top = scale

    def pair(name: str, first: str, second: str) -> tuple[float, float]:
        node = frame.find(f"{_A}{name}")
        return (0.0, 0.0) if node is None else (float(node.get(first)), float(node.get(second)))

    (x, y), (wide, high) = pair("off", "x", "y"), pair("ext", "cx", "cy")
    (inner_x, inner_y), (inner_wide, inner_high) = (
        pair("chOff", "x", "y"),
        pair("chExt", "cx", "cy"),
    )
    by_x = wide / inner_wide if inner_wide else 1.0
    by_y = high / inner_high if inner_high else 1.0
    return (
        across * by_x,
        left + across * (x - inner_x * by_x),
        down * by_y,
        top + down * (y - inner_y * by_y),
    )


def _in_order(shapes: list[_Shape], height: float) -> list[_Shape]:
    """Titles first, footers last; between them rows of shapes from top to bottom, left to right.

    Shapes whose tops differ by less than a thirtieth of the slide stand in one row.
    """

    def rank(one: _Shape) -> int:
        kind = _placeholder(one.shape)
        return 0 if kind in _TITLES else 2 if kind in _FOOTERS else 1

    ordered: list[_Shape] = []
    row: list[_Shape] = []
    for one in sorted(shapes, key=lambda s: (rank(s), s.top)):
        if row and (rank(one) != rank(row[0]) or one.top - row[0].top > height / 30):
            ordered += sorted(row, key=lambda s: s.left)
            row = []
        row.append(one)
    return ordered + sorted(row, key=lambda s: s.left)


def _placeholder(shape: Any) -> str:
    if not shape.is_placeholder:
        return ""
    kind = shape.placeholder_format.type
    return kind.name if kind is not None else "OBJECT"


def _read_shape(one: _Shape, builder: Builder, width: float, height: float) -> None:
    shape = one.shape
    polygon = rectangle(
        one.left / width,
        one.top / height,
        (one.left + one.width) / width,
        (one.top + one.height) / height,
    )
    if getattr(shape, "has_table", False):
        builder.table(_read_table(shape.table), polygon)
    elif getattr(shape, "has_chart", False):
        builder.figure(None, polygon, chart_spans(shape.chart.part.blob), "chart")
    elif hasattr(shape, "image"):
        try:
            builder.figure(shape.image.blob, polygon)
        except (AttributeError, ValueError):  # an empty picture placeholder, a linked picture
            return
    elif shape.has_text_frame:
        _read_text(shape, builder, polygon)


def _read_text(shape: Any, builder: Builder, polygon: Polygon) -> None:
    kind = _placeholder(shape)
    paragraphs = [p for p in shape.text_frame.paragraphs if p.text.strip()]
    if not paragraphs:
        return
    if kind in _TITLES or kind == "SUBTITLE":
        category = "heading1" if kind in _TITLES else "heading2"
        builder.text(category, joined([_spans(p) for p in paragraphs], " "), polygon)
        return
    if kind in _FOOTERS:
        builder.text("footer", joined([_spans(p) for p in paragraphs]), polygon)
        return
    items: list[ListItem] = []
    counts: dict[int, int] = {}
    for paragraph in paragraphs:
        marker = _marker(paragraph, kind in _BODIES, counts)
        if marker is None:
            builder.items(items, polygon)
            items, counts = [], {}
            builder.text("paragraph", _spans(paragraph), polygon)
            continue
        level = min(paragraph.level, 15)
        items.append(
            ListItem(marker=marker[0], spans=_spans(paragraph), level=level, ordered=marker[1])
        )
    builder.items(items, polygon)


def _marker(paragraph: Any, body: bool, counts: dict[int, int]) -> tuple[str, bool] | None:
    """Return (marker, ordered) of a paragraph, None where it has none.

    Bodies of a layout have bullets unless they say otherwise; other text has none.
    """
    properties = paragraph._p.find(f"{_A}pPr")
    level = paragraph.level
    for deeper in [at for at in counts if at > level]:
        del counts[deeper]
    if properties is not None:
        numbered = properties.find(f"{_A}buAutoNum")
        if numbered is not None:
            start = int(numbered.get("startAt", "1"))
            counts[level] = counts.get(level, start - 1) + 1
            return _number(counts[level], numbered.get("type", "arabicPeriod")), True
        sign = properties.find(f"{_A}buChar")
        if sign is not None:
            return bullet(sign.get("char", "•")), False
        if properties.find(f"{_A}buNone") is not None:
            return None
    return ("•", False) if body else None


def _number(number: int, kind: str) -> str:
    """Return a number in one of DrawingML's schemes (20.1.10.61): alphaLcParenR is "a)"."""
    schemes = {"alphaLc": "lowerletter", "alphaUc": "upperletter", "romanLc": "lowerroman"}
    schemes |= {"romanUc": "upperroman", "circleNum": "decimalenclosedcircle"}
    name = next((name for name in schemes if kind.startswith(name)), "")
    text = number_text(number, schemes.get(name, "decimal"))
    if kind.endswith("ParenBoth"):
        return f"({text})"
    if kind.endswith("ParenR"):
        return f"{text})"
    return f"{text}." if kind.endswith("Period") else text


def _spans(paragraph: Any) -> tuple[Span, ...]:
    spans = []
    for node in paragraph._p:
        if node.tag == f"{_A}br":
            spans.append(Span(text="\n"))
        elif node.tag in (f"{_A}r", f"{_A}fld"):
            spans.append(_run(node, paragraph))
    return tuple(spans)


def _run(node: Any, paragraph: Any) -> Span:
    text = (node.findtext(f"{_A}t") or "").replace("\v", "\n").replace("\t", " ")
    properties = node.find(f"{_A}rPr")
    if properties is None:
        return Span(text=text)
    shift = properties.get("baseline", "0")
    click = properties.find(f"{_A}hlinkClick")
    link = None
    if click is not None:
        relation = next((v for k, v in click.items() if k.endswith("}id")), "")
        found = paragraph.part.rels.get(relation) if relation else None
        link = found.target_ref if found is not None and found.is_external else None
    return Span(
        text=text,
        bold=properties.get("b") in ("1", "true"),
        italic=properties.get("i") in ("1", "true"),
        superscript=not shift.startswith("-") and shift.rstrip("%") not in ("", "0"),
        subscript=shift.startswith("-"),
        link=link,
    )


def _read_table(table: Any) -> Table | None:
    header_rows = 1 if table.first_row and len(table.rows) > 1 else 0
    cells = []
    for at, row in enumerate(table.rows):
        for column, cell in enumerate(row.cells):
            if cell.is_spanned:
                continue
            spans = joined([_spans(p) for p in cell.text_frame.paragraphs])
            cells.append(
                Cell(
                    row=at,
                    column=column,
                    row_span=cell.span_height if cell.is_merge_origin else 1,
                    column_span=cell.span_width if cell.is_merge_origin else 1,
                    header=at < header_rows,
                    spans=spans,
                )
            )
    return grid_table(len(table.rows), len(table.columns), cells, header_rows)
