"""One page: lines, tables and figures become blocks in reading order."""

from collections.abc import Iterable, Sequence

from solarmini.layout.assemble.bylines import clear_bylines
from solarmini.layout.assemble.captions import mark_captions
from solarmini.layout.assemble.chunks import chunk_rows
from solarmini.layout.assemble.furniture import split_furniture
from solarmini.layout.assemble.headings import Surroundings, mark_headings
from solarmini.layout.assemble.joins import make_rows
from solarmini.layout.assemble.kinds import (
    join_equations,
    mark_code,
    mark_contents,
    mark_equations,
    mark_footnotes,
)
from solarmini.layout.assemble.lists import join_items, list_items, mark_items
from solarmini.layout.assemble.order import Item, reading_order
from solarmini.layout.assemble.paragraphs import split_paragraphs
from solarmini.layout.assemble.parts import Part, text_part
from solarmini.layout.assemble.rows import Measures, Row, make_row, measure, turn
from solarmini.layout.assemble.text import compose
from solarmini.layout.document import Span
from solarmini.layout.primitives import (
    Block,
    Box,
    FoundFigure,
    FoundTable,
    Line,
    PageContent,
    PageDraft,
    Region,
    union,
)


def draft_page(
    content: PageContent,
    tables: Sequence[FoundTable] = (),
    figures: Sequence[FoundFigure] = (),
    regions: Sequence[Region] = (),
) -> PageDraft:
    """Put a page in reading order and say what each piece of it is.

    Every line of `content` ends in exactly one block: those of tables and figures in theirs, all
    others in a block of text. `regions` are what a layout model saw, where one was asked.
    """
    parts, measures = read_parts(content, tables, figures, regions)
    page = turn(content.box, _main_angle(content.lines), content.width, content.height)
    mark_headings(Surroundings(parts, measures, page, bool(regions)))
    clear_bylines(parts, measures)
    blocks = make_blocks(parts, measures, content)
    return PageDraft(
        content.number,
        content.width,
        content.height,
        blocks,
        content.angle,
        content.ocr,
        list(content.problems),
        content.scanned,
    )


def read_parts(
    content: PageContent,
    tables: Sequence[FoundTable],
    figures: Sequence[FoundFigure],
    regions: Sequence[Region],
) -> tuple[list[Part], Measures]:
    """Return the pieces of a page in reading order, all kinds but headings and lists told."""
    regions = list(regions)
    lines, tables, figures = _share_out(content.lines, tables, figures)
    rows = make_rows(lines, content)
    measures = measure(rows, content)
    angle = _main_angle(content.lines)
    obstacles = [found.box for found in (*tables, *figures)]
    headers, body, footers = split_furniture(
        rows, content.box, measures, obstacles, regions, content.rules
    )
    objects = [Part("table", t.box, t.box, table=t, confidence=t.confidence) for t in tables]
    objects += [
        Part("chart" if f.chart else "figure", f.box, f.box, figure=f, confidence=f.confidence)
        for f in figures
    ]
    for part in objects:
        part.frame = turn(part.box, angle, content.width, content.height)
    parts = _order_body(body, objects, content, measures, regions, angle)
    mark_captions(parts, measures)
    mark_footnotes(parts, measures, content.height, content.rules)
    mark_equations(parts)
    parts = join_equations(parts, measures)
    mark_code(parts)
    mark_contents(parts)
    notes = [part for part in parts if part.category == "footnote"]
    parts = [part for part in parts if part.category != "footnote"] + notes
    top = _furniture("header", headers, regions)
    return [*top, *parts, *_furniture("footer", footers, regions)], measures


def _key(line: Line) -> tuple[object, ...]:
    return line.order, line.box, line.angle, len(line.words)


def _share_out(
    lines: Iterable[Line], tables: Sequence[FoundTable], figures: Sequence[FoundFigure]
) -> tuple[list[Line], list[FoundTable], list[FoundFigure]]:
    """Return the lines that are free, and tables and figures that share no line."""
    taken: set[object] = set()

    def claim(found: Iterable[Line]) -> list[Line]:
        mine = [line for line in found if _key(line) not in taken]
        taken.update(map(_key, mine))
        return mine

    own_tables = [FoundTable(t.box, t.table, claim(t.lines), t.confidence) for t in tables]
    own_figures = [FoundFigure(f.box, f.chart, claim(f.lines), f.confidence) for f in figures]
    return [line for line in lines if _key(line) not in taken], own_tables, own_figures


def _main_angle(lines: Iterable[Line]) -> int:
    """The direction in which most of the page is read."""
    totals: dict[int, int] = {0: 1}
    for line in lines:
        totals[line.angle] = totals.get(line.angle, 0) + sum(len(w.text) for w in line.words)
    return max(totals, key=lambda angle: totals[angle])


