import unicodedata
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_pdf import RawPdf, gray_image, korean, mapped_font, show

from solarmini.layout.primitives import Line, PageContent
from solarmini.layout.source import open_source

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "seven"]
WORDS += ["wizards", "brew", "strange", "potions"]


def read(data: bytes | Path, number: int = 1) -> PageContent:
    with open_source(data) as source:
        return source.page(number)


def page(content: str, **more) -> PageContent:
    return read(RawPdf(**more).page(content).data())


def texts(content: PageContent) -> list[str]:
    return [line.text for line in content.lines]


def test_a_line_is_words_with_places_and_fonts() -> None:
    content = page("1 0 0 rg " + show(72, 700, "Hello wide world", 12))
    (line,) = content.lines
    assert line.text == "Hello wide world"
    assert line.angle == 0
    assert line.size == 12
    assert [word.text for word in line.words] == ["Hello", "wide", "world"]
    first = line.words[0]
    assert first.color == 0xFF0000
    assert first.baseline == pytest.approx(100)
    assert first.box.left == pytest.approx(72, abs=1.5)
    assert 86 < first.box.top < first.box.bottom < 105
    # Helvetica: "Hello" is 2.278 sizes wide
    assert first.box.right == pytest.approx(72 + 2.278 * 12, abs=1)
    assert first.font.name == "Helvetica"
    assert (first.font.weight, first.font.italic, first.font.mono) == (400, False, False)


def test_weight_slant_and_pitch_come_from_the_font() -> None:
    content = page(
        show(72, 700, "bold", font="B")
        + show(72, 650, "sloped", font="I")
        + show(72, 600, "typed", font="M")
        + show(72, 550, "struck", more="2 Tr")
    )
    bold, sloped, typed, struck = (line.words[0].font for line in content.lines)
    assert bold.bold
    assert not sloped.bold
    assert sloped.italic
    assert not bold.italic
    assert typed.mono
    assert not bold.mono
    assert struck.bold  # filled and stroked: how writers fake it


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ("[(Two)-300(words)] TJ", "Two words"),  # a space is only a gap
        ("[(A)70(V)60(A)] TJ", "AVA"),  # kerned together
        ("[(ker)-60(ned)] TJ", "kerned"),  # kerned apart
        ("3 Tc (tracked out) Tj", "tracked out"),  # letters set wide, one real space
        ("3 Tc [(wide)-600(gap)] TJ", "wide gap"),  # letters set wide, the space a wider gap
        ("12 Tw (just ified text) Tj", "just ified text"),
        ("-2 Tw (tight spaces here) Tj", "tight spaces here"),
        ("(one) Tj 40 Tz ( narrow word) Tj", "one narrow word"),
    ],
)
def test_spaces(operators: str, expected: str) -> None:
    content = page(f"BT /F 10 Tf 1 0 0 1 72 700 Tm {operators} ET")
    assert texts(content) == [expected]


def test_letters_placed_one_by_one_are_words() -> None:
    # as some producers do: every letter an object of its own, in any order
    widths = {"n": 5.56, "e": 5.56, "t": 2.78, "w": 7.22, "o": 5.56, "r": 3.33, "k": 5.0}
    x, parts = 72.0, []
    for char in "network":
        parts.append(show(x, 700, char))
        x += widths[char]
    assert texts(page("".join(reversed(parts)))) == ["network"]


def test_meanings_of_codes() -> None:
    font, cmap = mapped_font(
        {0x41: "ﬁ", 0x42: "ffl", 0x43: "é", 0x44: "\U0001d465", 0x45: "e\u0301"}
    )
    pdf = RawPdf(fonts={"F": font}).stream(50, "", cmap)
    content = read(pdf.page(show(72, 700, "A") + show(72, 650, "B") + show(72, 600, "CDE")).data())
    assert texts(content) == ["fi", "ffl", "é𝑥é"]


