import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rapidfuzz.distance import Levenshtein

from solarmini.layout import parse, to_text

FIXTURE = Path(__file__).parent / "hangul_lines"
PAPER = (1000, 700)  # pixels at 150 dpi


@pytest.fixture(scope="module")
def page() -> Image.Image:
    """Lines in fonts that the recogniser was not trained on, on a white page."""
    paper = Image.new("RGB", PAPER, "white")
    with Image.open(FIXTURE / "lines.png") as lines:
        paper.paste(lines.convert("RGB"), (120, 120))
    return paper


@pytest.fixture(scope="module")
def text() -> str:
    rows = json.loads((FIXTURE / "lines.json").read_text(encoding="utf-8"))
    return "".join("".join(row["text"].split()) for row in rows)


def read(picture: Image.Image, kind: str, **options) -> tuple[str, float]:
    buffer = io.BytesIO()
    picture.save(buffer, kind, dpi=(150, 150), **options)
    document = parse(buffer.getvalue(), mode="fast", jobs=1)
    return "".join(to_text(document).split()), document.pages[0].angle


def test_a_clean_page_of_korean_is_read_to_three_percent(page, text):
    found, angle = read(page, "PNG")
    assert Levenshtein.distance(text, found) <= 0.03 * len(text)
    assert abs(angle) < 0.2


def test_a_worn_page_askew_is_read_to_eight_percent(page, text):
    askew = page.rotate(-2.0, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255))
    noise = np.random.default_rng(1).normal(0, 12, (PAPER[1], PAPER[0], 1))
    pixels = 30 + np.asarray(askew, dtype=np.float64) * 0.82 + noise
    dirty = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    found, angle = read(dirty, "JPEG", quality=60)
    assert Levenshtein.distance(text, found) <= 0.08 * len(text)
    assert abs(angle + 2.0) < 0.3  # turned back, counter-clockwise


def test_a_page_upside_down_is_turned(page, text):
    found, angle = read(page.rotate(180), "PNG")
    assert Levenshtein.distance(text, found) <= 0.03 * len(text)
    assert angle == 180
