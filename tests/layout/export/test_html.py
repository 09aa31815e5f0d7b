"""HTML: golden file, structure read back by another parser, hostile text inert."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.layout.document import Cell, Document, Element, ListItem, Span, Table, rectangle
from solarmini.layout.export import element_html, to_html
from solarmini.layout.export.clean import clean, safe_link

GOLDEN = Path(__file__).parent / "golden"
VOID = {"br", "img", "meta"}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "section", "header", "footer"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "figure", "figcaption", "div"),
    *("table", "thead", "tbody", "tr", "th", "td", "img", "br", "pre", "code", "a", "strong"),
    *("em", "sup", "sub"),
}
ATTRIBUTES = {
    *("id", "data-category", "data-page", "data-coordinates", "data-markers", "scope", "colspan"),
    *("rowspan", "start", "value", "href", "rel", "src", "alt", "lang", "charset", "name"),
    *("content", "http-equiv"),
}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><script>alert(1)</script>",
    "</style><svg onload=alert(1)>",
    "<!-- --!><iframe src=javascript:alert(1)>",
    "&lt;b&gt; &amp; &#60;script&#62;",
    "\x00<\x00script>\x1b[31m\u202egnp.exe",
    "\ud800<b>\udfff",
    "]]><x xmlns='http://www.w3.org/1999/xhtml'>",
)
LINKS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "//evil.example/x",
    'https://x.example/"onmouseover="alert(1)',
    "https://x.example/<script>",
    "http:evil",
    "https://[::1",
)


class Tree(HTMLParser):
    """Reads HTML strictly: what is opened is closed; keeps tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "br":
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.open):
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def read(html: str) -> Tree:
    tree = Tree()
    tree.feed(html)
    tree.close()
    assert tree.open == []
    return tree


def assert_inert(html: str) -> Tree:
    tree = read(html)
    for tag, attributes in tree.tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES
        address = attributes.get("href") or ""
        assert address == "" or address.startswith(("http://", "https://", "mailto:"))
        assert (attributes.get("src") or "data:image/png").startswith("data:image/")
    html.encode("utf-8")
    return tree


def test_golden(sample: Document) -> None:
    assert to_html(sample) == (GOLDEN / "sample.html").read_text(encoding="utf-8")


def test_structure_is_read_back(sample: Document) -> None:
    tree = assert_inert(to_html(sample))
    ids = [a["id"] for _, a in tree.tags if "id" in a]
    assert ids == [str(n) for n in range(14)]
    categories = [a["data-category"] for _, a in tree.tags if "data-category" in a]
    assert categories == [element.category for element in sample.elements]
    assert [a["data-page"] for t, a in tree.tags if t == "section"] == ["1", "2"]
    spans = [(a.get("colspan"), a.get("rowspan")) for t, a in tree.tags if t in ("td", "th")]
    assert spans.count((None, None)) == 5
    assert ("2", None) in spans
    assert (None, "2") in spans


def test_coordinates_are_there_when_asked(sample: Document) -> None:
    assert "data-coordinates" not in to_html(sample)
    tree = read(to_html(sample, coordinates=True))
    places = [(t, a["data-coordinates"]) for t, a in tree.tags if "data-coordinates" in a]
    assert len(places) == 14 + 1  # one cell has a box of its own
    assert ("td", "0.1000,0.2000 0.9000,0.2000 0.9000,0.3000 0.1000,0.3000") in places


def test_pictures_are_embedded_linked_or_left_out(sample: Document) -> None:
    assert to_html(sample).count('src="data:image/png;base64,') == 1
    assert "<img" not in to_html(sample, images="none")
    linked = to_html(sample, images=lambda element: f"pictures/{element.id}.png?a=1&b=2")
    assert 'src="pictures/9.png?a=1&amp;b=2"' in linked


