"""Text of several lines: hyphens, spaces, Korean, styles."""

import pytest

from solarmini.layout.assemble.rows import make_row, measure
from solarmini.layout.assemble.text import compose, drops_hyphen


@pytest.fixture
def join(typist):
    def joined(*texts, width=None, also=(), **style):
        page = typist()
        lines = [
            page.line(text, 60, 100 + 12 * i, width=width if i + 1 < len(texts) else None, **style)
            for i, text in enumerate(texts)
        ]
        rows = [make_row([line], 600, 800) for line in lines]
        others = [make_row([page.line(t, 60, 400 + 12 * i)], 600, 800) for i, t in enumerate(also)]
        return compose(rows, measure([*rows, *others], page.content))

    return joined


def plain(spans):
    return "".join(span.text for span in spans)


def test_line_breaks_are_spaces(join):
    assert plain(join("the harbour was", "full of sand")) == "the harbour was full of sand"


def test_hyphen_of_a_broken_word_goes(join):
    assert plain(join("an inter-", "val of time")) == "an interval of time"
    assert plain(join("a soft\u00ad", "ware house")) == "a software house"
    assert plain(join("in\u00adside")) == "inside"


@pytest.mark.parametrize(
    ("tail", "head", "expected"),
    [
        ("self-", "evident", "self-evident"),
        ("evidence-", "based", "evidence-based"),
        ("Jean-", "Paul", "Jean-Paul"),
        ("COVID-", "related", "COVID-related"),
        ("state-of-the-", "art", "state-of-the-art"),
        ("2019-", "2020", "2019-2020"),
    ],
)
def test_hyphen_of_a_compound_stays(join, tail, head, expected):
    assert plain(join(f"the {tail}", f"{head} work")) == f"the {expected} work"


def test_the_page_itself_decides_first(join):
    assert plain(join("an evidence-", "based", also=["Evidencebased."])) == "an evidencebased"
    assert plain(join("some fly-", "casting", also=["Fly-Casting"])) == "some fly-casting"
    assert not drops_hyphen("fly-", "casting", frozenset({"fly-casting"}))


def test_addresses_are_joined_without_a_space(join):
    text = plain(join("https://example.org/a-", "b/", "c"))
    assert text == "https://example.org/a-b/c"


def test_korean_broken_between_words_gets_a_space(join):
    # the first line leaves room for two syllables: nothing was cut
    spans = join("항구의 깊이를 재는", "사람들이 모여 바다를 건넜다고 했다")
    assert plain(spans) == "항구의 깊이를 재는 사람들이 모여 바다를 건넜다고 했다"


def test_korean_broken_inside_a_word_is_joined(join):
    # flush lines, and the next begins with a particle, which no word does
    assert (
        plain(join("바다 위의 항구", "에서 모두 만났다", width=40.0))
        == "바다 위의 항구에서 모두 만났다"
    )


def test_korean_word_known_from_the_page_is_joined(join):
    spans = join("모두 항구도", "시로 갔다", width=30.0, also=["항구도시로"])
    assert plain(spans) == "모두 항구도시로 갔다"


def test_chinese_and_japanese_have_no_spaces(join):
    assert plain(join("港の深さを", "測る人々")) == "港の深さを測る人々"


def test_styles_become_spans(typist):
    page = typist()
    bold = page.line("A bold", 60, 100, bold=True)
    rest = page.line("claim 7 stands", 95, 100, raised=(1,))
    spans = compose([make_row([bold, rest], 600, 800)], measure([], page.content))
    assert [(s.text, s.bold, s.superscript) for s in spans] == [
        ("A bold ", True, False),
        ("claim", False, False),
        ("7", False, True),
        (" stands", False, False),
    ]
