"""Pages drawn from known text, in the font that Pillow brings."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from solarmini.layout.primitives import PageContent

TEXT = (
    "Scanning a page turns letters into pixels and reading turns them back.",
    "The first machine to do so in an office was sold in the year 1954.",
    "It read typed sales reports and punched cards for the computer room.",
    "Nobody expected the reader to know where a column ends or begins.",
    "Today a small network finds the lines and another one spells them,",
    "and the order in which people read is found from where they stand.",
    "A page that was laid askew on the glass has to be straightened first;",
    "upside down it makes no sense to man or machine, so it is turned.",
    "What remains are smudges, stamps and the shadow of the book's fold.",
    "Their confidence is low, which is why the reader leaves them out.",
)

Draw = Callable[..., np.ndarray]


def draw_lines(
    lines: Sequence[str] = TEXT,
    size: int = 30,
    width: int = 1240,
    height: int = 800,
    left: int = 90,
    top: int = 80,
    heavy: Sequence[int] = (),
) -> np.ndarray:
    """Return lines drawn black on white, uint8 (height, width, 3); `heavy` ones in bold strokes."""
    page = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size)
    for number, line in enumerate(lines):
        stroke = 1 if number in heavy else 0
        place = (left, top + number * round(size * 1.6))
        pen.text(place, line, font=font, fill="black", stroke_width=stroke)
    return np.asarray(page)


@pytest.fixture
def draw() -> Draw:
    """`draw_lines`: a picture of lines of text."""
    return draw_lines


@pytest.fixture
def text() -> tuple[str, ...]:
    """The lines that are drawn when none are given."""
    return TEXT


@pytest.fixture
def scan() -> Callable[[np.ndarray], PageContent]:
    """Turns pixels into a scanned page at 150 dpi."""

    def make(pixels: np.ndarray, dpi: float = 150.0) -> PageContent:
        high, wide = pixels.shape[:2]

        def render(wanted: float) -> np.ndarray:
            size = (max(round(wide * wanted / dpi), 1), max(round(high * wanted / dpi), 1))
            if size == (wide, high):
                return pixels
            return np.asarray(Image.fromarray(pixels).resize(size))

        return PageContent(3, wide * 72 / dpi, high * 72 / dpi, render=render, scanned=True)

    return make
