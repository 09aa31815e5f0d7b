"""Schedules and data order, exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.errors import TrainError
from solarmini.train.plan import Budget, Pool, count_tokens, micro_batches, plan_steps
from solarmini.train.schedule import learning_rate_factor, warmup_steps


def _curve(total: int, **options) -> list[float]:
    return [round(learning_rate_factor(i, total, **options), 6) for i in range(total)]


def test_schedules() -> None:
    assert _curve(6, schedule="linear", warmup=2) == [0.333333, 0.666667, 1.0, 0.75, 0.5, 0.25]
    assert _curve(6, schedule="cosine", warmup=2, min_ratio=0.1) == [
        0.333333,
        0.666667,
        1.0,
        0.868198,
        0.55,
        0.231802,
    ]
    assert _curve(4, schedule="constant", warmup=1) == [0.5, 1.0, 1.0, 1.0]
    assert _curve(10, schedule="wsd", warmup=1, decay_share=0.4, min_ratio=0.2) == [
        0.5,
        *[1.0] * 6,
        0.8,
        0.6,
        0.4,
    ]
    assert [warmup_steps(w, 50) for w in (0, 0.1, 0.03, 7, 90)] == [0, 5, 2, 7, 50]


@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=30),
    batch=st.integers(1, 7),
    seed=st.integers(0, 5),
    capacity=st.none() | st.integers(20, 60),
)
def test_every_example_once_an_epoch(
    lengths: list[int], batch: int, seed: int, capacity: int | None
) -> None:
    array = np.array(lengths)
    budget = Budget(epochs=2)
    plan = {"batch_size": batch, "seed": seed, "capacity": capacity}
    steps = plan_steps([Pool(0, array)], budget, **plan)
    order = [index for rows in steps for row in rows for index in row]
    assert sorted(order[: len(lengths)]) == list(range(len(lengths)))
    assert sorted(order) == sorted([*range(len(lengths))] * 2)
    assert all(len(rows) == batch for rows in steps[:-1])
    assert 1 <= len(steps[-1]) <= batch
    if capacity:
        assert all(array[list(row)].sum() <= capacity for rows in steps for row in rows)
    assert steps == plan_steps([Pool(0, array)], budget, **plan)
    # a longer run begins as a shorter one
    assert plan_steps([Pool(0, array)], Budget(epochs=3), **plan)[: len(steps) - 1] == steps[:-1]


def test_replay_has_its_share_of_tokens() -> None:
    rng = np.random.default_rng(0)
    main, replay = rng.integers(5, 60, 500), rng.integers(30, 60, 90)
    steps = plan_steps(
        [Pool(0, main), Pool(500, replay, 0.25)],
        Budget(epochs=1),
        batch_size=4,
        seed=0,
        capacity=64,
    )
    order = np.array([index for rows in steps for row in rows for index in row])
    lengths = np.concatenate([main, replay])
    share = lengths[order[order >= 500]].sum() / lengths[order].sum()
    assert share == pytest.approx(0.25, abs=0.01)
    assert sorted(order[order < 500]) == list(range(500))
    # it is spread evenly, not put at the end
    half = order[: len(order) // 2]
    assert lengths[half[half >= 500]].sum() / lengths[half].sum() == pytest.approx(0.25, abs=0.02)


def test_budgets() -> None:
    pool = [Pool(0, np.full(10, 8))]
    plan = {"batch_size": 2, "seed": 0}
    assert len(plan_steps(pool, Budget(max_steps=3), **plan)) == 3
    assert len(plan_steps(pool, Budget(max_tokens=33), **plan)) == 3  # 5 rows of 8
    assert len(plan_steps(pool, Budget(epochs=1.5), **plan)) == 8  # 15 rows
    assert len(plan_steps(pool, Budget(1.0, 99, 17), **plan)) == 2
    assert count_tokens(plan_steps(pool, Budget(epochs=1), **plan), np.full(10, 8)) == 80
    with pytest.raises(TrainError, match="never end"):
        plan_steps(pool, Budget(), **plan)
    with pytest.raises(TrainError, match="no data"):
        plan_steps([Pool(0, np.zeros(0, dtype=np.int64))], Budget(epochs=1), **plan)


def test_micro_batches() -> None:
    lengths = np.array([5, 5, 5, 30, 1])
    rows = [(0,), (1, 2), (3,), (4,)]
    assert micro_batches(rows, lengths, None, 15) == [[0, 1, 2], [3], [4]]
    assert micro_batches(rows, lengths, 1, 99) == [[0], [1, 2], [3], [4]]
    assert micro_batches(rows, lengths, None, 99) == [[0, 1, 2, 3, 4]]
