"""Documents made by tests of the exporters."""

import base64

from solarmini.layout.document import (
    Cell,
    Document,
    Element,
    Page,
    Span,
    Table,
    rectangle,
)

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BOX = rectangle(0.1, 0.2, 0.9, 0.3)


def of(category: str, text: str = "", **rest: object) -> Element:
    """An element of one span, or with other parts in `rest`."""
    number = rest.pop("id", 0)
    page = rest.pop("page", 1)
    spans = (Span(text=text),) if text else ()
    return Element.model_validate(
        {"id": number, "category": category, "page": page, "polygon": BOX, "spans": spans} | rest
    )


def document(*elements: Element, **rest: object) -> Document:
    """A document of one page; elements are numbered in their order unless they are already."""
    numbered = [e if e.id else e.model_copy(update={"id": at}) for at, e in enumerate(elements)]
    page = Page(number=1, width=612, height=792, elements=tuple(numbered))
    facts = {"source": "a.pdf", "format": "pdf", "total_pages": 1, "pages": (page,)}
    return Document.model_validate(facts | rest)


def grid(rows: list[list[str]], header_rows: int = 1) -> Table:
    """A table without spans."""
    cells = [
        Cell(row=r, column=c, header=r < header_rows, spans=(Span(text=text),) if text else ())
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
    ]
    return Table(rows=len(rows), columns=len(rows[0]), cells=tuple(cells), header_rows=header_rows)
