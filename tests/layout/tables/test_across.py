"""Tables that go on over pages."""

from dataclasses import replace

from table_pages import ruled, texts

from solarmini.layout.document import Span
from solarmini.layout.primitives import Block, Box, PageDraft
from solarmini.layout.tables import find_tables, join_tables

XS = [60.0, 200.0, 340.0]


def _draft(number, rows, top, others=(), xs=XS):
    ys = [top + 20 * i for i in range(len(rows) + 1)]
    cells = {(r, c, 1, 1): text for r, row in enumerate(rows) for c, text in enumerate(row)}
    (found,) = find_tables(ruled(xs, ys, cells))
    table = Block("table", found.box, found.lines, table=found.table)
    return PageDraft(number, 595.0, 842.0, [*others, table])


def _block(category, text, y):
    return Block(category, Box(60, y, 300, y + 12), [], spans=(Span(text=text),))


HEAD = ["Name", "Meaning"]


def test_a_table_over_three_pages_becomes_one_without_repeated_heads():
    header, footer = _block("header", "A report", 30), _block("footer", "7", 800)
    first = _draft(1, [HEAD, ["a", "one"], ["b", "two"]], 640)
    first.blocks.append(footer)
    second = _draft(2, [HEAD, ["c", "three"], ["d", "four"]], 60, [header])
    third = _draft(3, [HEAD, ["e", "five"]], 60, [header])
    third.blocks.append(_block("paragraph", "After the table.", 200))
    joined = join_tables([first, second, third])
    tables = [b.table for d in joined for b in d.blocks if b.table is not None]
    assert len(tables) == 1
    assert texts(tables[0]) == [
        HEAD,
        ["a", "one"],
        ["b", "two"],
        ["c", "three"],
        ["d", "four"],
        ["e", "five"],
    ]
    assert tables[0].header_rows == 1
    assert [c.page for c in tables[0].cells if c.column == 0] == [None, None, None, 2, 2, 3]
    assert [b.category for b in joined[1].blocks] == ["header"]
    assert len(first.blocks) == 2  # what was given stays as it was
    assert second.blocks[1].table is not None


def test_without_a_repeated_head_all_rows_stay():
    first = _draft(1, [HEAD, ["a", "one"], ["b", "two"]], 640)
    second = _draft(2, [["c", "three"], ["d", "four"]], 60)
    (table,) = [b.table for d in join_tables([first, second]) for b in d.blocks if b.table]
    assert table.rows == 5


def test_other_columns_a_paragraph_between_or_other_places_keep_tables_apart():
    first = _draft(1, [HEAD, ["a", "one"], ["b", "two"]], 640)
    second = _draft(2, [HEAD, ["c", "three"], ["d", "four"]], 60)
    three = _draft(2, [["x", "y", "z"], ["1", "2", "3"]], 60, xs=[60.0, 150.0, 240.0, 340.0])
    shifted = _draft(2, [HEAD, ["c", "three"], ["d", "four"]], 60, xs=[160.0, 250.0, 400.0])
    between = replace(second, blocks=[_block("paragraph", "Text.", 40), *second.blocks])
    for after in (three, shifted, between):
        joined = join_tables([first, after])
        assert sum(b.table is not None for d in joined for b in d.blocks) == 2


def test_captions_of_blocks_that_move_up_are_renumbered():
    first = _draft(1, [HEAD, ["a", "one"], ["b", "two"]], 640)
    second = _draft(2, [HEAD, ["c", "three"], ["d", "four"]], 60)
    figure = _block("figure", "", 300)
    caption = replace(_block("caption", "Figure 1", 400), caption_of=1)
    second.blocks += [figure, caption]
    joined = join_tables([first, second])
    assert [b.category for b in joined[1].blocks] == ["figure", "caption"]
    assert joined[1].blocks[1].caption_of == 0