def test_symbols_of_shifted_fonts_get_their_meaning() -> None:
    font, cmap = mapped_font({0x41: "\uf0b7", 0x42: "\uf061"}, base="SymbolMT")
    pdf = RawPdf(fonts={"F": font}).stream(50, "", cmap)
    assert texts(read(pdf.page(show(72, 700, "AB")).data())) == ["•α"]


def test_operators_under_latin_codes() -> None:
    font, cmap = mapped_font({0x41: "ð", 0x42: "þ", 0x43: "Þ", 0x44: "¼"}, base="AdvP4C4E74")
    pdf = RawPdf(fonts={"F": font}).stream(50, "", cmap)
    assert texts(read(pdf.page(show(72, 700, "ABCD")).data())) == ["(+)="]
    icelandic, cmap = mapped_font({0x41: "ð", 0x42: "þ"}, base="Times-Roman")
    pdf = RawPdf(fonts={"F": icelandic}).stream(50, "", cmap)
    assert texts(read(pdf.page(show(72, 700, "AB")).data())) == ["ðþ"]


def test_accents_set_over_letters_become_letters() -> None:
    # as TeX does: the accent first, the letter moved back under it
    content = page("BT /F 10 Tf 1 0 0 1 72 700 Tm [(Cl)(\xb4)280(e) (ment)] TJ ET")
    assert texts(content) == ["Clément"]


def test_a_hyphen_at_the_end_of_a_line_stays() -> None:
    content = page(show(72, 700, "an ex-") + show(72, 688, "ample \xadhere"))
    assert texts(content) == ["an ex-", "ample -here"]


def test_superscripts_and_subscripts_stay_in_their_line() -> None:
    content = page(
        "BT /F 10 Tf 1 0 0 1 72 700 Tm (E = mc) Tj /F 6 Tf 4 Ts (2) Tj /F 10 Tf 0 Ts ( and H) Tj "
        "/F 6 Tf -2 Ts (2) Tj /F 10 Tf 0 Ts (O.) Tj ET"
    )
    (line,) = content.lines
    assert line.text == "E = mc2 and H2O."
    raised = {word.raised: word.text for word in line.words if word.raised}
    assert raised == {"superscript": "2", "subscript": "2"}
    assert [w.space for w in line.words if w.raised] == [False, False]


def test_small_print_on_the_next_line_is_not_a_subscript() -> None:
    content = page(show(72, 700, "Heading", 14) + show(72, 688, "by someone", 8))
    assert texts(content) == ["Heading", "by someone"]
    assert not any(word.raised for line in content.lines for word in line.words)


def column(x: float, top: float, lines: int, words: int = 5) -> str:
    out = ""
    for number in range(lines):
        start = number * words % 7
        out += show(x, top - 12 * number, " ".join(WORDS[start : start + words]))
    return out


def test_lines_do_not_bridge_columns() -> None:
    content = page(column(60, 700, 12, 6) + column(215, 700, 12, 6))
    assert len(content.lines) == 24
    assert all(line.box.right < 214 or line.box.left > 214 for line in content.lines)


def test_a_narrow_gutter_is_found_when_rows_agree() -> None:
    # eight points between columns of ten-point text that end in one place
    content = page(
        "".join(
            show(60, 700 - 12 * n, "quick brown foxes jump over")
            + show(60 + 133.5 + 8, 700 - 12 * n, "the lazy dogs of seven")
            for n in range(8)
        )
    )
    assert len(content.lines) == 16


def test_justified_text_is_not_cut() -> None:
    gaps = [3, 9, 4, 11, 5, 8, 12, 6]
    content = page(
        "".join(
            show(72, 700 - 12 * n, " ".join(WORDS[n : n + 5]), more=f"{gap} Tw")
            for n, gap in enumerate(gaps)
        )
    )
    assert len(content.lines) == len(gaps)


