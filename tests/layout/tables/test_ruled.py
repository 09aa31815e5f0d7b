"""Tables with rules: grids, spans, partly ruled and filled ones."""

from hypothesis import given
from hypothesis import strategies as st
from table_pages import across, check, down, fill, line, page, ruled, set_in_columns, spans, texts

from solarmini.layout.tables import find_tables

WORDS = ("alpha", "beta", "gamma", "delta kappa", "omega", "표 셀", "long text here")


@st.composite
def grids(draw):
    """Column edges, row edges and cells with spans, every edge drawn somewhere."""
    rows, columns = draw(st.integers(2, 7)), draw(st.integers(2, 6))
    taken: set[tuple[int, int]] = set()
    cells = {}
    for r in range(rows):
        for c in range(columns):
            if (r, c) in taken:
                continue
            wide = draw(st.integers(1, 3)) if draw(st.integers(0, 3)) == 0 else 1
            high = draw(st.integers(1, 3)) if draw(st.integers(0, 3)) == 0 else 1
            wide, high = min(wide, columns - c), min(high, rows - r)
            while any((r, c + i) in taken for i in range(wide)):
                wide -= 1
            taken |= {(r + i, c + j) for i in range(high) for j in range(wide)}
            cells[r, c, high, wide] = draw(st.sampled_from(WORDS))
    starts = {c for _, c, _, _ in cells}, {r for r, _, _, _ in cells}
    keep_c, keep_r = sorted(starts[0]), sorted(starts[1])
    packed = {}
    for (r, c, high, wide), text in cells.items():
        down_ = sum(r <= k < r + high for k in keep_r)
        along = sum(c <= k < c + wide for k in keep_c)
        packed[keep_r.index(r), keep_c.index(c), down_, along] = text
    xs, ys = [50.0], [80.0]
    for _ in keep_c:
        xs.append(xs[-1] + draw(st.integers(75, 95)))
    for _ in keep_r:
        ys.append(ys[-1] + draw(st.integers(16, 30)))
    return xs, ys, packed


@given(grids())
def test_any_ruled_grid_is_recovered(made):
    xs, ys, cells = made
    content = ruled(xs, ys, cells)
    found = find_tables(content)
    if len(xs) < 3 or len(ys) < 3 or sum(c < 2 for _, c, _, _ in cells) < 2:
        return  # one row or one column: boxed text, not a table
    by_row = {}
    for r, _, _, _ in cells:
        by_row[r] = by_row.get(r, 0) + 1
    if sum(n > 1 for n in by_row.values()) < max(2, 0.3 * (len(ys) - 1)) or len(cells) < 4:
        return
    assert len(found) == 1
    check(content, found)
    assert spans(found[0].table) == cells


def test_cells_of_several_lines_and_their_boxes():
    xs, ys = [60.0, 180.0, 300.0], [100.0, 120.0, 165.0, 185.0]
    cells = {
        (0, 0, 1, 1): "Name",
        (0, 1, 1, 1): "Meaning",
        (1, 0, 1, 1): "first",
        (1, 1, 1, 1): "a text that\ngoes on over\nthree lines",
        (2, 0, 1, 1): "second",
        (2, 1, 1, 1): "short",
    }
    content = ruled(xs, ys, cells)
    (found,) = find_tables(content)
    check(content, [found])
    assert texts(found.table)[1] == ["first", "a text that goes on over three lines"]
    assert found.table.header_rows == 1
    cell = next(c for c in found.table.cells if c.text == "second")
    left, top = cell.polygon[0]
    right, bottom = cell.polygon[2]
    got = (left * 595, top * 842, right * 595, bottom * 842)
    assert all(abs(a - b) < 1 for a, b in zip(got, (60, 165, 180, 185), strict=True))


def test_values_between_rules_are_rows_of_their_own():
    rules = [across(y, 60, 300) for y in (100, 118, 165)] + [
        down(x, 100, 165) for x in (60, 140, 220, 300)
    ]
    rows = [
        ["Item", "2019", "2020"],
        ["Apples", "12", "15"],
        ["Pears", "7", "9"],
        ["Nuts", "1", "3"],
    ]
    lines = set_in_columns(rows, (64, 144, 224), top=113)
    content = page(lines, rules)
    (found,) = find_tables(content)
    check(content, [found])
    assert texts(found.table) == rows


def test_booktabs_with_headings_over_groups():
    xs = (80, 180, 240, 300, 360)
    head = [line("Training", 200, 112), line("Testing", 320, 112)]
    sub = set_in_columns([["Model", "Size", "Time", "Size", "Time"]], xs, top=126)
    body = [
        ["Small", "12", "3.5", "4", "1.0"],
        ["Medium", "24", "7.1", "8", "2.1"],
        ["Large", "48", "9", "16", "4"],
    ]
    lines = head + sub + set_in_columns(body, xs, top=142)
    rules = [across(y, 78, 390) for y in (100, 130, 176)]
    rules += [across(115, 180, 270), across(115, 300, 390)]
    content = page(lines, rules)
    (found,) = find_tables(content)
    check(content, [found])
    cells = spans(found.table)
    assert cells[0, 1, 1, 2] == "Training"
    assert cells[0, 3, 1, 2] == "Testing"
    assert cells[0, 0, 2, 1] == "Model"
    assert texts(found.table)[2:] == body
    assert found.table.header_rows == 2


def test_rows_that_only_rules_part_hold_several_lines():
    rules = [across(y, 60, 420) for y in (100, 118, 158, 198)]
    lines = [
        line("Kind", 62, 113, bold=True),
        line("What it means", 162, 113, bold=True),
        line("One", 62, 131),
        line("a description that does not fit on one line and", 162, 131),
        line("so goes on below it for a while", 162, 144),
        line("Two", 62, 171),
        line("another description that also does not fit on", 162, 171),
        line("one line", 162, 184),
    ]
    content = page(lines, rules)
    (found,) = find_tables(content)
    check(content, [found])
    assert [row[0] for row in texts(found.table)] == ["Kind", "One", "Two"]
    assert texts(found.table)[2][1].endswith("fit on one line")


def test_stripes_of_fill_part_rows():
    lines, fills = [], []
    for number in range(6):
        top = 100 + 20 * number
        if number % 2 == 0:
            fills.append(fill(60, top, 400, top + 20))
        lines.append(line(f"name{number}", 64, top + 14))
        lines.append(line(f"{number * 37}", 200, top + 14))
        lines.append(line(f"{number * 11}%", 320, top + 14))
    content = page(lines, (), fills)
    (found,) = find_tables(content)
    check(content, [found])
    assert (found.table.rows, found.table.columns) == (6, 3)


def test_a_frame_around_text_is_no_table():
    rules = [across(100, 60, 400), across(160, 60, 400), down(60, 100, 160), down(400, 100, 160)]
    lines = [
        line("This is a note that stands in a frame of its own so that", 64, 115),
        line("readers see it before they read anything else on the page", 64, 128),
        line("and it is not a table at all.", 64, 141),
    ]
    assert find_tables(page(lines, rules)) == []


def test_rotated_headings_are_kept():
    cells = {(r, c, 1, 1): f"t{r}{c}" for r in range(3) for c in range(3) if (r, c) != (0, 0)}
    cells[0, 0, 1, 1] = ""
    content = ruled([60, 140, 220, 300], [100, 150, 170, 190], cells)
    upright = line("up", 70, 140)
    turned = type(upright)(upright.words, upright.box, 270)
    content.lines.append(turned)
    (found,) = find_tables(content)
    check(content, [found])
    assert texts(found.table)[0][0] == "up"
