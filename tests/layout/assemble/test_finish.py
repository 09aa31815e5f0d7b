"""The document as a whole: levels of headings, running headers, numbering of elements."""

import pickle

from solarmini.layout.assemble import draft_page, finish
from solarmini.layout.assemble.levels import number_depth, set_levels
from solarmini.layout.document import Span
from solarmini.layout.primitives import Block, union

LOREM = (
    "The committee met in the spring of that year and agreed that every member should report on "
    "the state of the harbour before the winter storms would make the passage too dangerous."
)


def heading(typist, text, size, **style):
    line = typist().line(text, 60, 60, size, **style)
    return Block("heading", union([line.box]), [line], (Span(text=text),))


def levels(*blocks):
    set_levels(blocks)
    return [block.level for block in blocks]


def test_levels_from_sizes(typist):
    assert levels(
        heading(typist, "Harbours", 20),
        heading(typist, "Ropes", 14),
        heading(typist, "Knots", 12, bold=True),
        heading(typist, "Anchors", 14),
    ) == [1, 2, 3, 2]


def test_numbers_decide_within_one_size(typist):
    assert levels(
        heading(typist, "A Study of Harbours", 20),
        heading(typist, "1 Introduction", 12, bold=True),
        heading(typist, "1.1 Ropes", 12, bold=True),
        heading(typist, "1.1.1 Knots", 12, bold=True),
        heading(typist, "2 Methods", 12, bold=True),
    ) == [1, 2, 3, 4, 2]


def test_heading_without_a_number_has_the_level_of_its_style(typist):
    assert levels(
        heading(typist, "1 Introduction", 14, bold=True),
        heading(typist, "1.1 Ropes", 12, bold=True),
        heading(typist, "References", 14, bold=True),
    ) == [1, 2, 1]


def test_depth_of_numbers():
    assert [number_depth(t) for t in ("3 Results", "3.1. On", "B.2 More", "Results", "3D")] == [
        1,
        2,
        2,
        0,
        0,
    ]


def book(typist, pages=5):
    drafts = []
    for number in range(1, pages + 1):
        page = typist(number)
        page.line("Harbours of the north coast", 60, 84, 10)  # as large as the text, and low
        page.text(LOREM, 60, 102, columns=80)
        page.text(f"Page {number} says: " + LOREM, 60, 150, columns=80)
        page.line(f"Tide tables {number + 10}", 60, 740, 10)
        drafts.append(draft_page(page.content))
    return drafts


def test_running_headers_are_found_by_repetition(typist):
    pages = finish(book(typist))
    for page in pages:
        assert page.elements[0].category == "header"
        assert page.elements[0].text == "Harbours of the north coast"
        assert page.elements[-1].category == "footer"
        assert [e.category for e in page.elements[1:-1]] == ["paragraph"] * 2


def test_elements_are_numbered_through_the_document(typist):
    pages = finish(book(typist))
    ids = [element.id for page in pages for element in page.elements]
    assert ids == list(range(20))
    assert [page.number for page in pages] == [1, 2, 3, 4, 5]


def test_captions_are_linked_by_id(typist):
    page = typist(1)
    page.text(LOREM, 60, 60, columns=80)
    figure = page.figure((60, 120, 300, 250))
    page.line("Figure 1: The harbour.", 60, 260, 9)
    second = typist(2)
    other = second.figure((60, 120, 300, 250))
    second.line("그림 2. 항구", 60, 260, 9)
    pages = finish(
        [draft_page(second.content, [], [other]), draft_page(page.content, [], [figure])]
    )
    assert [page.number for page in pages] == [1, 2]
    for page in pages:
        figures = [e for e in page.elements if e.category == "figure"]
        captions = {e.id for e in page.elements if e.category == "caption"}
        assert [e.caption in captions for e in figures] == [True]


def test_polygons_are_fractions_of_the_page(typist):
    page = typist()
    page.line("Alone", 60, 80)
    [element] = finish([draft_page(page.content)])[0].elements
    assert element.polygon[0] == (0.1, 0.1)
    assert element.polygon[2].y == 90 / 800


def test_drafts_can_be_sent_between_processes(typist):
    drafts = book(typist)
    again = pickle.loads(pickle.dumps(drafts))
    assert finish(again) == finish(drafts)


def test_a_style_that_is_a_heading_elsewhere_settles_a_doubt(typist):
    from solarmini.layout.assemble.finish import agree_on_headings

    sure = [heading(typist, f"Chapter of ropes {i}", 14, bold=True) for i in range(5)]
    doubtful = heading(typist, "On knots", 14, bold=True)
    doubtful.category, doubtful.confidence = "paragraph", 0.6
    agree_on_headings([*sure, doubtful], fuzzy=False)
    assert doubtful.category == "heading"
