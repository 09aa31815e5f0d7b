"""Tables that go on over pages: one table of the parts."""

from collections.abc import Sequence
from dataclasses import replace

from solarmini.layout.document import Cell, Table
from solarmini.layout.primitives import Block, PageDraft

_FURNITURE = {"header", "footer", "footnote"}
_EDGE = 0.03  # share of the page's width by which column edges of two parts may differ


def join_tables(drafts: Sequence[PageDraft]) -> list[PageDraft]:
    """Join tables that end one page and begin the next; other blocks stay.

    The last table of a page and the first of the next are one when only furniture (headers,
    footers, footnotes) stands between, they have as many columns and these stand at the same
    places. A header that is repeated is dropped. Cells from later pages keep their polygon and
    name their page. The drafts given stay as they are.
    """
    joined = [replace(draft, blocks=list(draft.blocks)) for draft in drafts]
    head: tuple[PageDraft, int] | None = None  # where the table that may go on stands
    for draft in joined:
        first = _first(draft)
        if head is not None and first is not None:
            owner, at = head
            above, below = owner.blocks[at], draft.blocks[first]
            if _goes_on(owner, above, draft, below):
                owner.blocks[at] = _merge(above, below, draft.number)
                del draft.blocks[first]
                _renumber(draft, first)
                if any(b.category not in _FURNITURE for b in draft.blocks):
                    head = None
                continue
        last = _last(draft)
        head = None if last is None else (draft, last)
    return joined


def _first(draft: PageDraft) -> int | None:
    for at, block in enumerate(draft.blocks):
        if block.table is not None:
            return at
        if block.category not in _FURNITURE and not _continued(block):
            return None
    return None


def _last(draft: PageDraft) -> int | None:
    for at in range(len(draft.blocks) - 1, -1, -1):
        if draft.blocks[at].table is not None:
            return at
        if draft.blocks[at].category not in _FURNITURE:
            return None
    return None


def _continued(block: Block) -> bool:
    """Whether a block says that the table goes on: "Table 3 (continued)", "<표 계속>"."""
    text = "".join(span.text for span in block.spans) or " ".join(ln.text for ln in block.lines)
    low = text.lower()
    return len(text) < 120 and any(w in low for w in ("continued", "cont'd", "cont.", "계속"))


def column_edges(table: Table) -> list[float]:
    """Left edges of the columns in fractions of the page, from the cells' polygons."""
    edges: list[float] = []
    for column in range(table.columns):
        lefts = [c.polygon[0].x for c in table.cells if c.column == column and c.polygon]
        edges.append(min(lefts) if lefts else -1.0)
    return edges


def _goes_on(owner: PageDraft, above: Block, draft: PageDraft, below: Block) -> bool:
    first, second = above.table, below.table
    if first is None or second is None or first.columns != second.columns:
        return False
    if abs(owner.width - draft.width) > 0.02 * owner.width:
        return False
    if above.box.bottom < 0.6 * owner.height and not _same_head(first, second):
        return False
    if below.box.top > 0.4 * draft.height:
        return False
    pairs = zip(column_edges(first), column_edges(second), strict=True)
    return all(abs(a - b) <= _EDGE for a, b in pairs if a >= 0 and b >= 0)


def _rows(table: Table, count: int) -> list[tuple[int, int, int, int, str]]:
    return [
        (c.row, c.column, c.row_span, c.column_span, " ".join(c.text.split()))
        for c in table.cells
        if c.row < count
    ]


def _same_head(first: Table, second: Table) -> int:
    """Number of rows at the top of both that are the same, a head repeated; 0 when none are."""
    for count in range(max(first.header_rows, second.header_rows, 1), 0, -1):
        if count < second.rows and count <= first.rows:
            top = _rows(second, count)
            closed = all(row + high <= count for row, _, high, _, _ in top)
            if closed and any(text for *_, text in top) and _rows(first, count) == top:
                return count
    return 0


def _merge(above: Block, below: Block, page: int) -> Block:
    first, second = above.table, below.table
    assert first is not None
    assert second is not None
    skip = _same_head(first, second)
    shift = first.rows - skip
    moved = [
        c.model_copy(
            update={
                "row": c.row + shift,
                "header": False,
                "page": page if c.page is None else c.page,
            }
        )
        for c in second.cells
        if c.row >= skip
    ]
    cells: tuple[Cell, ...] = (*first.cells, *moved)
    table = Table(
        rows=first.rows + second.rows - skip,
        columns=first.columns,
        cells=cells,
        header_rows=first.header_rows,
    )
    return replace(
        above,
        table=table,
        lines=[*above.lines, *below.lines],
        confidence=min(above.confidence, below.confidence),
    )


def _renumber(draft: PageDraft, gone: int) -> None:
    """Blocks after the one taken out move up; what named it names nothing."""
    for at, block in enumerate(draft.blocks):
        of = block.caption_of
        if of is not None and of >= gone:
            draft.blocks[at] = replace(block, caption_of=None if of == gone else of - 1)