def test_a_row_span_never_crosses_the_head() -> None:
    cells = (
        Cell(row=0, column=0, row_span=2, header=True, spans=(Span(text="a"),)),
        Cell(row=0, column=1, header=True, spans=(Span(text="b"),)),
        Cell(row=1, column=1, spans=(Span(text="c"),)),
    )
    table = Table(rows=2, columns=2, header_rows=1, cells=cells)
    element = Element(id=0, category="table", page=1, polygon=rectangle(0, 0, 1, 1), table=table)
    assert "thead" not in element_html(element)
    assert element_html(element).count("<th ") == 2


def items(*parts: tuple[str, str, int, bool]) -> Element:
    made = tuple(
        ListItem(marker=m, spans=(Span(text=t),), level=level, ordered=ordered)
        for m, t, level, ordered in parts
    )
    return Element(id=3, category="list", page=1, polygon=rectangle(0, 0, 1, 1), items=made)


def test_lists_keep_their_numbers() -> None:
    html = element_html(items(("3.", "c", 0, True), ("4.", "d", 0, True), ("9.", "i", 0, True)))
    assert '<ol id="3" data-category="list" start="3">' in html
    assert html.count("<li>") == 2
    assert '<li value="9">i</li>' in html


def test_lists_of_several_kinds_stand_together() -> None:
    html = element_html(items(("•", "a", 1, False), ("가.", "나무", 0, True), ("-", "b", 0, False)))
    tree = read(html)
    assert tree.tags[0] == ("div", {"id": "3", "data-category": "list"})
    assert "가. 나무" in "".join(tree.words)


def spread(hostile: str, link: str | None = None) -> Document:
    span = Span(text=hostile, link=link, bold=True)
    table = Table(rows=1, columns=1, cells=(Cell(row=0, column=0, spans=(span,)),))
    item = ListItem(marker=hostile[:8], spans=(span,), ordered=True)
    box = rectangle(0, 0, 1, 1)
    parts: list[dict] = [{"category": c, "spans": (span,)} for c in ("heading1", "figure", "code")]
    parts += [{"category": "caption", "spans": (span,)}, {"category": "list", "items": (item,)}]
    parts += [{"category": "table", "table": table, "caption": 3}]
    elements = [Element(id=n, page=1, polygon=box, **part) for n, part in enumerate(parts)]
    from solarmini.layout.document import Page

    page = Page(number=1, width=10, height=10, elements=tuple(elements))
    return Document(
        source=hostile.encode("utf-8", "replace").decode(),
        format="pdf",
        total_pages=1,
        pages=(page,),
        title=clean(hostile),
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_text(hostile: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in hostile):
        span = Span.model_construct(text=hostile)
        element = Element.model_construct(
            id=0, category="paragraph", page=1, polygon=rectangle(0, 0, 1, 1), spans=(span,)
        )
        assert_inert(element_html(element))
        return
    tree = assert_inert(to_html(spread(hostile)))
    said = "".join(tree.words)
    assert said.count(clean(hostile)) >= 5


@pytest.mark.parametrize("link", LINKS)
def test_hostile_links_go_nowhere(link: str) -> None:
    assert_inert(to_html(spread("here", link)))
    safe = safe_link(link)
    assert safe is None or not set(safe) & set('"<> \n')


@pytest.mark.parametrize(
    "link", ["https://example.org/a(b)?q=1&r=%20#x", "mailto:a@b.org", "http://한글.kr/길"]
)
def test_good_links_stay(link: str) -> None:
    [address] = [a["href"] for t, a in read(to_html(spread("x", link))).tags if t == "a"][:1]
    assert address == safe_link(link)
    assert address.isascii()


texts = st.text(max_size=40)


@given(texts, texts, st.booleans(), st.booleans())
def test_text_survives(first: str, second: str, bold: bool, raised: bool) -> None:
    spans = (
        Span.model_construct(text=first, bold=bold),
        Span.model_construct(text=second, superscript=raised, link="https://example.org"),
    )
    element = Element.model_construct(
        id=1, category="paragraph", page=1, polygon=rectangle(0, 0, 1, 1), spans=spans
    )
    html = element_html(element)
    tree = assert_inert(html)
    said = "".join(tree.words).split("\n")  # a line break is <br> and a new line
    assert "".join(said) == clean(first + second).replace("\n", "")
    assert html.count("<br>") == clean(first + second).count("\n")
