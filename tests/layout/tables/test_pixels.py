"""Rules and fills of scanned pages."""

from dataclasses import replace

import numpy as np
from table_pages import check, ruled, texts

from solarmini.layout.primitives import Box
from solarmini.layout.tables import find_tables, rules_from_pixels
from solarmini.layout.tables.pixels import fills_from_pixels

DPI = 144.0  # two pixels a point


def _paper():
    image = np.full((842 * 2, 595 * 2, 3), 246, dtype=np.uint8)
    noise = np.random.default_rng(3).integers(-6, 7, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _draw(image, box, value):
    left, top, right, bottom = (round(v * 2) for v in box)
    image[top:bottom, left:right] = value


def test_thin_long_runs_are_rules_and_letters_are_not():
    image = _paper()
    _draw(image, (60, 100, 400, 101), 30)
    _draw(image, (60, 100, 61, 300), 30)
    _draw(image, (100, 200, 110, 212), 20)  # a letter
    _draw(image, (200, 200, 300, 230), 20)  # a black box
    rules = rules_from_pixels(image, DPI)
    assert [r.horizontal for r in rules] == [True, False]
    for rule, box in zip(rules, ((60, 100, 400, 101), (60, 100, 61, 300)), strict=True):
        assert all(abs(a - b) <= 1 for a, b in zip(rule.box, box, strict=True))
    assert rules_from_pixels(image[..., 0], DPI) == rules


def test_fills_are_found_around_their_text():
    image = _paper()
    _draw(image, (60, 100, 400, 130), (40, 90, 170))
    _draw(image, (100, 110, 140, 120), 250)
    (fill,) = fills_from_pixels(image, DPI)
    assert fill.filled
    assert fill.rectangle
    assert fill.box.iou(Box(60, 100, 400, 130)) > 0.85


def test_a_scanned_table_is_read_by_the_rules_in_its_pixels():
    cells = {(r, c, 1, 1): f"text{r}{c}" for r in range(4) for c in range(3)}
    cells[0, 0, 1, 2] = "over two"
    del cells[0, 0, 1, 1], cells[0, 1, 1, 1]
    content = ruled([60, 170, 280, 390], [100, 125, 150, 175, 200], cells)
    image = _paper()
    for rule in content.rules:
        _draw(image, rule.box.grown(0.3), 40)
    scan = replace(content, rules=[], scanned=True, render=lambda dpi: image)
    (found,) = find_tables(scan)
    check(scan, [found])
    assert texts(found.table) == texts(find_tables(content)[0].table)
    assert texts(found.table)[0] == ["over two", "", "text02"]


def test_an_empty_and_a_black_page_have_no_rules():
    assert rules_from_pixels(np.full((100, 100, 3), 255, np.uint8), DPI) == []
    assert rules_from_pixels(np.zeros((100, 100, 3), np.uint8), DPI) == []
