"""Markdown: golden file; a CommonMark parser shows exactly the text and makes no markup of it."""

import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from small_documents import document, grid, of

from solarmini.layout.document import Document, Element, ListItem, Span, rectangle
from solarmini.layout.export import element_markdown, to_markdown
from solarmini.layout.export.clean import clean

GOLDEN = Path(__file__).parent / "golden"
COMMONMARK = MarkdownIt("commonmark").enable("table").enable("strikethrough")
HOSTILE = (
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "[a]: https://evil.example",
    "<https://evil.example>",
    "&lt;script&gt;",
    "\\<b>\\",
)


def shown(markdown: str) -> str:
    """What a reader sees: rendered, tags off."""
    html = COMMONMARK.render(markdown)
    return unescape(re.sub(r"<[^>]+>", "", html))


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("rich", [False, True])
def test_golden(sample: Document, rich: bool) -> None:
    name = "sample.rich.md" if rich else "sample.md"
    assert to_markdown(sample, rich=rich) == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 * 4 is 24",
        "snake_case and __init__.py are names",
        "5 > 3 and a|b, [1], (see [2]) and 50 %",
        "costs $5 – 3 × 4 = 12 #1",
        "AT&T; Q&A",
        "a < b and c > d",
    ],
)
def test_ordinary_text_is_not_touched(text: str) -> None:
    written = element_markdown(of("paragraph", text))
    assert written.replace("__init__", "") == text.replace("__init__", "") or "\\" in written
    if "__init__" not in text:
        assert written == text
    assert squeezed(shown(written)) == text


@pytest.mark.parametrize(
    "text",
    [
        "# no heading",
        "- no list",
        "+ no list",
        "* no list",
        "> no quote",
        "*no* _emphasis_ **at** all",
        "`code` and ``more``",
        "a  \n===\nb",
        "a\n---\nb",
        "***",
        "| a | b |\n| - | - |",
        "a | b\n--- | ---",
        "~~no~~ strike",
        "~~~",
        "1. one\n1. more",
        "text\n1. no list in it",
        "    four spaces",
        "a\\\\b \\* c\\",
        "x [y](z) w",
        *HOSTILE,
    ],
)
def test_markup_in_the_text_stays_text(text: str) -> None:
    for rich in (False, True):
        written = to_markdown(document(of("paragraph", text)), rich=rich)
        html = COMMONMARK.render(written)
        tags = set(re.findall(r"<(\w+)", html))
        assert tags <= {"p", "br", "ol", "li"}
        start = re.match(r"(\d+)\. ", text) if "<ol" in html else None
        prefix = start[0] if start else ""
        assert squeezed(prefix + shown(written)) == squeezed(text)


def test_numbers_that_do_not_follow_on_keep_their_own() -> None:
    parts = [of("paragraph", text) for text in ("1. one", "2. two", "5. five", "1986. A year")]
    html = COMMONMARK.render(to_markdown(document(*parts)))
    assert html.count("<li>") == 3
    assert "<p>5. five</p>" in html
    assert '<ol start="1986">' in html


def test_lists_nest_and_keep_markers() -> None:
    made = (
        ListItem(marker="9.", spans=(Span(text="nine"),), ordered=True),
        ListItem(marker="•", spans=(Span(text="below"),), level=1),
        ListItem(marker="10.", spans=(Span(text="ten\nlines"),), ordered=True),
        ListItem(marker="①", spans=(Span(text="circled"),), ordered=True, level=1),
        ListItem(marker="12.", spans=(Span(text="twelve"),), ordered=True),
    )
    element = Element(id=0, category="list", page=1, polygon=rectangle(0, 0, 1, 1), items=made)
    html = COMMONMARK.render(element_markdown(element))
    assert '<ol start="9">' in html
    assert re.search(r"nine\s*<ul>\s*<li>below</li>", html)
    assert re.search(r"ten<br />\s*lines\s*<ul>\s*<li>① circled", html)
    assert re.search(r"<ul>\s*<li>12. twelve", html)


def test_simple_tables_can_be_pipes() -> None:
    table = grid([["a", "b|c"], ["*1*", "2\n3"], ["", "x"]])
    element = Element(id=0, category="table", page=1, polygon=rectangle(0, 0, 1, 1), table=table)
    written = element_markdown(element, tables="pipe")
    html = COMMONMARK.render(written)
    assert written.startswith("| a | b\\|c |\n| --- | --- |")
    assert html.count("<td") == 4
    assert "<em>" not in html
    assert "b|c" in html
    inside = element_markdown(element)
    assert COMMONMARK.render(inside) == inside  # HTML passes through untouched


def test_tables_hold_no_empty_line() -> None:
    """One would end the HTML block, and the rest would be read as Markdown."""
    table = grid([["a\n\n\nb", "<i>"], ["", "\n"]])
    element = Element(id=0, category="table", page=1, polygon=rectangle(0, 0, 1, 1), table=table)
    for rich in (False, True):
        assert "\n\n" not in element_markdown(element, rich=rich)
        assert "<i>" not in element_markdown(element, rich=rich)


def test_pictures_have_their_caption_as_text(sample: Document) -> None:
    written = to_markdown(sample, images=lambda element: f"a.images/{element.id}.png")
    assert "![Figure 1: The tower](a.images/9.png)\n\nTower" in written


def test_fences_are_longer_than_what_they_hold() -> None:
    text = "```\n````\n"
    html = COMMONMARK.render(element_markdown(of("code", text)))
    assert html.startswith("<pre><code>```\n````\n</code></pre>")


markdown_text = st.text(
    st.sampled_from("ab 1.)-+*_#>`~|=\\[](){}<>!&;:\n\"'가é—"), min_size=1, max_size=30
)


@given(markdown_text)
@example("*a*\n**b**")
@example("_a_b_")
@example("](a")
@example("a\n=")
@example("&amp;")
@example("1)")
def test_a_reader_sees_the_text(text: str) -> None:
    written = to_markdown(document(of("paragraph", text)))
    html = COMMONMARK.render(written)
    allowed = {"p", "br", "ol", "li"}
    assert set(re.findall(r"<(\w+)", html)) <= allowed
    start = re.match(r"\s*(\d{1,9}[.)])(?=\s|$)", text) if "<ol" in html else None
    number = re.search(r'start="(\d+)"', html)
    if start and number:
        assert number[1] == str(int(start[1][:-1]))
    prefix = start[1] + " " if start else ""
    expected = re.sub(r"\s+", "", clean(text))
    assert re.sub(r"\s+", "", prefix + shown(written)) == expected


@given(st.lists(st.tuples(markdown_text, st.booleans(), st.booleans()), min_size=1, max_size=4))
def test_a_reader_sees_the_text_of_styled_runs(runs: list[tuple[str, bool, bool]]) -> None:
    spans = tuple(Span(text=text, bold=bold, italic=italic) for text, bold, italic in runs)
    element = of("heading2", spans=spans)
    written = element_markdown(element, rich=True)
    html = COMMONMARK.render(written)
    assert set(re.findall(r"<(\w+)", html)) <= {"h2", "em", "strong"}
    expected = re.sub(r"\s+", "", "".join(text for text, _, _ in runs))
    assert re.sub(r"\s+", "", shown(written)) == expected
