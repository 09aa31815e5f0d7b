"""Packing: every example once, never too full, positions and targets reset."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.data.examples import Example, make_example
from solarmini.data.packing import pack, packing_efficiency, plan_rows
from solarmini.errors import DataError

lengths = st.lists(st.integers(1, 40), max_size=120)


@given(lengths=lengths, seed=st.integers(0, 9), window=st.integers(1, 60))
def test_a_plan_is_a_permutation_that_fits(lengths, seed, window):
    rows = plan_rows(lengths, 40, seed, window=window)
    assert sorted(index for row in rows for index in row) == list(range(len(lengths)))
    assert all(row and sum(lengths[index] for index in row) <= 40 for row in rows)
    assert rows == plan_rows(np.array(lengths, dtype=np.int64), 40, seed, window=window)


def test_a_plan_wastes_little_and_is_shuffled():
    sizes = np.random.Generator(np.random.PCG64(0)).integers(5, 400, 3000)
    rows = plan_rows(sizes, 1024, 0)
    assert packing_efficiency(rows, sizes, 1024) > 0.99
    assert rows != plan_rows(sizes, 1024, 1)
    heads = np.array([max(sizes[row]) for row in rows])
    first, second = heads[: len(heads) // 2], heads[len(heads) // 2 :]
    assert abs(first.mean() - second.mean()) < 0.1 * heads.mean()  # long ones not all at once


def test_best_fit_fills_the_fullest_row_that_still_has_room():
    # decreasing: 7 | 6 | then 3 fits both rows of capacity 10 and belongs to the 7
    rows = plan_rows([3, 6, 7], 10, 0)
    assert sorted(sorted(row) for row in rows) == [[0, 2], [1]]


def test_an_example_longer_than_a_row_is_named():
    with pytest.raises(DataError, match="example 1 has 11 tokens, a row holds 10"):
        plan_rows([5, 11], 10, 0)
    assert plan_rows([], 10, 0) == []
    assert packing_efficiency([], [], 10) == 1.0


def test_pack_resets_positions_and_first_targets():
    one = make_example([5, 6, 7], [True, False, True])
    # a mask that claims a first token: no segment may be predicted from the one before
    two = Example(np.array([8, 9], np.int32), np.array([True, True]))
    packed = pack([one, two])
    assert packed.input_ids.tolist() == [5, 6, 7, 8, 9]
    assert packed.position_ids.tolist() == [0, 1, 2, 0, 1]
    assert packed.cu_seqlens.tolist() == [0, 3, 5]
    assert packed.targets.tolist() == [False, False, True, False, True]
    dtypes = [packed.input_ids.dtype, packed.position_ids.dtype, packed.cu_seqlens.dtype]
    assert dtypes == [np.int64, np.int64, np.int32]
    assert packed.targets.dtype == np.bool_
    with pytest.raises(DataError, match="nothing to pack"):
        pack([])
