import numpy as np
import pytest

from solarmini.layout.ocr.engines import choose_engine
from solarmini.layout.ocr.pixels import quarter_turned, straightened
from solarmini.layout.ocr.turning import Turn, upright


def found(image: np.ndarray) -> Turn:
    engine = choose_engine("own", ("en",))
    return upright(image, engine.detector, engine.recogniser)[0]


@pytest.mark.parametrize("askew", [-11.0, -2.0, 0.7, 5.0])
def test_skew_is_found_within_a_fifth_of_a_degree(draw, askew: float) -> None:
    turn = found(straightened(draw(), askew, grow=True))
    assert turn.quarters == 0
    assert turn.skew == pytest.approx(-askew, abs=0.2)


def test_a_straight_page_is_left_alone(draw) -> None:
    assert found(draw()).nothing


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_undone(draw, quarters: int) -> None:
    turn = found(quarter_turned(draw(), quarters))
    assert (turn.quarters + quarters) % 4 == 0
    assert turn.skew == 0


def test_turned_and_askew_together(draw) -> None:
    turn = found(quarter_turned(straightened(draw(), 3.0, grow=True), 1))
    assert turn.quarters == 3
    assert turn.skew == pytest.approx(-3.0, abs=0.2)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("skew", [0.0, 1.5, -9.0])
def test_size_is_that_of_the_turned_picture(quarters: int, skew: float) -> None:
    turn = Turn(quarters, skew)
    high, wide = turn.apply(np.zeros((300, 200, 3), dtype=np.uint8)).shape[:2]
    assert turn.size(200, 300) == pytest.approx((wide, high), abs=2)


def test_degrees_are_the_short_way_round() -> None:
    assert Turn(3, 2.0).degrees == -88.0
    assert Turn(2, 0.0).degrees == 180.0


def test_a_picture_without_text_is_not_turned() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    assert found(noise).nothing
