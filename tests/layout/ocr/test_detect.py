"""Long pictures are looked at in strips; a word is found wherever it stands."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from solarmini.layout import parse
from solarmini.layout.ocr.detect import OVERLAP, STEP, TextDetector, strips_of
from solarmini.layout.ocr.page import is_blank

WORDS = [f"harbour {number}" for number in range(20, 41)]


def long_picture(across: bool) -> Image.Image:
    size = (11_500, 220) if across else (500, 6_000)
    page = Image.new("L", size, 255)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=26)
    for index, word in enumerate(WORDS):
        pen.text((60 + 540 * index, 90) if across else (120, 60 + 280 * index), word, 0, font=font)
    return page


@pytest.mark.parametrize("across", [True, False])
def test_every_word_of_a_long_picture_is_read(across: bool) -> None:
    file = io.BytesIO()
    long_picture(across).save(file, "PNG")
    document = parse(file.getvalue(), mode="fast", isolate=False)
    text = " ".join(document.pages[0].text.split())
    assert [word for word in WORDS if word not in text] == []
    assert document.complete


def test_a_line_over_a_border_is_one_line() -> None:
    page = Image.new("RGB", (4_000, 200), "white")
    words = " ".join(f"word{number}" for number in range(40))
    ImageDraw.Draw(page).text((40, 80), words, "black", font=ImageFont.load_default(size=28))
    [spot] = TextDetector().find(np.asarray(page))
    assert spot.rect.left < 60
    assert spot.rect.right > 3_000


def steps(cut: slice) -> slice:
    return slice(cut.start and cut.start // STEP, cut.stop and cut.stop // STEP)


@given(
    st.integers(1, 40).map(lambda n: n * STEP),
    st.integers(1, 400).map(lambda n: n * STEP),
    st.booleans(),
)
def test_strips_cover_the_map_and_fit_the_network(short: int, long: int, turned: bool) -> None:
    height, width = (max(short, long), short) if turned else (short, max(short, long))
    seen = np.zeros((height // STEP, width // STEP), int)
    for rows, columns in strips_of(height, width, 1280):
        part = np.zeros((height, width))[rows, columns]
        assert part.size
        assert max(part.shape) <= max(1280, min(height, width))
        assert part.shape[0] % STEP == part.shape[1] % STEP == 0
        small = [
            slice(s.start and s.start // STEP, s.stop and s.stop // STEP) for s in (rows, columns)
        ]
        seen[small[0], small[1]] += 1
    assert seen.min() == 1
    assert seen.max() <= 2
    assert OVERLAP % STEP == 0


def test_one_word_on_a_large_page_is_not_blank() -> None:
    page = Image.new("RGB", (2_480, 3_508), "white")
    assert is_blank(np.asarray(page))
    ImageDraw.Draw(page).text((1_200, 1_700), "12", "black", font=ImageFont.load_default(size=30))
    assert not is_blank(np.asarray(page))
    specks = np.random.default_rng(0).normal(244, 5, (900, 700, 3))
    assert is_blank(np.clip(specks, 0, 255).astype(np.uint8))
