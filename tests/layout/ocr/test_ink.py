import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from solarmini.layout.ocr.ink import gaps, ink_of, measure


def line(text: str, size: int = 40, ink: str = "black", paper: str = "white", stroke: int = 0):
    font = ImageFont.load_default(size)
    page = Image.new("RGB", (round(font.getlength(text)) + 20, size + 24), paper)
    ImageDraw.Draw(page).text((10, 6), text, font=font, fill=ink, stroke_width=stroke)
    return np.asarray(page)


@pytest.mark.parametrize("ink", [("black", "white"), ("white", "navy"), ("#c00000", "#eeeecc")])
def test_ink_is_found_on_dark_and_light(ink: tuple[str, str]) -> None:
    color, paper = ink
    ours = ink_of(line("Figure 2", ink=color, paper=paper))
    plain = ink_of(line("Figure 2"))
    assert ours is not None
    assert plain is not None
    assert (ours.mask != plain.mask).mean() < 0.02
    assert 0.05 < ours.mask.mean() < 0.4


def test_color_of_the_ink() -> None:
    found = ink_of(line("Red letters", ink="#c00010"))
    assert found is not None
    assert found.color >> 16 == pytest.approx(0xC0, abs=6)
    assert found.color & 0xFFFF == pytest.approx(0x0010, abs=6)
    black = ink_of(line("Black letters", ink="#101010"))
    assert black is not None
    assert black.color == 0


@pytest.mark.parametrize("paper", [255, 128, 0])
def test_no_ink_on_blank_paper(paper: int) -> None:
    assert ink_of(np.full((30, 90, 3), paper, dtype=np.uint8)) is None


def test_strokes_through_the_whole_picture_are_no_ink() -> None:
    picture = line("under a rule").copy()
    picture[-6:-3] = 0
    picture[:, 3:5] = 0
    found = ink_of(picture)
    assert found is not None
    assert not found.mask[-5].any()
    assert not found.mask[:, 4].any()


def test_gaps_lie_between_ink() -> None:
    columns = np.array([0, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0], dtype=bool)
    assert gaps(columns, 2) == [(3, 6)]
    assert gaps(columns, 1) == [(3, 6), (7, 8)]
    assert gaps(np.zeros(4, dtype=bool), 1) == []


@pytest.mark.parametrize("size", [20, 32, 48])
@pytest.mark.parametrize(
    "text",
    [
        "A typical line of text, with everything.",
        "CAPITALS ONLY",
        "no one can see us",
        "2019-2023",
        "green grapes",
    ],
)
def test_font_size_whatever_the_letters(text: str, size: int) -> None:
    found = ink_of(line(text, size))
    assert found is not None
    metrics = measure(found, text)
    assert metrics is not None
    assert metrics.size == pytest.approx(size, rel=0.14)
    assert metrics.top < metrics.baseline <= metrics.bottom


def test_bold_strokes_are_heavier() -> None:
    text = "Weight of letters"
    usual, bold = ink_of(line(text)), ink_of(line(text, stroke=1))
    assert usual is not None
    assert bold is not None
    a, b = measure(usual, text), measure(bold, text)
    assert a is not None
    assert b is not None
    assert b.stroke > 1.25 * a.stroke