def test_a_marker_stays_with_its_text_and_cells_are_parted() -> None:
    content = page(
        "".join(
            show(72, 700 - 14 * n, f"{n}.") + show(100, 700 - 14 * n, WORDS[n]) for n in range(5)
        )
        + "".join(
            show(72, 500 - 14 * n, f"{n}.5") + show(100, 500 - 14 * n, f"7{n}.2") for n in range(5)
        )
    )
    assert texts(content)[:5] == [f"{n}. {WORDS[n]}" for n in range(5)]
    assert sorted(texts(content)[5:]) == sorted(
        [f"{n}.5" for n in range(5)] + [f"7{n}.2" for n in range(5)]
    )


def test_a_vertical_rule_parts_cells_however_close() -> None:
    content = page(show(72, 700, "left") + show(92, 700, "right") + "90 690 m 90 715 l S")
    assert texts(content) == ["left", "right"]


@pytest.mark.parametrize(
    ("matrix", "angle"), [("0 1 -1 0", 270), ("0 -1 1 0", 90), ("-1 0 0 -1", 180)]
)
def test_turned_text(matrix: str, angle: int) -> None:
    content = page(
        f"BT /F 10 Tf {matrix} 300 400 Tm (read me sideways) Tj ET "
        f"BT /F 10 Tf {matrix} 320 420 Tm (and me too) Tj ET" + column(60, 700, 4)
    )
    turned = [line for line in content.lines if line.angle == angle]
    assert [line.text for line in turned] == ["read me sideways", "and me too"]
    box = turned[0].box
    assert (box.height > 4 * box.width) == (angle != 180)
    assert len(content.lines) == 6


def test_slanted_text_is_one_line() -> None:
    c, s = 0.8660, 0.5
    content = page(f"BT /F 12 Tf {c} {s} {-s} {c} 100 300 Tm (a label that climbs) Tj ET")
    (line,) = content.lines
    assert line.text == "a label that climbs"
    assert line.box.width > 40
    assert line.box.height > 25


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_pages_are_read_as_they_are_seen(turn: int) -> None:
    """Text that stands upright on the page as shown, whatever /Rotate and boxes."""
    matrix = {0: "1 0 0 1 150 250", 90: "0 1 -1 0 150 250", 180: "-1 0 0 -1 350 250"}
    matrix[270] = "0 -1 1 0 350 450"
    content = page(
        f"BT /F 10 Tf {matrix[turn]} Tm (upright) Tj ET",
        media="[0 0 900 900]",
        extra=f"/Rotate {turn} /CropBox [100 200 500 800]",
    )
    wide = turn in (90, 270)
    assert (content.width, content.height) == ((600, 400) if wide else (400, 600))
    (line,) = content.lines
    assert (line.text, line.angle) == ("upright", 0)
    left, baseline = {0: (50, 550), 90: (50, 50), 180: (150, 50), 270: (350, 150)}[turn]
    assert line.box.left == pytest.approx(left, abs=1.5)
    assert line.words[0].baseline == pytest.approx(baseline, abs=0.5)


def test_what_cannot_be_seen_is_left_out() -> None:
    content = page(
        show(72, 700, "seen")
        + show(72, 650, "invisible", more="3 Tr")
        + "1 1 1 rg "
        + show(72, 600, "white on white")
        + "0 0 0.4 rg 60 490 300 30 re f 1 1 1 rg "
        + show(72, 500, "white on blue")
        + "0 g "
        + show(-400, 400, "beyond the edge")
    )
    assert texts(content) == ["seen", "white on blue"]


def test_a_layer_of_recognised_text_is_kept() -> None:
    pdf = RawPdf(xobjects={"S": 60})
    pdf.objects[60] = gray_image(30, 40)
    pdf.page("q 600 0 0 800 0 0 cm /S Do Q " + column(72, 700, 8).replace("BT", "BT 3 Tr"))
    content = read(pdf.data())
    assert len(content.lines) == 8
    assert not content.scanned
    assert content.pictures[0].pixels == (30, 40)


