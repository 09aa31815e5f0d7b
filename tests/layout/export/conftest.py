"""A document that the exporters' tests share."""

import pytest
from small_documents import BOX, PNG, of

from solarmini.layout.document import Cell, Document, Element, ListItem, Page, Span, Table


@pytest.fixture
def sample() -> Document:
    """One of everything, on two pages."""
    table = Table(
        rows=3,
        columns=3,
        header_rows=1,
        cells=(
            Cell(row=0, column=0, row_span=1, header=True, spans=(Span(text="Lamp"),)),
            Cell(row=0, column=1, column_span=2, header=True, spans=(Span(text="Range & height"),)),
            Cell(row=1, column=0, row_span=2, spans=(Span(text="North"),), polygon=BOX),
            Cell(row=1, column=1, spans=(Span(text="18 nm"),)),
            Cell(row=1, column=2, spans=(Span(text="41 m"),)),
            Cell(row=2, column=1, spans=(Span(text="fog:\n2 nm"),)),
            Cell(row=2, column=2),
        ),
    )
    items = (
        ListItem(marker="1.", spans=(Span(text="Clean the lens"),), ordered=True),
        ListItem(marker="•", spans=(Span(text="with "), Span(text="soft", italic=True)), level=1),
        ListItem(marker="2.", spans=(Span(text="Wind the clock"),), ordered=True),
        ListItem(marker="(a)", spans=(Span(text="daily"),), ordered=True, level=1),
    )
    first = (
        of("header", "Lighthouse service", id=0),
        of("heading1", "1. The lamp", id=1),
        Element(
            id=2,
            category="paragraph",
            page=1,
            polygon=BOX,
            spans=(
                Span(text="It burns "),
                Span(text="well", bold=True),
                Span(text=", gives 10"),
                Span(text="6", superscript=True),
                Span(text=" candela", link="https://example.org/a?b=1&c=2"),
                Span(text=" and costs < 5 & more."),
            ),
        ),
        Element(id=3, category="list", page=1, polygon=BOX, items=items),
        of("caption", "Table 1: Lamps", id=4),
        Element(id=5, category="table", page=1, polygon=BOX, table=table, caption=4),
        of("footnote", "1 Measured at night.", id=6),
        of("footer", "1", id=7),
    )
    second = (
        of("heading2", "1.1 Figures", id=8, page=2),
        of("figure", "Tower\n41 m", id=9, page=2, image=PNG, caption=10),
        of("caption", "Figure 1: The tower", id=10, page=2),
        of("equation", "E = m c2", id=11, page=2),
        of("code", "lamp.on()\n  while night:", id=12, page=2),
        of("index", "Lamp 1\nTower 2", id=13, page=2),
    )
    pages = (
        Page(number=1, width=612, height=792, elements=first),
        Page(number=2, width=792, height=612, elements=second),
    )
    return Document(
        source="lamp.pdf", format="pdf", total_pages=2, pages=pages, title="Lamps & towers"
    )
