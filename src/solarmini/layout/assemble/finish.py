"""The whole document: what only several pages together can tell, then the typed pages."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import cast

from solarmini.layout.assemble.continued import find_continued
from solarmini.layout.assemble.levels import Style, set_levels, style_of
from solarmini.layout.document import Category, Element, ListItem, Page, Polygon, Span, rectangle
from solarmini.layout.primitives import Block, Box, PageDraft

HEADING: tuple[Category, ...] = (
    "heading1",
    "heading2",
    "heading3",
    "heading4",
    "heading5",
    "heading6",
)


def finish(drafts: Iterable[PageDraft], *, merge_tables: bool = True) -> list[Page]:
    """Return the pages of a document from its drafts, in the order of their numbers.

    Finds running headers and footers by repetition, makes headings of one style agree over the
    pages, gives them levels, joins tables over page breaks (`merge_tables`), finds the paragraphs
    that columns and pages cut, and counts the elements from 0. The drafts' blocks are changed.
    """
    pages = sorted(drafts, key=lambda draft: draft.number)
    find_running(pages)
    if merge_tables and len(pages) > 1:
        from solarmini.layout.tables import join_tables

        pages = join_tables(pages)
    fuzzy = any(draft.scanned for draft in pages)
    agree_on_headings([block for draft in pages for block in draft.blocks], fuzzy=fuzzy)
    set_levels([b for d in pages for b in d.blocks if b.category == "heading"], fuzzy=fuzzy)
    result: list[Page] = []
    start = 0
    before = {id(after): block for block, after in find_continued(pages)}
    ids: dict[int, int] = {}
    for draft in pages:
        page = _page(draft, start, before, ids)
        start += len(page.elements)
        result.append(page)
    return result


# -- running headers and footers ------------------------------------------------------------------


def find_running(pages: Sequence[PageDraft]) -> None:
    """Mark short blocks at the edge of a page that come back, numbers aside, on other pages."""
    if len(pages) < 3:
        return
    seen: dict[tuple[str, str, int], list[tuple[PageDraft, Block]]] = defaultdict(list)
    for page in pages:
        for edge, block in _edge_blocks(page):
            key = re.sub(r"\d+|\b[ivxlc]+\b", "#", _text(block).lower())
            seen[edge, key, round(block.box.top / max(page.height, 1) * 50)].append((page, block))
    for (edge, _, _), found in seen.items():
        numbers = {page.number for page, _ in found}
        if len(numbers) < max(3, 0.15 * len(pages)):
            continue
        for _, block in found:
            block.category = edge
            block.caption_of = None
    for page in pages:
        _put_in_margins(page)


def _edge_blocks(page: PageDraft) -> Iterable[tuple[str, Block]]:
    kinds = ("paragraph", "heading", "header", "footer", "footnote", "list")
    for block in page.blocks:
        if block.category not in kinds or len(block.lines) > 3 or not block.lines:
            continue
        if block.box.bottom < 0.14 * page.height:
            yield "header", block
        elif block.box.top > 0.86 * page.height:
            yield "footer", block


def _put_in_margins(page: PageDraft) -> None:
    """Headers first, footers last; captions keep pointing to their object."""
    rank = {"header": 0, "footer": 2}
    order = sorted(range(len(page.blocks)), key=lambda i: rank.get(page.blocks[i].category, 1))
    places = {old: new for new, old in enumerate(order)}
    page.blocks = [page.blocks[i] for i in order]
    for block in page.blocks:
        if block.items and block.category in rank:
            block.spans = tuple(s for item in block.items for s in _item_spans(item))
            block.items = ()
        if block.caption_of is not None:
            block.caption_of = places[block.caption_of]


def _item_spans(item: ListItem) -> list[Span]:
    return [Span(text=f"{item.marker} "), *item.spans]


# -- headings -------------------------------------------------------------------------------------


def agree_on_headings(blocks: Sequence[Block], *, fuzzy: bool) -> None:
    """Let the style of a paragraph decide where the page alone was unsure.

    A style that is nearly always a heading makes the doubtful ones of it headings, and one that
    nearly never is makes them paragraphs.
    """
    step = 2.0 if fuzzy else 0.5
    votes: dict[Style, Counter[bool]] = defaultdict(Counter)
    texts = [b for b in blocks if b.category in ("paragraph", "heading") and b.lines]
    for block in texts:
        votes[style_of(block, step)][block.category == "heading"] += 1
    for block in texts:
        count = votes[style_of(block, step)]
        share = count[True] / count.total()
        if count.total() < 4 or block.confidence > 0.85:
            continue
        if block.category == "paragraph" and share > 0.75 and len(block.lines) <= 3:
            block.category = "heading"
        elif block.category == "heading" and share < 0.1:
            block.category = "paragraph"


# -- typed pages ----------------------------------------------------------------------------------


def _text(block: Block) -> str:
    return "".join(span.text for span in block.spans) or " ".join(
        f"{item.marker} {item.text}" for item in block.items
    )


def _page(draft: PageDraft, start: int, before: dict[int, Block], ids: dict[int, int]) -> Page:
    ids |= {id(block): start + at for at, block in enumerate(draft.blocks)}
    captions = {
        block.caption_of: start + at
        for at, block in enumerate(draft.blocks)
        if block.caption_of is not None
    }
    elements = [
        _element(
            block,
            draft,
            start + at,
            captions.get(at),
            ids[id(before[id(block)])] if id(block) in before else None,
        )
        for at, block in enumerate(draft.blocks)
    ]
    return Page(
        number=draft.number,
        width=draft.width,
        height=draft.height,
        elements=tuple(elements),
        angle=draft.angle,
        ocr=draft.ocr,
    )


def _element(
    block: Block, draft: PageDraft, number: int, caption: int | None, continues: int | None
) -> Element:
    category = cast(Category, block.category)
    if block.category == "heading":
        category = HEADING[min(max(block.level, 1), 6) - 1]
    return Element(
        id=number,
        category=category,
        page=draft.number,
        polygon=_polygon(block.box, draft),
        spans=block.spans,
        items=block.items,
        table=block.table,
        image=block.image,
        caption=caption,
        continues=continues,
        confidence=min(max(block.confidence, 0.0), 1.0),
        ocr=draft.ocr,
    )


def _polygon(box: Box, draft: PageDraft) -> Polygon:
    wide, high = max(draft.width, 1e-6), max(draft.height, 1e-6)
    return rectangle(box.left / wide, box.top / high, box.right / wide, box.bottom / high)
