"""Mixing by token share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.data.mixing import mix
from solarmini.errors import DataError

sizes = st.lists(st.lists(st.integers(1, 9), max_size=30), min_size=1, max_size=4)


@given(streams=sizes, data=st.data())
def test_shares_follow_the_weights_to_the_end(streams, data):
    weights = [data.draw(st.floats(0.1, 9)) for _ in streams]
    given_ = [0.0] * len(streams)
    for index, size in mix([iter(s) for s in streams], weights, lambda size: size):
        # the one furthest behind is served: nobody is ever ahead by more than one item
        assert given_[index] / weights[index] == min(
            g / w for g, w in zip(given_, weights, strict=True)
        )
        given_[index] += size
    total = sum(given_)
    for number, weight in enumerate(weights):
        wanted = total * weight / sum(weights)
        assert abs(given_[number] - wanted) <= 9 * len(streams) * max(weights) / min(weights)


@given(streams=sizes)
def test_with_all_nothing_is_lost_and_order_within_a_stream_stays(streams):
    got = [[] for _ in streams]
    mixed = mix([iter(s) for s in streams], [1.0] * len(streams), lambda s: s, stop="all")
    for index, size in mixed:
        got[index].append(size)
    assert got == streams


def test_replay_of_a_quarter():
    mixed = mix([iter("a" * 100), iter("b" * 100)], [0.75, 0.25], len)
    assert "".join(item for _, item in mixed)[:12] == "abaaabaaabaa"


def test_weights_must_be_above_zero():
    with pytest.raises(DataError, match="one weight above zero"):
        list(mix([iter("a")], [0.0], len))
    with pytest.raises(DataError, match="one weight above zero"):
        list(mix([iter("a")], [1.0, 2.0], len))
