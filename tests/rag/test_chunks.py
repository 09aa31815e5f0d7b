"""Chunks follow the document's structure, and are the same in every run."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.layout.document import (
    Cell,
    Document,
    Element,
    Page,
    Span,
    Table,
    rectangle,
)
from solarmini.rag.chunk.blocks import blocks_of
from solarmini.rag.chunk.build import chunk, pack
from solarmini.rag.chunk.html import parse_html
from solarmini.rag.chunk.markdown import parse_markdown, parse_text
from solarmini.rag.chunk.model import ChunkSize, places_from_json, places_to_json
from solarmini.rag.chunk.sentences import sentences
from solarmini.rag.chunk.tables import row_texts
from solarmini.rag.chunk.tokens import estimate_tokens

BOX = rectangle(0.1, 0.1, 0.9, 0.2)


def element(number: int, category: str, text: str = "", page: int = 1, **more: object) -> Element:
    return Element.model_validate(
        {
            "id": number,
            "category": category,
            "page": page,
            "polygon": rectangle(0.1, number / 100, 0.9, number / 100 + 0.01),
            "spans": (Span(text=text),) if text else (),
            **more,
        }
    )


def grid(rows: list[list[str]], head: int = 1) -> Table:
    cells = tuple(
        Cell(row=r, column=c, header=r < head, spans=(Span(text=text),))
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
    )
    return Table(rows=len(rows), columns=len(rows[0]), cells=cells, header_rows=head)


def document(*elements: Element, title: str | None = None) -> Document:
    pages: dict[int, list[Element]] = {}
    for one in elements:
        pages.setdefault(one.page, []).append(one)
    made = tuple(
        Page(number=n, width=600, height=800, elements=tuple(e)) for n, e in sorted(pages.items())
    )
    return Document(source="a.pdf", format="pdf", total_pages=len(made), pages=made, title=title)


def test_headings_make_the_path_and_end_a_chunk() -> None:
    chunks = chunk(
        blocks_of(
            document(
                element(0, "heading1", "Paper"),
                element(1, "paragraph", "First words."),
                element(2, "heading2", "Method"),
                element(3, "paragraph", "How it is done."),
                element(4, "paragraph", "And why.", page=2),
                element(5, "heading2", "Results", page=2),
                element(6, "heading3", "Speed", page=2),
                element(7, "paragraph", "Fast.", page=2),
            )
        )
    )
    assert [(c.heading, c.text) for c in chunks] == [
        (("Paper",), "First words."),
        (("Paper", "Method"), "How it is done.\nAnd why."),
        (("Paper", "Results", "Speed"), "Fast."),
    ]
    both = chunks[1]
    assert both.pages == (1, 2)
    assert [(p.page, p.element) for p in both.places] == [(1, 3), (2, 4)]
    assert all(place.polygon is not None for place in both.places)


def test_a_heading_with_nothing_under_it_is_kept() -> None:
    chunks = chunk(
        blocks_of(
            document(
                element(0, "heading1", "A"),
                element(1, "heading1", "B"),
                element(2, "paragraph", "Under B."),
                element(3, "heading2", "Last"),
            )
        )
    )
    assert [c.text for c in chunks] == ["A", "Under B.", "Last"]


def test_table_is_one_chunk_with_caption_html_and_rows_for_search() -> None:
    table = grid([["Model", "H6"], ["SOLAR", "74.20"], ["Mistral", "60.97"]])
    chunks = chunk(
        blocks_of(
            document(
                element(0, "heading1", "Results"),
                element(1, "caption", "Table 2: scores"),
                element(2, "table", table=table, caption=1),
                element(3, "paragraph", "Discussion."),
            )
        )
    )
    found = next(c for c in chunks if c.kind == "table")
    assert found.text == "Table 2: scores\nModel: SOLAR; H6: 74.20\nModel: Mistral; H6: 60.97"
    assert found.markup is not None
    assert "<thead>" in found.markup
    assert "<td>74.20</td>" in found.markup
    assert {place.element for place in found.places} == {1, 2}
    assert found.tokens == estimate_tokens(found.markup)
    assert [c.kind for c in chunks] == ["table", "text"]  # the caption is no chunk of its own


def test_long_table_is_split_between_rows_and_keeps_its_head() -> None:
    rows = [["Name", "Value"], *([f"row {n}", "x " * 20] for n in range(40))]
    made = chunk(blocks_of(document(element(0, "table", table=grid(rows)))), ChunkSize(table=200))
    assert len(made) > 3
    assert all(">Name</th>" in (part.markup or "") for part in made)
    said = "\n".join(part.text for part in made)
    assert [f"Name: row {n};" in said for n in range(40)] == [True] * 40
    assert said.count("Name: row 7;") == 1


def test_row_texts_join_head_rows_and_say_spans_once() -> None:
    cells = (
        Cell(row=0, column=0, row_span=2, header=True, spans=(Span(text="Year"),)),
        Cell(row=0, column=1, column_span=2, header=True, spans=(Span(text="Sales"),)),
        Cell(row=1, column=1, header=True, spans=(Span(text="EU"),)),
        Cell(row=1, column=2, header=True, spans=(Span(text="US"),)),
        Cell(row=2, column=0, spans=(Span(text="2023"),)),
        Cell(row=2, column=1, column_span=2, spans=(Span(text="none"),)),
    )
    table = Table(rows=3, columns=3, cells=cells, header_rows=2)
    assert row_texts(table) == ["Year: 2023; Sales EU: none"]


def test_figures_keep_caption_and_their_own_text() -> None:
    made = chunk(
        blocks_of(
            document(
                element(0, "caption", "Figure 1: growth"),
                element(1, "figure", "step 1", caption=0),
            )
        )
    )
    assert [(c.kind, c.text) for c in made] == [("figure", "Figure 1: growth\nstep 1")]


def test_headers_and_footers_stand_apart_once() -> None:
    made = chunk(
        blocks_of(
            document(
                element(0, "header", "Annual report 2023"),
                element(1, "paragraph", "One"),
                element(2, "footer", "page 1"),
                element(3, "header", "Annual report 2023", page=2),
                element(4, "paragraph", "Two", page=2),
                element(5, "footer", "page 2", page=2),
            )
        )
    )
    assert [(c.kind, c.text) for c in made] == [
        ("text", "One\nTwo"),
        ("furniture", "Annual report 2023\npage 1"),
    ]


def test_title_leads_the_path_where_no_heading_says_it() -> None:
    made = chunk(blocks_of(document(element(0, "paragraph", "Text."), title="The Title")))
    assert made[0].heading == ("The Title",)
    assert made[0].search_text == "The Title\nText."


def test_ids_are_of_the_content_and_equal_chunks_differ() -> None:
    def ids(text: str) -> list[str]:
        return [c.id for c in chunk(parse_markdown(text))]

    first = ids("# A\n\nSame.\n\n# A\n\nSame.\n\n# B\n\nOther.")
    assert len(set(first)) == 3
    assert ids("# A\n\nSame.\n\n# A\n\nSame.\n\n# B\n\nOther.") == first
    changed = ids("# A\n\nSame.\n\n# A\n\nSame.\n\n# B\n\nChanged.")
    assert changed[:2] == first[:2]  # what did not change keeps its id
    assert changed[2] != first[2]


def test_long_paragraph_is_split_between_sentences() -> None:
    text = " ".join(f"Sentence number {n} says something of note." for n in range(80))
    made = chunk(parse_text(text), ChunkSize(target=60, most=80))
    assert len(made) > 5
    assert all(c.text.endswith("note.") and c.tokens <= 60 for c in made)
    assert " ".join(c.text for c in made) == text


@given(st.text(alphabet="ab .!?\n가나다。", max_size=300), st.integers(4, 40))
def test_packing_loses_nothing_but_white_space(text: str, target: int) -> None:
    pieces = list(pack(text, target, estimate_tokens))
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(estimate_tokens(piece) <= target + 1 for piece in pieces)


def test_sentences_know_abbreviations_numbers_and_korean() -> None:
    text = "Dr. Kim scored 74.20 in Fig. 2. 그는 말했다. 끝!\nNew line"
    said = [text[start:end] for start, end in sentences(text)]
    assert said == ["Dr. Kim scored 74.20 in Fig. 2.", "그는 말했다.", "끝!", "New line"]


def test_markdown_blocks() -> None:
    made = chunk(
        parse_markdown(
            "---\ntitle: Guide\n---\nIntro with **bold** and [a link](http://x.y/z).\n\n"
            "Setup\n-----\n\n```python\n# not a heading\nx = 1\n```\n\n"
            "| a | b |\n|---|:-:|\n| 1 | 2\\|3 |\n\n- one\n- two\n"
        )
    )
    assert made[0].heading == ("Guide",)
    assert made[0].text == "Intro with bold and a link."
    texts = {c.kind: c.text for c in made if c.heading == ("Guide", "Setup")}
    assert texts["table"] == "a: 1; b: 2|3"
    assert "# not a heading\nx = 1" in texts["text"]
    assert "- one\n- two" in texts["text"]


def test_html_blocks() -> None:
    page = (
        "<html><head><title>T &amp; U</title><script>secret()</script><body>"
        "<h1>Top</h1><p>Some <b>bold</b>   text.<ul><li>one<li>two</ul>"
        "<table><caption>Cap</caption><tr><th colspan=2>H<tr><td rowspan=9>a<td>b</table>"
        "<pre>x  =  1</pre><style>p{}</style>"
    )
    made = chunk(parse_html(page))
    assert made[0].heading == ("T & U", "Top")
    said = {c.kind: c for c in made}
    assert said["text"].text == "Some bold text.\n• one\n• two\nx  =  1"
    assert said["table"].text == "Cap\nH: a; H: b"
    assert "secret" not in json.dumps([c.text for c in made])


@given(st.text(max_size=400))
def test_readers_take_any_text(text: str) -> None:
    for read in (parse_text, parse_markdown, parse_html):
        for made in chunk(read(text)):
            assert made.text.strip()
            assert made.places


@pytest.mark.parametrize("table", ["<table><tr><td colspan=0>a", "<table><td>a<td rowspan=x>b"])
def test_odd_tables_are_read(table: str) -> None:
    assert [c.kind for c in chunk(parse_html(table + "</table>"))] == ["table"]


def test_places_survive_json() -> None:
    made = chunk(blocks_of(document(element(0, "paragraph", "Text."))))[0].places
    assert places_from_json(places_to_json(made)) == made
