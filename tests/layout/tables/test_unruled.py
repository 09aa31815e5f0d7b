"""Tables without rules, and text in columns that is none."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_pages import across, check, down, line, page, set_in_columns, texts

from solarmini.layout.primitives import Box, Picture, Region
from solarmini.layout.tables import find_tables

PROSE = (
    "the quick brown fox jumps over the lazy dog and runs",
    "away from the hunter who has been waiting in the wood",
    "since the early morning when the first light came up",
    "over the hills and the birds began to sing their song",
    "while the river carried the leaves down to the village",
    "where people were opening their windows to the new day",
)


@given(
    st.integers(3, 12),
    st.integers(2, 6),
    st.randoms(use_true_random=False),
)
def test_aligned_values_are_a_table(rows, columns, random):
    heads = ["Name", *(f"Col{c}" for c in range(1, columns))]
    body = [
        [f"item{r}", *(f"{random.randint(1, 99999) / 10}" for _ in range(1, columns))]
        for r in range(rows)
    ]
    content = page(set_in_columns([heads, *body], [60 + 80 * c for c in range(columns)]))
    found = find_tables(content)
    check(content, found)
    assert len(found) == 1
    assert texts(found[0].table) == [heads, *body]
    assert found[0].table.header_rows == 1


@given(st.data())
def test_no_word_is_lost_or_doubled_whatever_stands_on_the_page(data):
    made = []
    for _ in range(data.draw(st.integers(0, 40))):
        text = data.draw(st.sampled_from(["12.5", "name", "two words", "(3)", "a b c", "합계"]))
        x, y = data.draw(st.integers(40, 480)), data.draw(st.integers(40, 780))
        made.append(line(text, x, y, data.draw(st.sampled_from([8.0, 10.0, 14.0]))))
    rules = [
        across(data.draw(st.integers(40, 780)), 60, data.draw(st.integers(100, 500)))
        for _ in range(data.draw(st.integers(0, 6)))
    ]
    content = page(made, rules)
    check(content, find_tables(content))


def test_empty_places_stay_empty():
    rows = [
        ["Year", "A", "B"],
        ["1", "33.0", "20.0"],
        ["2", "", "32.0"],
        ["3", "14.8", ""],
        ["4", "7.4", "11.5"],
    ]
    content = page(set_in_columns(rows, (60, 160, 260)))
    (found,) = find_tables(content)
    check(content, [found])
    assert texts(found.table) == rows


def test_a_tight_header_is_parted_where_the_columns_begin():
    xs = (75, 155, 207, 296)
    header = line("Saccharometer", 75, 100)
    words = list(header.words)
    for text, x in (("Water", 155), ("Glucose", 207), ("Solution", 245), ("Yeast", 296)):
        words += line(text, x, 100).words
    box = Box(75, words[0].box.top, words[-1].box.right, words[0].box.bottom)
    header = type(header)(tuple(words), box)
    body = [
        ["2", "24 ml", "0 ml", "4 ml"],
        ["3", "12 ml", "12 ml", "4 ml"],
        ["4", "4 ml", "12 ml", "12 ml"],
    ]
    content = page([header, *set_in_columns(body, xs, top=114)])
    (found,) = find_tables(content)
    check(content, [found])
    assert texts(found.table)[0] == ["Saccharometer", "Water", "Glucose Solution", "Yeast"]


def test_korean_tables_are_read():
    rows = [
        ["구분", "2022년", "2023년"],
        ["매출", "1,204", "1,388"],
        ["영업이익", "210", "198"],
        ["합계", "1,414", "1,586"],
    ]
    content = page(set_in_columns(rows, (60, 200, 300)))
    (found,) = find_tables(content)
    check(content, [found])
    assert texts(found.table) == rows


def test_captions_stay_outside():
    rows = [["Name", "Value"], ["a", "1.5"], ["b", "2.5"], ["c", "3.5"], ["d", "4.5"]]
    caption = line("Table 1: Values of names", 60, 86)
    content = page([caption, *set_in_columns(rows, (60, 180))])
    (found,) = find_tables(content)
    assert caption not in found.lines
    region = Region(Box(50, 70, 300, 170), "table", 0.9)
    (found,) = find_tables(content, [region])
    assert caption not in found.lines
    assert texts(found.table) == rows


def test_code_is_no_table():
    rows = [["x", "INTEGER,"], ["y", "CHOICE"], ["z1", "INTEGER,"], ["z2", "REAL,"]]
    values = [["1.5", "2.5"], ["3.5", "4.5"], ["5.5", "6.5"], ["7.5", "8.5"]]
    prose = [line(text, 60, 300 + 14 * at) for at, text in enumerate(PROSE)]
    for cells, tables in ((rows, 0), (values, 0)):
        code = []
        for own in set_in_columns(cells, (60, 180)):
            words = [replace(w, font=replace(w.font, mono=True)) for w in own.words]
            code.append(replace(own, words=tuple(words)))
        assert len(find_tables(page([*code, *prose]))) == tables
    typed = find_tables(page(code))  # a page from a typewriter may hold tables
    assert len(typed) == 1


def test_a_numbered_heading_over_a_list_is_no_table():
    heading = [line("2.5", 60, 100, 14, bold=True), line("Future developments", 100, 100, 14)]
    items = set_in_columns([["•", "Add a report"], ["•", "The real type"]], (60, 100), top=130)
    assert find_tables(page([*heading, *items])) == []


def test_labels_in_a_picture_that_a_model_takes_for_a_figure_are_no_table():
    rows = [["Name", "Value"], ["a", "1.5"], ["b", "2.5"], ["c", "3.5"], ["d", "4.5"]]
    box = Box(50, 80, 300, 170)
    content = page(
        set_in_columns(rows, (60, 180)),
        [across(80, 50, 300), across(170, 50, 300), down(50, 80, 170), down(300, 80, 170)],
    )
    content.pictures = [Picture(box, (500, 180))]
    assert len(find_tables(content)) == 1
    assert find_tables(content, [Region(box, "figure", 0.9)]) == []


def _two_columns():
    left = [line(text, 50, 100 + 12 * i) for i, text in enumerate(PROSE * 3)]
    right = [line(text, 330, 100 + 12 * i) for i, text in enumerate(PROSE * 3)]
    return left + right


def _narrow_columns():
    parts = [" ".join(text.split()[:4]) for text in PROSE * 3]
    return [line(t, x, 100 + 12 * i) for x in (50, 220, 390) for i, t in enumerate(parts)]


def _contents():
    titles = ["Introduction", "Methods and data", "Results", "Discussion", "Notes", "Index"]
    pages = ["7", "12", "39", "45", "58", "103"]
    return set_in_columns(list(zip(titles, pages, strict=True)), (60, 480))


def _leaders():
    return [
        line(f"{title} . . . . . . . . . . . . . . . . {number}", 60, 100 + 14 * i)
        for i, (title, number) in enumerate((("One", 3), ("Two", 9), ("Three", 8), ("Four", 21)))
    ]


def _list():
    items = ["first thing to do today", "second thing", "third thing for later", "fourth one"]
    return [
        made
        for i, text in enumerate(items)
        for made in (line(f"{i + 1}.", 60, 100 + 14 * i), line(text, 84, 100 + 14 * i))
    ]


def _equation():
    return [
        line("P + Q", 100, 100),
        line("x = y + z", 220, 108),
        line("R + S", 100, 116),
        line("(13)", 480, 108),
    ]


def _code():
    text = ["def f(x):", "if x > 3:", "return x + 1", "for i in range(x):", "print(i)", "return 0"]
    return [line(part, 60 + 20 * (i % 3), 100 + 12 * i) for i, part in enumerate(text)]


@pytest.mark.parametrize(
    "make", [_two_columns, _narrow_columns, _contents, _leaders, _list, _equation, _code]
)
def test_what_is_no_table(make):
    assert find_tables(page(make())) == []


def test_two_columns_of_text_between_rules_are_no_table():
    rules = [across(80, 50, 560), across(330, 50, 560)]
    assert find_tables(page(_two_columns(), rules)) == []


def test_tables_side_by_side_with_text_keep_to_their_column():
    left = [line(text, 50, 100 + 12 * i) for i, text in enumerate(PROSE * 3)]
    right = [line(text, 330, 200 + 12 * i) for i, text in enumerate(PROSE * 2)]
    rows = [["Name", "Value"], ["aa", "1.5"], ["bb", "2.5"], ["cc", "3.5"], ["dd", "4.5"]]
    content = page([*left, *set_in_columns(rows, (330, 450), top=101, pitch=13), *right])
    (found,) = find_tables(content)
    check(content, [found])
    assert texts(found.table) == rows