def _order_body(
    rows: Sequence[Row],
    objects: Sequence[Part],
    content: PageContent,
    measures: Measures,
    regions: list[Region],
    angle: int,
) -> list[Part]:
    """Group rows to chunks, order them among tables and figures, and cut them to paragraphs."""
    groups: list[tuple[Box, list[Part]]] = [(part.frame, [part]) for part in objects]
    counts = [0] * len(groups)
    for direction in sorted({row.angle for row in rows}):
        own = [row for row in rows if row.angle == direction]
        boxes = [turn(p.box, direction, content.width, content.height) for p in objects]
        for chunk in chunk_rows(own, measures, boxes):
            parts = [text_part(group, regions) for group in split_paragraphs(chunk.rows, measures)]
            for part in parts:
                part.frame = turn(part.box, angle, content.width, content.height)
            groups.append((union(part.frame for part in parts), parts))
            counts.append(len(chunk.rows))
    items = [Item(box, count) for (box, _), count in zip(groups, counts, strict=True)]
    return [part for i in reading_order(items, measures.leading) for part in groups[i][1]]


def _furniture(category: str, rows: Sequence[Row], regions: list[Region]) -> list[Part]:
    parts = [text_part([row], regions) for row in rows]
    for part in parts:
        part.category = category
    tops = sorted(parts, key=lambda part: (part.box.center[1], part.box.left))
    ordered: list[Part] = []
    for part in tops:  # side by side: left to right
        at = len(ordered)
        while (
            at
            and _level(ordered[at - 1].box, part.box)
            and part.box.left < ordered[at - 1].box.left
        ):
            at -= 1
        ordered.insert(at, part)
    return ordered


def _level(box: Box, other: Box) -> bool:
    shared = min(box.bottom, other.bottom) - max(box.top, other.top)
    return shared > 0.5 * min(box.height, other.height)


def make_blocks(parts: Sequence[Part], measures: Measures, content: PageContent) -> list[Block]:
    """Turn parts in order into blocks: items become lists, captions point to their object."""
    mark_items(parts)
    blocks: list[Block] = []
    places: dict[int, int] = {}
    for group in join_items(parts, measures):
        for part in group:
            places[id(part)] = len(blocks)
        blocks.append(_block(group, measures, content))
    for part in parts:
        if part.caption_of is not None:
            blocks[places[id(part)]].caption_of = places[id(part.caption_of)]
    return blocks


def _block(group: Sequence[Part], measures: Measures, content: PageContent) -> Block:
    first = group[0]
    lines = [line for part in group for line in part.lines]
    box = union(part.box for part in group)
    if first.table is not None:
        found = first.table
        return Block("table", box, found.lines, table=found.table, confidence=found.confidence)
    if first.figure is not None:
        spans = _inside(first.figure, content)
        inside = first.figure.lines
        return Block(first.category, box, inside, spans, confidence=first.confidence)
    if first.category == "list":
        items = list_items(group, measures)
        return Block("list", box, lines, items=items)
    if first.category in ("code", "index"):
        rows = [row for part in group for row in part.rows]
        spans = _line_by_line(rows, measures, indented=first.category == "code")
    else:
        spans = compose(first.rows, measures)
    return Block(first.category, box, lines, spans, confidence=first.confidence)


def _line_by_line(rows: Sequence[Row], measures: Measures, *, indented: bool) -> tuple[Span, ...]:
    """Keep the lines as they stand, in code also how far they are set in."""
    left = min(row.box.left for row in rows)
    spans: list[Span] = []
    for at, row in enumerate(rows):
        pad = round((row.box.left - left) / (0.6 * max(row.size, 1))) if indented else 0
        lead = ("\n" if at else "") + " " * pad
        own = compose([row], measures)
        if lead and own:
            own = (own[0].model_copy(update={"text": lead + own[0].text}), *own[1:])
        spans += own
    return tuple(spans)


def _inside(figure: FoundFigure, content: PageContent) -> tuple[Span, ...]:
    """The text printed inside a figure, line by line."""
    rows = [make_row([line], content.width, content.height) for line in figure.lines if line.words]
    rows.sort(key=lambda row: row.page_box.center[1])
    bands: list[list[Row]] = []
    for row in rows:
        if bands and _same_level(bands[-1], row):
            bands[-1].append(row)
        else:
            bands.append([row])
    texts = [
        " ".join(row.text for row in sorted(band, key=lambda row: row.page_box.left))
        for band in bands
    ]
    return (Span(text="\n".join(texts)),) if texts else ()


def _same_level(band: Sequence[Row], row: Row) -> bool:
    first, box = band[0].page_box, row.page_box
    return abs(first.center[1] - box.center[1]) < 0.4 * min(first.height, box.height)
