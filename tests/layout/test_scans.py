"""What is drawn on a scanned page is told apart by its pixels: photographs, curves, rules, bars."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from solarmini.layout.figures import chart_zones, find_figures
from solarmini.layout.primitives import Box, Font, Line, PageContent, Picture, Word
from solarmini.layout.scans import with_marks

SCALE = 150 / 72
WIDE, HIGH = 595.0, 842.0


@pytest.fixture
def paper():
    """A white page at 150 dpi to draw on."""
    return Image.new("RGB", (round(WIDE * SCALE), round(HIGH * SCALE)), "white")


def place(*points):
    return tuple(round(v * SCALE) for v in points)


def scanned(paper, lines=()):
    pixels = np.asarray(paper)

    def render(dpi):
        size = (round(WIDE * dpi / 72), round(HIGH * dpi / 72))
        return np.asarray(paper.resize(size)) if size != paper.size else pixels

    whole = Picture(Box(0, 0, WIDE, HIGH), paper.size)
    return PageContent(1, WIDE, HIGH, list(lines), pictures=[whole], render=render, scanned=True)


def line(text, left, top, size=10.0):
    box = Box(left, top, left + 0.5 * size * len(text), top + size)
    return Line((Word(text, box, Font("", size), top + 0.8 * size),), box)


def test_a_photograph_is_a_picture_and_the_scan_itself_is_none(paper):
    rows = np.random.default_rng(1).integers(0, 200, (150, 200, 3), dtype=np.uint8)
    paper.paste(Image.fromarray(rows).resize(place(200, 150)), place(100, 200))
    content = with_marks(scanned(paper))
    (picture,) = content.pictures
    assert picture.box.iou(Box(100, 200, 300, 350)) > 0.9
    (figure,) = find_figures(content, [])
    assert figure.box == picture.box


def test_a_curve_is_a_stroke_and_makes_a_chart_of_its_axes(paper):
    pen = ImageDraw.Draw(paper)
    pen.line([place(x, 320 - 0.5 * x - 0.0008 * x * x) for x in range(100, 300, 5)], "red", 4)
    pen.line([place(90, 310), place(310, 310)], "black", 3)
    pen.line([place(90, 120), place(90, 310)], "black", 3)
    content = with_marks(scanned(paper))
    (stroke,) = [d for d in content.drawings if not d.rectangle]
    assert stroke.curved
    assert len(content.rules) == 2
    (figure,) = find_figures(content, [])
    assert figure.box.iou(Box(100, 103, 296, 263)) > 0.9


def test_bars_are_a_zone_of_a_chart_and_shaded_cells_are_not(paper):
    pen = ImageDraw.Draw(paper)
    for at, wide in enumerate((80, 200, 140, 60)):
        pen.rectangle([place(150, 100 + 30 * at), place(150 + wide, 112 + 30 * at)], "navy")
    for at in range(4):
        pen.rectangle([place(100, 400 + 30 * at), place(400, 414 + 30 * at)], "lightblue")
    cells = [line(f"row {at} of the table", 110, 402 + 30 * at) for at in range(4)]
    (zone,) = chart_zones(with_marks(scanned(paper, cells)))
    assert zone.iou(Box(150, 100, 350, 202)) > 0.9


def test_a_pale_grid_is_rules(paper):
    pen = ImageDraw.Draw(paper)
    for y in (100, 130, 160, 190):
        pen.line([place(100, y), place(400, y)], (170, 190, 230), 2)
    for x in (100, 200, 400):
        pen.line([place(x, 100), place(x, 190)], (170, 190, 230), 2)
    content = with_marks(scanned(paper))
    assert sorted(rule.horizontal for rule in content.rules) == [False] * 3 + [True] * 4
    assert [d for d in content.drawings if not d.rectangle] == []


def test_text_is_no_drawing(paper):
    pen = ImageDraw.Draw(paper)
    pen.rectangle([place(100, 100), place(240, 110)], "black")  # as far as ink goes
    content = with_marks(scanned(paper, [line("x" * 28, 100, 100)]))
    assert [d for d in content.drawings if not d.rectangle] == []
    assert content.pictures == []


def test_a_page_with_a_text_layer_is_left_alone(paper):
    content = scanned(paper)
    content.scanned = False
    assert with_marks(content) is content
    blank = with_marks(scanned(paper))
    assert (blank.rules, blank.drawings, blank.pictures, blank.marked) == ([], [], [], True)
    assert with_marks(blank) is blank
