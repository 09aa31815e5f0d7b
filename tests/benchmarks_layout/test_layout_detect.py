"""Detection rates of the layout benchmark."""

import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def detect():
    sys.path.insert(0, str(ROOT / "benchmarks" / "layout"))
    try:
        yield importlib.import_module("detect")
    finally:
        sys.path.pop(0)


def element(category, left, top, right, bottom):
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return {
        "category": category,
        "page": 1,
        "coordinates": [{"x": x, "y": y} for x, y in corners],
    }


def write(path, *elements):
    path.write_text(json.dumps({"a.pdf": {"elements": list(elements)}}))
    return path


def test_rates_by_hand(detect, tmp_path):
    truth = write(
        tmp_path / "t.json",
        element("Table", 0, 0, 1, 0.5),
        element("Heading1", 0, 0.6, 1, 0.7),
        element("Paragraph", 0, 0.8, 1, 1),
    )
    found = write(
        tmp_path / "f.json",
        element("table", 0, 0, 1, 0.4),  # IoU .8
        element("table", 0, 0, 1, 0.3),  # IoU .6, but the place is taken
        element("heading3", 0, 0.6, 1, 0.7),
        element("paragraph", 0, 0.9, 1, 1.1),  # IoU 1/3
    )
    rows = detect.score_detection(detect.read_elements(truth), detect.read_elements(found))
    assert rows["table"]["recall"] == 1.0
    assert rows["table"]["precision"] == 0.5
    assert rows["heading"]["f1"] == 1.0
    assert rows["paragraph"]["f1"] == 0.0
    assert rows["all"]["precision"] == 0.5
    assert "| table | 0.667 |" in detect.render(rows)


def test_a_box_is_matched_once(detect):
    from solarmini.layout.primitives import Box

    box = Box(0, 0, 1, 1)
    assert detect.matches([box], [box, box], 0.5) == 1
    assert detect.matches([box, box], [box], 0.5) == 1
