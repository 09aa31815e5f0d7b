"""Layout and table models: registry, decoding, and the packaged networks on drawn pages."""

from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

from solarmini.errors import ConfigError
from solarmini.layout.models import layout_model, layout_models, registry, table_model, table_models
from solarmini.layout.models.base import LayoutModel, TableModel
from solarmini.layout.models.picodet import suppress
from solarmini.layout.models.slanet import build
from solarmini.layout.primitives import Box, Region


class Plugged:
    name = "plugged"
    dpi = 50.0

    def detect(self, image, dpi):
        return [Region(Box(0, 0, 1, 1), "text", 1.0)]


class NoModel:
    pass


@pytest.fixture
def plugged(monkeypatch):
    """Entry points that name the models above."""
    found = EntryPoints(
        EntryPoint(name, f"{__name__}:{name}", registry.LAYOUT_GROUP)
        for name in ("Plugged", "NoModel")
    )
    for point, cls in zip(found, (Plugged, NoModel), strict=True):
        monkeypatch.setitem(vars(point), "load", lambda cls=cls: cls)
    monkeypatch.setattr(registry, "entry_points", lambda group: found.select(group=group))
    layout_model.cache_clear()
    yield
    layout_model.cache_clear()


def test_models_of_other_packages_plug_in_by_name(plugged):
    assert layout_models() == ["NoModel", "Plugged", "picodet"]
    model = layout_model("Plugged")
    assert isinstance(model, LayoutModel)
    assert model.detect(np.zeros((4, 4, 3), np.uint8), 50)[0].label == "text"
    with pytest.raises(ConfigError, match="lacks"):
        layout_model("NoModel")


def test_an_unknown_model_names_those_there_are():
    assert "slanet" in table_models()
    with pytest.raises(ConfigError) as caught:
        layout_model("nothing")
    assert "picodet" in (caught.value.mend or "")


def test_suppression_keeps_the_best_of_boxes_that_overlap():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]], dtype=float)
    assert suppress(boxes, np.array([0.5, 0.9, 0.7]), 0.5) == [1, 2]


def test_structure_tokens_become_a_grid():
    tokens = ["<thead>", "<tr>", "<td", ' colspan="2"', ">", "</td>", "<td></td>", "</tr>"]
    tokens += ["</thead>", "<tbody>", "<tr>", "<td", ' rowspan="2"', ">", "</td>"]
    tokens += ["<td></td>", "<td></td>", "</tr>", "<tr>", "<td></td>", "<td></td>", "</tr>"]
    guess = build(tokens, [Box(0, 0, 1, 1)] * 7, 0.9)
    assert guess is not None
    places = [(c.row, c.column, c.row_span, c.column_span) for c in guess.cells]
    assert places == [
        (0, 0, 1, 2),
        (0, 2, 1, 1),
        (1, 0, 2, 1),
        (1, 1, 1, 1),
        (1, 2, 1, 1),
        (2, 1, 1, 1),
        (2, 2, 1, 1),
    ]
    assert (guess.rows, guess.columns, guess.header_rows) == (3, 3, 1)
    assert build([], [], 1.0) is None


def _picture(dpi):
    """A page with a ruled table of 5 x 4 at (100, 200)-(500, 350) points and lines of text."""
    scale = dpi / 72
    image = np.full((round(842 * scale), round(595 * scale), 3), 255, np.uint8)

    def draw(left, top, right, bottom):
        box = [round(v * scale) for v in (left, top, right, bottom)]
        image[box[1] : max(box[3], box[1] + 1), box[0] : max(box[2], box[0] + 1)] = 0

    def text(left, y, letters):
        for i in range(letters):
            if i % 7 < 6:
                draw(left + 5 * i, y - 6 + i % 2, left + 5 * i + 3, y)

    for row in range(6):
        draw(100, 200 + 30 * row, 500, 200.7 + 30 * row)
    for column in range(5):
        draw(100 + 100 * column, 200, 100.7 + 100 * column, 350)
    for row in range(5):
        for column in range(4):
            text(110 + 100 * column, 219 + 30 * row, 8)
    for number in range(20):
        text(60, 400 + 14 * number, 90)
    return image


def test_the_packaged_layout_model_sees_a_table():
    model = layout_model()
    assert isinstance(model, LayoutModel)
    regions = model.detect(_picture(model.dpi), model.dpi)
    tables = [r for r in regions if r.label == "table"]
    assert len(tables) == 1
    assert tables[0].box.iou(Box(100, 200, 500, 350)) > 0.8
    assert model.detect(np.zeros((4, 4, 3), np.uint8), model.dpi) == []


def test_the_packaged_table_model_reads_a_grid():
    model = table_model()
    assert isinstance(model, TableModel)
    guess = model.recognise(_picture(model.dpi), Box(97, 197, 503, 353), model.dpi)
    assert guess is not None
    assert (guess.rows, guess.columns) == (5, 4)
    assert guess.score > 0.9
    first, last = guess.cells[0].box, guess.cells[-1].box
    assert Box(100, 200, 200, 230).inside(first.grown(15)) > 0.8
    assert last.overlap(Box(400, 320, 500, 350)) > 0
    assert model.recognise(_picture(50), Box(0, 0, 1, 1), 50) is None
