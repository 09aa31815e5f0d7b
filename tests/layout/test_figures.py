"""Figures and charts from pictures and from drawings."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from table_pages import across, check, down, fill, line, page, ruled

from solarmini.layout.figures import find_figures
from solarmini.layout.primitives import Box, Drawing, Picture, Region
from solarmini.layout.tables import find_tables

PROSE = "a line of running text that is long enough to be taken for prose"


def _chart():
    """Bars on a base line with grid lines, values over bars, names under them, a scale."""
    heights = [30, 75, 52, 96, 61]
    fills = [fill(150 + 40 * i, 300 - h, 170 + 40 * i, 300) for i, h in enumerate(heights)]
    rules = [across(300 - 20 * i, 140, 350) for i in range(6)]
    labels = [line(str(h), 152 + 40 * i, 296 - h, 8) for i, h in enumerate(heights)]
    scale = [line(str(20 * i), 122, 303 - 20 * i, 8) for i in range(6)]
    years = [line(str(2015 + i), 150 + 40 * i, 312, 8) for i in range(5)]
    return [*labels, *scale, *years], rules, fills


def test_a_bar_chart_is_a_chart_with_its_labels_and_no_table():
    lines, rules, fills = _chart()
    text = [line(PROSE, 60, 400 + 13 * i) for i in range(4)]
    content = page([*lines, *text], rules, fills)
    tables = find_tables(content)
    assert tables == []
    (chart,) = find_figures(content, tables)
    assert chart.chart
    assert set(map(id, chart.lines)) == set(map(id, lines))
    tops = [ln.box.center[1] for ln in chart.lines]
    assert all(a <= b + 6 for a, b in pairwise(tops))  # reading order
    assert chart.box.iou(Box(122, 196, 350, 314)) > 0.8


def test_a_curve_with_axes_is_a_chart():
    curve = Drawing(Box(140, 200, 350, 290), False, False, True, 0xFF0000)
    other = Drawing(Box(140, 220, 350, 280), False, False, True, 0x0000FF)
    rules = [across(300, 140, 350), down(140, 190, 300)]
    scale = [line(str(20 * i), 122, 303 - 20 * i, 8) for i in range(6)]
    content = page(scale, rules, [curve, other])
    (chart,) = find_figures(content, [])
    assert chart.chart
    assert len(chart.lines) == 6


def test_pictures_are_figures_and_backgrounds_and_specks_are_not():
    text = [line(PROSE, 60, 100 + 13 * i) for i in range(20)]
    pictures = [
        Picture(Box(0, 0, 595, 842), (1200, 1700)),
        Picture(Box(100, 500, 400, 700), (600, 400)),
        Picture(Box(500, 20, 540, 50), (80, 60)),  # a logo in the margin
        Picture(Box(60, 380, 70, 390), (20, 20)),
    ]
    content = replace(page(text), pictures=pictures)
    (figure,) = find_figures(content, [])
    assert figure.box == Box(100, 500, 400, 700)
    assert not figure.chart


def test_tiles_of_one_picture_are_one_figure():
    pictures = [Picture(Box(100, 100 + 50 * i, 400, 150 + 50 * i), (600, 100)) for i in range(4)]
    (figure,) = find_figures(replace(page([]), pictures=pictures), [])
    assert figure.box == Box(100, 100, 400, 300)


def test_frames_rules_and_backgrounds_of_text_are_no_figures():
    text = [line(PROSE, 60, 100 + 13 * i) for i in range(8)]
    drawings = [fill(50, 80, 560, 220), Drawing(Box(50, 80, 560, 220), False, True, False)]
    rules = [across(60, 50, 560), across(230, 50, 560)]
    assert find_figures(page(text, rules, drawings), []) == []


def test_a_table_with_filled_cells_is_no_figure():
    cells = {(r, c, 1, 1): f"text{r}{c}" for r in range(4) for c in range(3)}
    content = ruled([60, 150, 240, 330], [100, 125, 150, 175, 200], cells)
    content.drawings += [
        fill(60 + 90 * c, 100 + 25 * r, 150 + 90 * c, 125 + 25 * r, 0x3366AA)
        for r in (0, 2)
        for c in range(3)
    ]
    tables = find_tables(content)
    check(content, tables)
    assert len(tables) == 1
    assert find_figures(content, tables) == []


def test_what_the_model_sees_counts_on_scans():
    content = replace(page([line("12", 200, 250)]), scanned=True)
    regions = [Region(Box(100, 200, 400, 400), "figure", 0.9)]
    (figure,) = find_figures(content, [], regions)
    assert len(figure.lines) == 1
    assert find_figures(content, [], [replace(regions[0], score=0.2)]) == []


def test_a_picture_of_flat_colour_on_white_is_a_chart_and_a_photograph_is_none():
    plot = np.full((842, 595, 3), 255, np.uint8)
    plot[200:300, 100:300:40] = (200, 30, 30)
    plot[300:302, 90:310] = 0
    photograph = np.random.default_rng(5).integers(0, 255, plot.shape, dtype=np.uint8)
    pictures = [Picture(Box(90, 150, 310, 320), (440, 340))]
    for image, chart in ((plot, True), (photograph, False)):
        drawn = replace(page([]), pictures=pictures, render=lambda dpi, image=image: image)
        (figure,) = find_figures(drawn, [])
        assert figure.chart is chart
