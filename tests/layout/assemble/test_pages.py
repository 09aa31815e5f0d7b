"""Whole pages: order and categories on layouts that documents have."""

LOREM = (
    "The committee met in the spring of that year and agreed that every member should report on "
    "the state of the harbour before the winter storms would make the passage too dangerous for "
    "the smaller boats. Nobody spoke against it, although several had voted otherwise before."
)


def blocks(draft):
    return [(b.category, "".join(s.text for s in b.spans)) for b in draft.blocks]


def texts(draft, category):
    return [text for kind, text in blocks(draft) if kind == category]


def heads(draft, count=12):
    return [text[:count] for _, text in blocks(draft)]


def test_two_columns_under_a_title_across_both(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.line("A Study of Harbours", 180, 60, 20, bold=True)
    y = page.text("Left one. " + LOREM, 60, 110)
    page.text("Left two. " + LOREM, 60, y, indent=15)
    y = page.text("Right one. " + LOREM, 310, 110)
    page.text("Right two. " + LOREM, 310, y, indent=15)
    draft = draft_page(page.content)
    assert heads(draft, 9) == ["A Study o", "Left one.", "Left two.", "Right one", "Right two"]
    assert draft.blocks[0].category == "heading"
    assert {b.category for b in draft.blocks[1:]} == {"paragraph"}
    assert texts(draft, "paragraph")[0] == "Left one. " + LOREM


def test_file_order_does_not_matter(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.text("Right. " + LOREM, 310, 100)
    page.text("Left. " + LOREM, 60, 100)
    page.content.lines.reverse()
    assert heads(draft_page(page.content), 5) == ["Left.", "Right"]


def test_three_columns_then_a_line_across_then_two(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    for i, name in enumerate(("One", "Two", "Three")):
        page.text(f"{name}. " + LOREM, 50 + 175 * i, 60, columns=31)
    page.text("Across. " + LOREM + " " + LOREM, 50, 230, columns=98)
    page.text("Four. " + LOREM, 50, 330)
    page.text("Five. " + LOREM, 320, 330)
    assert heads(draft_page(page.content), 4) == ["One.", "Two.", "Thre", "Acro", "Four", "Five"]


def test_columns_of_different_length(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    y = page.text("L1. " + LOREM, 60, 100)
    y = page.text("L2. " + LOREM, 60, y + 14)
    page.text("L3. " + LOREM, 60, y + 14)
    page.text("R1. " + LOREM, 310, 100)
    assert heads(draft_page(page.content), 3) == ["L1.", "L2.", "L3.", "R1."]


def test_side_note_is_read_apart(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    y = page.text("Main. " + LOREM, 60, 100, columns=68)
    page.text("Then. " + LOREM, 60, y + 10, columns=68)
    page.text("A note that stands beside the text.", 440, 110, columns=24, size=8)
    found = heads(draft_page(page.content), 5)
    assert sorted(found) == ["A not", "Main.", "Then."]
    assert found.index("Main.") < found.index("Then.")
    assert any(text == "Main. " + LOREM for _, text in blocks(draft_page(page.content)))


def test_figure_and_its_caption_in_a_column(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    y = page.text("Left. " + LOREM, 60, 100)
    figure = page.figure((310, 100, 510, 220), "Axis of time", "Axis of depth")
    page.text("Figure 3: How the harbour filled with sand.", 310, 228, size=9)
    page.text("Right. " + LOREM, 310, 270)
    page.text("Left again. " + LOREM, 60, y + 12)
    draft = draft_page(page.content, [], [figure])
    assert heads(draft, 6) == ["Left. ", "Left a", "Axis o", "Figure", "Right."]
    assert [b.category for b in draft.blocks][2:4] == ["figure", "caption"]
    assert draft.blocks[3].caption_of == 2
    assert texts(draft, "figure") == ["Axis of time\nAxis of depth"]


def test_mention_of_a_figure_is_no_caption(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    figure = page.figure((60, 100, 460, 250))
    page.text("Figure 3 shows that the harbour filled with sand. " + LOREM, 60, 270, columns=80)
    draft = draft_page(page.content, [], [figure])
    assert [b.category for b in draft.blocks] == ["figure", "paragraph"]


def test_caption_of_a_table_points_to_it(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.text(LOREM, 60, 60, columns=80)
    page.line("표 2. 항구의 깊이", 60, 150, 9)
    table = page.table((60, 165, 400, 230), "a", "b", "c")
    page.text(LOREM, 60, 260, columns=80)
    draft = draft_page(page.content, [table], [])
    assert [b.category for b in draft.blocks] == ["paragraph", "caption", "table", "paragraph"]
    assert draft.blocks[1].caption_of == 2


def test_footnotes_come_after_all_columns(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.text("Left. " + LOREM + LOREM, 60, 100)
    page.text("Right. " + LOREM + LOREM, 310, 100)
    page.rule(60, 690, 140)
    page.line("1 See the report of the harbour master.", 60, 700, 7.5, raised=(0,))
    page.line("2 Ibid., with more to say on the matter", 60, 712, 7.5, raised=(0,))
    draft = draft_page(page.content)
    assert [b.category for b in draft.blocks] == ["paragraph", "paragraph", "footnote", "footnote"]
    assert draft.blocks[2].spans[0].superscript


def test_header_footer_and_page_number(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.line("HARBOURS OF THE NORTH", 60, 30, 8)
    page.line("73", 520, 30, 8)
    page.text("Left. " + LOREM, 60, 100)
    page.text("Right. " + LOREM, 310, 100)
    page.line("Press of the Port | 73", 230, 770, 8)
    draft = draft_page(page.content)
    assert [b.category for b in draft.blocks] == [
        "header",
        "header",
        "paragraph",
        "paragraph",
        "footer",
    ]


def test_nested_list_with_markers_printed_apart(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.text(LOREM, 60, 60, columns=80)
    for i, (marker, text, level) in enumerate(
        [("•", "ropes", 0), ("–", "thin ropes", 1), ("–", "thick ropes", 1), ("•", "anchors", 0)]
    ):
        page.line(marker, 70 + 20 * level, 150 + 12 * i)
        page.line(text, 85 + 20 * level, 150 + 12 * i)
    page.text(LOREM, 60, 220, columns=80)
    draft = draft_page(page.content)
    assert [b.category for b in draft.blocks] == ["paragraph", "list", "paragraph"]
    assert [(i.marker, i.text, i.level) for i in draft.blocks[1].items] == [
        ("•", "ropes", 0),
        ("–", "thin ropes", 1),
        ("–", "thick ropes", 1),
        ("•", "anchors", 0),
    ]


def test_numbered_items_with_lines_that_hang(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.text(LOREM, 60, 60, columns=80)
    page.line("1. Tie the boat to the second ring and wait there", 70, 150)
    page.line("until the tide turns.", 85, 162)
    page.line("2. Pull in the ropes.", 70, 174)
    draft = draft_page(page.content)
    assert draft.blocks[1].category == "list"
    assert [(i.marker, i.text, i.ordered) for i in draft.blocks[1].items] == [
        ("1.", "Tie the boat to the second ring and wait there until the tide turns.", True),
        ("2.", "Pull in the ropes.", True),
    ]


def test_contents_with_page_numbers_set_apart(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.line("Contents", 60, 60, 18, bold=True)
    for i, (title, number) in enumerate(
        [("Introduction", 7), ("Ropes and knots", 12), ("Harbours", 21), ("The north", 35)]
    ):
        page.line(title, 60, 110 + 16 * i)
        page.line(str(number), 500, 110 + 16 * i)
    draft = draft_page(page.content)
    assert texts(draft, "index") == [
        "Introduction 7\nRopes and knots 12\nHarbours 21\nThe north 35"
    ]


def test_equation_with_its_number(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.text(LOREM, 60, 60, columns=80)
    page.line("x = a + b / c", 220, 140, font="CMMI10")
    page.line("(3.1)", 430, 140)
    page.text(LOREM, 60, 170, columns=80)
    draft = draft_page(page.content)
    assert blocks(draft)[1] == ("equation", "x = a + b / c (3.1)")


def test_code_keeps_its_lines(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.text(LOREM, 60, 60, columns=80)
    page.line("def tie(rope):", 60, 140, 10, font="Courier", mono=True)
    page.line("return rope + 1", 84, 152, 10, font="Courier", mono=True)
    draft = draft_page(page.content)
    assert blocks(draft)[1] == ("code", "def tie(rope):\n    return rope + 1")


def test_words_set_far_apart_are_one_line(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.line("the three arms of the State, that is the", 60, 100, width=200)
    page.line("executive,", 60, 112)
    page.line("the", 160, 112)
    page.line("legislature", 205, 112)
    page.line("and the judiciary, using the instruments of", 60, 124, width=200)
    page.line("legislation.", 60, 136)
    draft = draft_page(page.content)
    assert [text for _, text in blocks(draft)] == [
        "the three arms of the State, that is the executive, the legislature and the judiciary, "
        "using the instruments of legislation."
    ]


def test_a_large_initial_belongs_to_its_word(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.line("T", 60, 100, 40)
    page.line("his report defines the", 84, 104, width=176)
    page.line("word cholesterol as it is", 84, 116, width=176)
    page.line("used by those who write the laws", 84, 128, width=176)
    page.line("of the land and of the sea, in all ages.", 60, 144)
    draft = draft_page(page.content)
    assert blocks(draft)[0][1].startswith("This report defines the word cholesterol")


def test_rotated_text_is_kept_whole(typist):
    from dataclasses import replace

    from solarmini.layout.assemble import draft_page
    from solarmini.layout.primitives import Box

    page = typist()
    page.text(LOREM, 100, 100, columns=80)
    line = page.line("arXiv 2312 cs", 0, 0)
    words = tuple(
        replace(w, box=Box(20, 500 - w.box.right, 30, 500 - w.box.left)) for w in line.words
    )
    page.content.lines[-1] = replace(
        line, words=words, box=Box(20, 500 - line.box.right, 30, 500), angle=270
    )
    found = [text for _, text in blocks(draft_page(page.content))]
    assert sorted(found) == sorted([LOREM, "arXiv 2312 cs"])


def test_a_page_turned_on_its_side_is_read_in_its_own_direction(typist):
    from dataclasses import replace

    from solarmini.layout.assemble import draft_page
    from solarmini.layout.primitives import Box

    page = typist()
    page.text("Left. " + LOREM, 60, 100)
    page.text("Right. " + LOREM, 310, 100)

    def turned(box):
        return Box(600 - box.bottom, box.left, 600 - box.top, box.right)

    page.content.lines = [
        replace(
            line,
            words=tuple(replace(w, box=turned(w.box)) for w in line.words),
            box=turned(line.box),
            angle=90,
        )
        for line in page.content.lines
    ]
    draft = draft_page(page.content)
    assert [text for _, text in blocks(draft)] == ["Left. " + LOREM, "Right. " + LOREM]


def test_an_empty_page(typist):
    from solarmini.layout.assemble import draft_page, finish

    draft = draft_page(typist().content)
    assert draft.blocks == []
    assert finish([draft])[0].elements == ()


def test_circled_numbers_mark_a_list(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    page.text(LOREM, 60, 60, columns=80)
    for i, (marker, text) in enumerate([("①", "an application"), ("②", "a letter of consent")]):
        page.line(f"{marker} {text}", 70, 150 + 12 * i)
    page.text(LOREM, 60, 220, columns=80)
    draft = draft_page(page.content)
    assert [b.category for b in draft.blocks] == ["paragraph", "list", "paragraph"]
    assert [(i.marker, i.text) for i in draft.blocks[1].items] == [
        ("①", "an application"),
        ("②", "a letter of consent"),
    ]


def test_rows_that_end_in_signs_of_digits_are_read(typist):
    from solarmini.layout.assemble import draft_page

    page = typist()
    ends = ["②", "x²", "③", "1" * 5000, "④"]
    for i, end in enumerate(ends):
        page.line(f"Harbour dues .......... {end}", 60, 60 + 30 * i, width=400)
    draft = draft_page(page.content)
    text = " ".join(line.text for block in draft.blocks for line in block.lines)
    assert all(end in text for end in ends)