def test_a_picture_of_a_page_is_scanned() -> None:
    pdf = RawPdf(xobjects={"S": 60})
    pdf.objects[60] = gray_image(30, 40)
    assert read(pdf.page("q 600 0 0 800 0 0 cm /S Do Q").data()).scanned
    assert not read(RawPdf().page("").data()).scanned  # an empty page is just empty


def test_text_without_meaning_asks_for_recognition() -> None:
    # codes mapped into the private area, as subset fonts without a map come out
    font, cmap = mapped_font({code: chr(0xE000 + code) for code in range(0x41, 0x7B)})
    pdf = RawPdf(fonts={"F": font}).stream(50, "", cmap)
    content = read(pdf.page(column(72, 700, 8)).data())
    assert content.scanned
    assert "which characters" in content.problems[0].what


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_text_drawn_twice_is_read_once(shift: float) -> None:
    line = "fake bold ill letters"
    other = show(72, 600, "between") * 1
    content = page(
        show(72, 700, line)
        + other
        + show(72 + shift, 700, line)
        + "".join(show(300, 500 - 20 * n, word) for n, word in enumerate(WORDS))
        + show(72 + shift, 700.2, line)
    )
    assert texts(content)[0] == line
    assert sum(line in text for text in texts(content)) == 1


def test_links() -> None:
    extra = (
        "/Annots [<< /Type /Annot /Subtype /Link /Rect [70 695 98 712] /A << /S /URI /URI "
        "(https://example.org/a?b=1) >> >> << /Type /Annot /Subtype /Link /Rect [70 645 300 660] "
        "/Dest [1002 0 R /Fit] >>]"
    )
    pdf = RawPdf(extra=extra).page(show(72, 700, "there, here") + show(72, 650, "page two"))
    content = read(pdf.page("").data())
    first, second = content.lines
    assert [(w.text, w.link) for w in first.words] == [
        ("there,", "https://example.org/a?b=1"),
        ("here", None),
    ]
    assert {word.link for word in second.words} == {"#page=2"}


def test_korean() -> None:
    content = page(
        korean(72, 700, "다람쥐 헌 쳇바퀴에 타고파")
        + "BT /K 10 Tf 1 0 0 1 72 650 Tm "
        + "".join(
            f"[<{part.encode('utf-16-be').hex()}> -300] TJ " for part in ["나는", "오늘", "학교에"]
        )
        + "ET"
    )
    assert texts(content) == ["다람쥐 헌 쳇바퀴에 타고파", "나는 오늘 학교에"]


def test_arabic_is_in_the_order_of_reading() -> None:
    letters = "سلام عليكم"
    codes = dict(zip(range(0x41, 0x41 + len(letters)), reversed(letters), strict=True))
    font, cmap = mapped_font(codes)
    pdf = RawPdf(fonts={"F": font}).stream(50, "", cmap)
    content = read(pdf.page(show(72, 700, "".join(map(chr, codes)))).data())
    assert texts(content) == [letters]


def pdfium_text(data: bytes | Path) -> str:
    with pypdfium2.PdfDocument(data) as document:
        sheet = document[0]
        layer = sheet.get_textpage()
        text = layer.get_text_bounded()  # of the visible part of the page
        layer.close()
        sheet.close()
    return text


PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=9)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(20, 500), st.integers(3, 76), PRINTABLE, st.sampled_from([6, 9, 10, 14])
        ),
        min_size=1,
        max_size=25,
        unique_by=lambda placed: (placed[0] // 140, placed[1]),  # not over one another
    )
)
def test_every_character_appears_once(placed: list[tuple[int, int, str, int]]) -> None:
    data = RawPdf().page("".join(show(x, 10 * y, t, size) for x, y, t, size in placed)).data()
    content = read(data)
    found = Counter("".join(line.text for line in content.lines).replace(" ", ""))
    assert found == Counter("".join(text for _, _, text, _ in placed))
    assert sorted(line.order for line in content.lines) == [line.order for line in content.lines]
    assert len({line.order for line in content.lines}) == len(content.lines)


