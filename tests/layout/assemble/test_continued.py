"""Paragraphs that columns and pages cut, notes in the margin, and names below a title."""

from solarmini.layout.assemble import draft_page, finish
from solarmini.layout.document import Document, Element, rectangle
from solarmini.layout.export.flow import flowing
from solarmini.layout.export.plain import to_text
from solarmini.layout.primitives import Font, Line, Word, union

FIRST = (
    "The committee met in the spring of that year and agreed that every member should report on "
    "the state of the harbour, on the ropes and the lanterns, and on the men who kept them effi"
)
SECOND = (
    "ciently at work, before the winter storms would make the passage too dangerous for ships. "
    "Nobody objected, for the autumn had been long and the pilots had little else to do."
)


def read(*pages):
    done = finish([draft_page(page.content) for page in pages])
    return Document(source="a", format="pdf", total_pages=len(pages), pages=tuple(done))


def columns(typist, left, right):
    page = typist()
    page.text(left, 60, 100, columns=46)
    page.text(right, 330, 100, columns=46)
    return page


def test_a_word_broken_by_the_end_of_a_column_is_mended_and_the_paragraph_joined(typist):
    document = read(columns(typist, FIRST + "-", SECOND))
    first, second = document.pages[0].elements
    assert (first.continues, second.continues) == (None, first.id)
    assert first.text.endswith("kept them efficiently")
    assert second.text.startswith("at work, before")
    assert "them efficiently at work, before the winter" in to_text(document)


def test_a_hyphen_of_the_word_stays(typist):
    left = FIRST.removesuffix("effi") + "well-"
    document = read(columns(typist, left, "known shallows, which no chart shows to this very day."))
    assert "kept them well-known shallows, which" in to_text(document)


def test_a_paragraph_that_has_ended_is_not_joined(typist):
    left = FIRST.removesuffix(" effi") + "."
    document = read(columns(typist, left, SECOND.capitalize()))
    assert [e.continues for e in document.elements] == [None, None]


def test_a_paragraph_goes_on_on_the_next_page(typist):
    one, two = typist(1), typist(2)
    one.text(FIRST + "-", 60, 600, columns=90)
    two.text(SECOND, 60, 100, columns=90)
    document = read(one, two)
    assert [e.continues for e in document.elements] == [None, 0]
    assert [e.page for e in document.elements] == [1, 2]
    assert "efficiently at work" in to_text(document)


def test_what_stands_between_two_parts_stays_between_them():
    box = rectangle(0, 0, 1, 1)

    def element(number, text, continues=None, category="paragraph"):
        spans = [{"text": text}]
        return Element.model_validate(
            {"id": number, "category": category, "page": 1, "polygon": box, "spans": spans}
            | {"continues": continues}
        )

    parts = [element(0, "one"), element(1, "note", category="footnote"), element(2, "two", 0)]
    assert [e.text for e in flowing(parts)] == ["one", "note", "two"]
    chain = [element(0, "one"), element(1, "two", 0), element(2, "three", 1)]
    assert [e.text for e in flowing(chain)] == ["one two three"]
    assert [e.text for e in flowing([element(0, "東"), element(1, "京", 0)])] == ["東京"]


def test_a_stamp_up_the_margin_is_no_heading(typist):
    page = typist()
    page.line("A Study of Harbours and Ropes", 60, 60, size=18, bold=True)
    for paragraph in range(4):
        page.text(FIRST + "cient.", 60, 120 + 120 * paragraph, columns=90)
    font, top = Font("Serif", 20.0), 700.0
    words = []
    for part in ("arXiv:2312.00001v3", "[cs.CL]", "4", "Apr", "2024"):
        box = (20.0, top - 10 * len(part), 40.0, top)
        words.append(Word(part, type(page.content.box)(*box), font, 38.0))
        top = box[1] - 8
    line = Line(tuple(words), union(w.box for w in words), 270, len(page.content.lines))
    page.content.lines.append(line)
    document = read(page)
    kinds = {e.text[:5]: e.category for e in document.elements}
    assert kinds["arXiv"] == "header"
    assert kinds["A Stu"] == "heading1"


def test_authors_between_title_and_abstract_are_no_headings(typist):
    page = typist()
    page.line("A Study of Harbours and Ropes", 150, 60, size=18, bold=True)
    page.line("Ada Miller∗, Ben Cooper†, Cara Smith∗, Dan Fisher", 120, 100, size=13, bold=True)
    page.line("Institute of Navigation, Busan", 200, 130, size=13)
    page.line("Abstract", 270, 170, size=12, bold=True)
    page.text(FIRST + "cient.", 60, 200, columns=90)
    page.line("1 Introduction", 60, 300, size=12, bold=True)
    page.text(SECOND.capitalize(), 60, 330, columns=90)
    document = read(page)
    headings = [e.text for e in document.elements if e.level]
    assert headings == ["A Study of Harbours and Ropes", "Abstract", "1 Introduction"]


def test_a_page_whose_pictures_were_read_is_no_scan(typist):
    page = typist()
    page.line("A Study of Harbours and Ropes", 60, 60, size=18, bold=True)
    page.text(FIRST + "cient.", 60, 120, columns=90)
    page.content.ocr = True
    assert not draft_page(page.content).scanned
    page.content.scanned = True
    assert draft_page(page.content).scanned
