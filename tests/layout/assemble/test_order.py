"""Reading order as such: always a permutation, and as people read."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.layout.assemble.order import Item, reading_order
from solarmini.layout.primitives import Box

place = st.integers(0, 60).map(float)
boxes = st.lists(
    st.builds(
        lambda x, y, w, h, rows: Item(Box(x * 10, y * 10, x * 10 + w, y * 10 + h), rows),
        place,
        place,
        st.integers(1, 400),
        st.integers(1, 200),
        st.integers(0, 9),
    ),
    max_size=25,
)


@given(boxes)
def test_order_is_a_permutation(items):
    assert sorted(reading_order(items, 12.0)) == list(range(len(items)))


@given(st.randoms(use_true_random=False))
def test_order_of_columns_does_not_depend_on_the_order_given(rng):
    items = [Item(Box(0, 0, 420, 20), 1)]
    items += [
        Item(Box(c * 220, 40 + r * 50, c * 220 + 200, 80 + r * 50), 3)
        for c in (0, 1)
        for r in range(4)
    ]
    shuffled = list(range(len(items)))
    rng.shuffle(shuffled)
    order = reading_order([items[i] for i in shuffled], 12.0)
    assert [shuffled[i] for i in order] == list(range(len(items)))


def order_of(*boxes, rows=3):
    return reading_order([Item(Box(*box), rows) for box in boxes], 12.0)


def test_right_column_set_higher_is_still_second():
    assert order_of((0, 50, 200, 300), (220, 0, 420, 300)) == [0, 1]


def test_spanning_box_parts_two_sets_of_columns():
    left1, right1 = (0, 0, 200, 100), (220, 0, 420, 90)
    across = (0, 120, 420, 200)
    left2, right2 = (0, 220, 200, 300), (220, 220, 420, 320)
    assert order_of(left1, right1, across, left2, right2) == [0, 1, 2, 3, 4]


def test_labels_and_values_are_read_across():
    rows = [(0, 20 * i, 60, 20 * i + 10) for i in range(4)]
    values = [(120, 20 * i, 400, 20 * i + 10) for i in range(4)]
    pairs = [box for pair in zip(rows, values, strict=True) for box in pair]
    assert order_of(*pairs, rows=1) == list(range(8))


def test_a_grid_of_pictures_is_read_by_rows():
    grid = [(x, y, x + 180, y + 100) for y in (0, 150) for x in (0, 200)]
    assert order_of(*grid, rows=0) == [0, 1, 2, 3]


def test_boxes_that_no_straight_cut_parts():
    # a picture reaches from the right column into the left one; text flows around it
    first, picture = (0, 0, 200, 100), (150, 110, 420, 200)
    beside, below, right = (0, 105, 140, 210), (0, 215, 200, 300), (220, 210, 420, 300)
    order = order_of(first, picture, beside, below, right)
    assert order.index(0) < order.index(2) < order.index(3)
    assert order.index(0) < order.index(1) < order.index(4)


@pytest.mark.parametrize("count", [240, 2000])
def test_many_boxes_are_ordered_fast(count):
    noise = random.Random(1)
    items = [
        Item(Box(x, y, x + 40, y + 9), 1)
        for x, y in ((noise.uniform(0, 500), noise.uniform(0, 700)) for _ in range(count))
    ]
    before = time.process_time()
    assert sorted(reading_order(items, 12.0)) == list(range(count))
    assert time.process_time() - before < 2
