"""Whatever a page holds, each of its words comes out once."""

import random
import time
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from solarmini.layout.assemble import draft_page, finish
from solarmini.layout.primitives import (
    Box,
    Font,
    FoundFigure,
    FoundTable,
    Line,
    PageContent,
    Region,
    Word,
    union,
)

texts = st.sampled_from(
    ["•", "1.", "12", "(3.1)", "Figure 2:", "a", "of the harbour", "표 3", "가나다 라마", "x = y",
     "A Heading", "co-", "operate", "....... 7", "T", "https://a.b/c-", "III.", "MORE CAPITALS"]
)  # fmt: skip


@st.composite
def lines(draw):
    found = []
    for at in range(draw(st.integers(0, 25))):
        size = draw(st.sampled_from([7.0, 10.0, 10.0, 10.0, 14.0, 40.0]))
        angle = draw(st.sampled_from([0, 0, 0, 0, 0, 90, 180, 270]))
        x, y = draw(st.integers(0, 58)) * 10.0, draw(st.integers(0, 78)) * 10.0
        font = Font(draw(st.sampled_from(["A", "B"])), size, draw(st.sampled_from([400, 700])))
        words = []
        for i, part in enumerate(draw(texts).split(" ")):
            wide = len(part) * size / 2
            box = Box(x, y, x + wide, y + size)
            if angle in (90, 270):
                box = Box(x, y, x + size, y + wide)
            raised = draw(st.sampled_from(["", "", "", "superscript"]))
            words.append(Word(part, box, font, box.bottom, i > 0, raised=raised))
            x, y = (x + wide + 4, y) if angle in (0, 180) else (x, y + wide + 4)
        found.append(Line(tuple(words), union(w.box for w in words), angle, at))
    return found


regions = st.lists(
    st.builds(
        lambda x, y, label, score: Region(Box(x, y, x + 200, y + 100), label, score),
        st.integers(0, 400),
        st.integers(0, 700),
        st.sampled_from(["text", "title", "caption", "header", "footer", "footnote", "equation"]),
        st.floats(0, 1),
    ),
    max_size=4,
)


def words_of(blocks):
    """Words by text and place: pieces of a line may have been made anew."""
    return Counter((w.text, w.box) for b in blocks for line in b.lines for w in line.words)


def letters(text):
    return Counter(c for c in text if not c.isspace() and c not in "-\u00ad")


@settings(max_examples=60)
@given(lines(), regions, st.booleans(), st.booleans())
def test_every_word_comes_out_once(found, seen, scanned, with_objects):
    from solarmini.layout.document import Cell, Span, Table

    content = PageContent(1, 600.0, 800.0, lines=found, ocr=scanned)
    tables, figures = [], []
    if with_objects and len(found) > 3:
        cell = Cell(row=0, column=0, spans=(Span(text=found[0].text),))
        tables = [FoundTable(found[0].box, Table(rows=1, columns=1, cells=(cell,)), found[:1], 1)]
        # a figure that claims a line of the table too
        figures = [FoundFigure(union(line.box for line in found[:2]), False, found[:2], 1)]
    draft = draft_page(content, tables, figures, seen)
    wanted = Counter((w.text, w.box) for line in found for w in line.words)
    assert words_of(draft.blocks) == wanted
    [page] = finish([draft])
    assert letters(page.text) == letters(" ".join(line.text for line in found))
    assert [element.id for element in page.elements] == list(range(len(page.elements)))


@given(lines(), st.integers(3, 6))
@settings(max_examples=15)
def test_a_document_of_the_same_page_loses_nothing(found, count):
    drafts = [
        draft_page(PageContent(number, 600.0, 800.0, lines=found)) for number in range(1, count + 1)
    ]
    pages = finish(drafts)
    wanted = letters(" ".join(line.text for line in found))
    assert all(letters(page.text) == wanted for page in pages)
    ids = [element.id for page in pages for element in page.elements]
    assert ids == list(range(len(ids)))


def test_a_page_of_thousands_of_scattered_words_is_read_in_time():
    noise = random.Random(3)
    found = []
    for at in range(1500):
        x, y = noise.uniform(0, 580), noise.uniform(0, 790)
        text = noise.choice(["12", "Oak St", "•", "(4)", "A"])
        box = Box(x, y, x + 20, y + 6)
        found.append(Line((Word(text, box, Font("A", 6.0), y + 5),), box, 0, at))
    before = time.process_time()
    draft = draft_page(PageContent(1, 600.0, 800.0, lines=found))
    assert time.process_time() - before < 5
    assert sum(words_of(draft.blocks).values()) == 1500
