"""A laid-out document to blocks: captions joined to what they describe, furniture set apart."""

from collections.abc import Iterator

from solarmini.layout.document import Document, Element
from solarmini.rag.chunk.model import Block, Kind, Parsed, Place

_FURNITURE = ("header", "footer")


def blocks_of(document: Document) -> Parsed:
    """Return the blocks of a document in reading order.

    A caption becomes part of its table or figure. Headers and footers come last, each text once,
    in one block: they can be found, but do not stand between the paragraphs of two pages.
    """
    elements = list(document.elements)
    by_id = {element.id: element for element in elements}
    captions = {e.caption for e in elements if e.caption is not None}
    blocks = []
    for element in elements:
        if element.category in _FURNITURE or element.id in captions:
            continue
        caption = by_id.get(element.caption) if element.caption is not None else None
        blocks.extend(_block(element, caption))
    blocks.extend(_furniture(elements))
    return Parsed(
        format=document.format,
        blocks=tuple(blocks),
        pages=document.total_pages,
        title=document.title or _first_heading(elements),
        problems=tuple(f"page {p.page}: {p.what}" if p.page else p.what for p in document.problems),
    )


def _block(element: Element, caption: Element | None) -> Iterator[Block]:
    places = tuple(_place(part) for part in (element, caption) if part is not None)
    said = caption.text.strip() if caption else ""
    text = element.text.strip()
    if element.level:
        if text:
            yield Block("text", text, places, level=element.level)
    elif element.table is not None:
        yield Block("table", text, places, table=element.table, caption=said)
    elif element.category in ("figure", "chart"):
        if said or text:
            yield Block("figure", text, places, caption=said)
    elif text:
        kind: Kind = "code" if element.category == "code" else "text"
        yield Block(kind, text, places)


def _furniture(elements: list[Element]) -> Iterator[Block]:
    """Yield one block of all headers and footers; those that change only in digits count once."""
    kept: dict[str, Element] = {}
    for element in elements:
        text = element.text.strip()
        shape = "".join("0" if c.isdigit() else c for c in text)
        if element.category in _FURNITURE and any(c.isalpha() for c in text):
            kept.setdefault(shape, element)
    if kept:
        text = "\n".join(element.text.strip() for element in kept.values())
        yield Block("furniture", text, tuple(_place(element) for element in kept.values()))


def _place(element: Element) -> Place:
    return Place(element.page, element.polygon, element.id)


def _first_heading(elements: list[Element]) -> str | None:
    for element in elements:
        if element.level == 1 and element.page == 1 and element.text.strip():
            return " ".join(element.text.split())
    return None