def letters_of(text: str) -> Counter[str]:
    plain = unicodedata.normalize("NFD", text.replace("\ufffe", "-").replace("\x02", "-")).upper()
    return Counter(
        char for char in plain if char.isascii() and (char.isalnum() or char in "-.,;:%")
    )


def test_every_character_of_real_pages_appears_once(shared: Path) -> None:
    pages = sorted((shared / "bench/layout/pdfs").glob("*.pdf"))[::3]
    assert pages
    wrong = []
    for path in pages:
        content = read(path)
        ours = letters_of("".join(line.text for line in content.lines))
        theirs = letters_of(pdfium_text(path))
        if sum((ours - theirs).values()) + sum((theirs - ours).values()) > 0.002 * ours.total():
            wrong.append((path.name, ours - theirs, theirs - ours))
    assert not wrong, wrong


def test_words_are_inside_their_lines(shared: Path) -> None:
    for path in sorted((shared / "bench/layout/pdfs").glob("*.pdf"))[::10]:
        for line in read(path).lines:
            assert isinstance(line, Line)
            for word in line.words:
                assert word.text
                assert not any(char.isspace() for char in word.text)
                assert word.box.inside(line.box) > 0.99 or word.box.area == 0


def test_what_is_filled_in_is_text() -> None:
    extra = (
        "/Annots [<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /F 4 /Rect [100 590 300 610] "
        "/AP << /N 70 0 R >> >> << /Type /Annot /Subtype /Widget /FT /Tx /T (b) /F 2 "
        "/Rect [100 490 300 510] /AP << /N 70 0 R >> >>]"
    )
    pdf = RawPdf(extra=extra)
    head = "/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources 3 0 R"
    pdf.stream(70, head, show(2, 5, "Ada Lovelace").encode())
    with open_source(pdf.page(show(50, 595, "Name:")).data()) as source:
        for _ in range(2):  # reading changes nothing
            content = source.page(1)
            assert texts(content) == ["Name: Ada Lovelace"] or texts(content) == [
                "Name:",
                "Ada Lovelace",
            ]  # the second field is hidden


def test_glyph_numbers_taken_for_letters_ask_for_recognition() -> None:
    prose = [" ".join(WORDS[n % 7 : n % 7 + 7]) for n in range(30)]
    # identity-encoded fonts without a map: every code is 29 below its letter's
    shifted = ["".join(chr(ord(c) - 29) if c != " " else c for c in line) for line in prose]
    plain = page("".join(show(72, 760 - 12 * n, line) for n, line in enumerate(prose)))
    assert not plain.scanned
    broken = page("".join(show(72, 760 - 12 * n, line) for n, line in enumerate(shifted)))
    assert broken.scanned


def test_unknown_glyphs_are_marked_as_such() -> None:
    font, cmap = mapped_font({0x41: "\x0f"})
    pdf = RawPdf(fonts={"F": font}).stream(50, "", cmap)
    content = read(pdf.page(show(72, 700, "xAy and some more text around it")).data())
    assert texts(content) == ["x\ufffdy and some more text around it"]


def test_a_large_initial_is_a_line_of_its_own() -> None:
    content = page(
        show(40, 700, "Chapter", 25)
        + show(140, 676, "I", 48)
        + "".join(show(160, 700 - 12 * n, "n a hole in the ground") for n in range(4))
    )
    assert sorted(texts(content)) == sorted(["Chapter", "I", *["n a hole in the ground"] * 4])
    assert not any(word.raised for line in content.lines for word in line.words)


def test_the_number_of_a_note_may_stand_off() -> None:
    content = page(show(72, 103, "12", 5) + show(84, 100, "As was said before.", 8))
    (line,) = content.lines
    assert line.text == "12 As was said before."
    assert line.words[0].raised == "superscript"
