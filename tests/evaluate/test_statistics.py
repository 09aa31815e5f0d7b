"""Intervals against known tables, closed forms and the bootstrap."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.evaluate.statistics import (
    Item,
    estimate,
    estimate_share,
    exponential,
    influences,
    paired_difference,
    ratio,
    student_quantile,
    unpaired_difference,
    wilson,
)


@pytest.mark.parametrize(
    ("df", "quantile"),
    [(1, 12.706), (4, 2.776), (5, 2.571), (7, 2.365), (10, 2.228), (30, 2.042), (120, 1.980)],
)
def test_student_quantile_is_the_table(df: int, quantile: float) -> None:
    assert student_quantile(df) == pytest.approx(quantile, abs=2e-3)


def test_wilson_is_the_published_example() -> None:
    # Newcombe 1998, Statistics in Medicine 17, p. 861: 81 of 263, and 0 of 20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_right_or_wrong_items_get_the_binomial_error() -> None:
    items: list[Item] = [(1.0, 1.0)] * 30 + [(0.0, 1.0)] * 10
    found = estimate(items)
    assert found.value == 0.75
    assert found.stderr == pytest.approx(math.sqrt(0.75 * 0.25 / 39))
    assert (found.ci_low, found.ci_high) == wilson(30, 40)


def test_plain_means_get_the_textbook_interval() -> None:
    values = [2.0, 3.0, 7.0, 4.0, 4.5, 1.5]
    mean = sum(values) / 6
    error = math.sqrt(sum((v - mean) ** 2 for v in values) / 5 / 6)
    found = estimate([(v, 1.0) for v in values])
    assert found.value == pytest.approx(mean)
    assert found.stderr == pytest.approx(error)
    assert found.ci_high == pytest.approx(mean + 2.571 * error, rel=1e-3)


def test_ratio_error_agrees_with_the_bootstrap() -> None:
    random.seed(0)
    weights = [random.randint(20, 400) for _ in range(60)]
    items: list[Item] = [(w * random.gauss(3.0, 0.6), float(w)) for w in weights]
    means = []
    for _ in range(4000):
        means.append(ratio(random.choices(items, k=len(items))))
    centre = sum(means) / len(means)
    spread = math.sqrt(sum((m - centre) ** 2 for m in means) / (len(means) - 1))
    assert estimate(items).stderr == pytest.approx(spread, rel=0.06)


def test_one_item_has_no_interval() -> None:
    found = estimate([(3.0, 2.0)])
    assert (found.value, found.stderr, found.ci_low, found.ci_high) == (1.5, None, None, None)
    with pytest.raises(ValueError, match="no weight"):
        estimate([])


def test_the_interval_of_a_share_stays_inside() -> None:
    items: list[Item] = [(0.5, 1.0), (0.9, 1.0), (1.0, 1.0)]
    plain, share = estimate(items), estimate_share(items)
    assert plain.ci_high is not None
    assert plain.ci_high > 1
    assert (share.ci_low, share.ci_high) == (plain.ci_low, 1.0)


def test_perplexity_interval_is_that_of_the_loss() -> None:
    loss = estimate([(3.0 * w, float(w)) for w in (10, 20)] + [(7.0, 2.0)])
    found = exponential(loss)
    assert found.value == pytest.approx(math.exp(loss.value))
    assert loss.ci_low is not None
    assert found.ci_low == pytest.approx(math.exp(loss.ci_low))


def test_pairing_removes_what_both_find_hard() -> None:
    random.seed(1)
    hard = [random.gauss(3, 1) for _ in range(40)]
    first: list[Item] = [(h, 1.0) for h in hard]
    second: list[Item] = [(h - 0.1 + random.gauss(0, 0.01), 1.0) for h in hard]
    paired = paired_difference(first, second)
    a, b = estimate(first), estimate(second)
    unpaired = unpaired_difference(a.value, a.stderr, b.value, b.stderr)
    assert paired.value == pytest.approx(unpaired.value)
    assert paired.ci_high is not None
    assert unpaired.ci_high is not None
    assert paired.ci_high < 0 < unpaired.ci_high


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(1, 100)), min_size=2, max_size=30))
def test_influences_sum_to_zero_and_order_changes_nothing(items: list[Item]) -> None:
    assert sum(influences(items)) == pytest.approx(0, abs=1e-9)
    forwards, backwards = estimate(items), estimate(items[::-1])
    assert backwards.value == pytest.approx(forwards.value)
    assert backwards.stderr == pytest.approx(forwards.stderr)
    same = paired_difference(items, items)
    assert (same.value, same.stderr) == (0, 0)
