from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np
import pytest

from solarmini.errors import DocumentError
from solarmini.layout.limits import Limits
from solarmini.layout.ocr import choose_engine, needs_ocr, recognise, recognise_inside
from solarmini.layout.ocr.pixels import quarter_turned, straightened
from solarmini.layout.primitives import Box, PageContent, Picture

EN = ("en",)


def alike(page: PageContent, text) -> float:
    read = " ".join(line.text for line in page.lines)
    return SequenceMatcher(None, read, " ".join(text), autojunk=False).ratio()


def test_a_page_is_read(draw, scan, text) -> None:
    page = recognise(scan(draw(heavy=(2, 5))), languages=EN)
    assert page.ocr
    assert page.angle == 0
    assert alike(page, text) > 0.99
    assert [line.order for line in page.lines] == list(range(len(text)))
    assert [line.bold for line in page.lines] == [i in (2, 5) for i in range(len(text))]
    first = page.lines[0]
    # 90, 80 pixels at 150 dpi
    assert first.box.left == pytest.approx(90 * 72 / 150, abs=2)
    assert 80 * 72 / 150 - 1 < first.box.top < first.box.bottom < (80 + 45) * 72 / 150
    assert {line.size for line in page.lines if not line.bold} == {first.size}
    assert first.size == pytest.approx(30 * 72 / 150, rel=0.12)
    for line in page.lines:
        assert line.box.top < line.words[0].baseline <= line.box.bottom + 0.5
        lefts = [word.box.left for word in line.words]
        assert lefts == sorted(lefts)
        assert all(0.5 < word.confidence <= 1 for word in line.words)
        assert all(
            a.box.right < b.box.left for a, b in zip(line.words, line.words[1:], strict=False)
        )


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_is_read_upright(draw, scan, text, quarters: int) -> None:
    content = scan(quarter_turned(draw(), quarters))
    page = recognise(content, languages=EN)
    assert alike(page, text) > 0.99
    assert (page.angle + 90 * quarters) % 360 == 0
    if quarters % 2:
        assert (page.width, page.height) == (content.height, content.width)
    assert page.render is not None
    assert page.render(75).shape[:2] == pytest.approx((400, 620), abs=1)


def test_a_page_askew_is_straightened(draw, scan, text) -> None:
    content = scan(straightened(draw(), 2.0))
    page = recognise(content, languages=EN)
    assert alike(page, text) > 0.98
    assert page.angle == pytest.approx(-2.0, abs=0.2)
    assert (page.width, page.height) == (content.width, content.height)
    lefts = [line.box.left for line in page.lines]
    assert max(lefts) - min(lefts) < 3
    # the picture drawn for models and rules lies as the lines do, at any resolution
    assert page.render is not None
    for dpi in (150, 300):
        pixels = page.render(dpi)
        box = page.lines[4].box
        scale = dpi / 72
        rows = slice(round((box.top - 1) * scale), round((box.bottom + 1) * scale))
        ink = (pixels[rows, round(box.left * scale) : round(box.right * scale)] < 128).any(axis=2)
        assert ink.any(axis=0).mean() > 0.6


def test_columns_stay_apart(draw, scan) -> None:
    left = draw(
        ["left one two", "left three four", "left five six", "left seven"], width=330, left=60
    )
    right = draw(
        ["right one two", "right three", "right five six", "right seven"], width=400, left=8
    )
    page = recognise(scan(np.concatenate([left, right], axis=1)), languages=EN)
    assert len(page.lines) == 8
    assert not any("left" in line.text and "right" in line.text for line in page.lines)


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((900, 700, 3), 255, dtype=np.uint8),
        np.zeros((400, 300, 3), dtype=np.uint8),
        np.full((1, 1, 3), 255, dtype=np.uint8),
        np.random.default_rng(3).integers(0, 256, (500, 600, 3), dtype=np.uint8),
        np.full((20, 9000, 3), 200, dtype=np.uint8),
    ],
    ids=["white", "black", "one pixel", "noise", "strip"],
)
def test_nothing_is_read_where_nothing_stands(scan, pixels: np.ndarray) -> None:
    page = recognise(scan(pixels), languages=EN)
    assert page.lines == []
    assert page.ocr
    assert page.problems == []


def test_a_very_wide_picture_is_bounded(draw, scan) -> None:
    asked: list[float] = []
    content = scan(draw(["far out"], width=9000, height=60, top=10))
    drawn = content.render
    assert drawn is not None

    def render(dpi: float) -> np.ndarray:
        asked.append(dpi)
        return drawn(dpi)

    limits = Limits(max_render_pixels=200_000)
    recognise(replace(content, render=render), languages=EN, limits=limits)
    assert content.width * content.height * (max(asked) / 72) ** 2 <= 200_000 * 1.01


def test_time_that_runs_out_is_said(draw, scan) -> None:
    page = recognise(scan(draw()), languages=EN, limits=Limits(ocr_seconds=1e-6))
    assert page.lines == []
    assert "unread" in page.problems[0].what
    assert page.problems[0].page == 3
    assert not page.problems[0].fatal


def test_a_page_that_cannot_be_drawn_is_said() -> None:
    page = recognise(PageContent(5, 100, 100, scanned=True), languages=EN)
    assert page.lines == []
    assert page.problems[0].page == 5


def test_unknown_engines_and_languages_are_errors(draw, scan) -> None:
    with pytest.raises(DocumentError, match="no OCR engine 'magic'"):
        recognise(scan(draw()), engine="magic")
    with pytest.raises(DocumentError, match="does not read xx"):
        choose_engine("own", ("en", "xx"))


def test_pages_that_need_reading(scan, draw) -> None:
    page = scan(draw())
    assert needs_ocr(page)
    assert not needs_ocr(replace(page, scanned=False))
    picture = Picture(Box(0, 0, page.width, page.height), (1240, 800))
    assert needs_ocr(replace(page, scanned=False, pictures=[picture]))
    read = recognise(page, languages=EN)
    assert not needs_ocr(replace(read, scanned=False, pictures=[picture]))


def test_text_inside_a_picture_is_added_once(draw, scan, text) -> None:
    content = scan(draw())
    whole = recognise(content, languages=EN)
    half = replace(content, scanned=False, lines=whole.lines[:4])
    page = recognise_inside(half, [Box(0, 0, content.width, content.height)], languages=EN)
    assert alike(page, text) > 0.99
    assert page.lines[:4] == half.lines
    assert [line.order for line in page.lines] == list(range(len(text)))


def test_only_the_boxes_are_read(draw, scan, text) -> None:
    content = replace(scan(draw()), scanned=False)
    lower = Box(0, 320 * 72 / 150, content.width, content.height)
    page = recognise_inside(content, [lower], languages=EN)
    assert alike(page, text[5:]) > 0.97
    assert min(line.box.top for line in page.lines) >= lower.top


def test_pictures_without_text_change_nothing(scan) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (500, 600, 3), dtype=np.uint8)
    content = replace(scan(noise), scanned=False)
    assert recognise_inside(content, [content.box], languages=EN) is content
    assert recognise_inside(content, [Box(5, 5, 12, 12)], languages=EN) is content
    assert recognise_inside(replace(content, render=None), [content.box]).lines == []
