"""The arithmetic against formulas written out anew in float64, and the properties of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from solarmini.errors import MergeError
from solarmini.merge.methods import linear, slerp, task_arithmetic, ties, trim

SHAPE = (5, 7)
values = st.floats(-3, 3, width=32).map(lambda x: np.float32(x) if abs(x) > 1e-3 else np.float32(0))
tensors = arrays(np.float32, SHAPE, elements=values)


def noise(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def slerp64(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    a, b = a.astype(np.float64), b.astype(np.float64)
    cosine = np.sum(a / np.linalg.norm(a) * (b / np.linalg.norm(b)))
    angle = np.arccos(cosine)
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)


@pytest.mark.parametrize("t", [0.1, 0.5, 0.73])
def test_slerp_formula(t: float) -> None:
    a, b = noise(1), noise(2)
    np.testing.assert_allclose(slerp(a, b, t), slerp64(a, b, t), rtol=0, atol=5e-7)


@given(tensors, tensors)
def test_slerp_ends_are_the_inputs(a: np.ndarray, b: np.ndarray) -> None:
    assert slerp(a, b, 0).tobytes() == a.tobytes()
    assert slerp(a, b, 1).tobytes() == b.tobytes()


def test_slerp_ends_keep_the_sign_of_zero() -> None:
    a, b = np.array([1, 0], np.float32), np.array([-0.0, 1], np.float32)
    assert np.signbit(slerp(a, b, 1)).tolist() == [True, False]
    assert np.signbit(slerp(b, a, 0)).tolist() == [True, False]


@given(tensors, tensors, st.floats(0.01, 0.99))
def test_slerp_is_symmetric_and_finite(a: np.ndarray, b: np.ndarray, t: float) -> None:
    forth, back = slerp(a, b, t), slerp(b, a, 1 - t)
    assert np.isfinite(forth).all()
    np.testing.assert_allclose(forth, back, rtol=1e-4, atol=1e-5)


def test_slerp_keeps_the_length_of_unit_vectors() -> None:
    a, b = noise(1).ravel(), noise(2).ravel()
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    for t in (0.2, 0.5, 0.9):
        assert np.linalg.norm(slerp(a, b, t)) == pytest.approx(1, abs=1e-6)
        assert np.linalg.norm(linear([a, b], [1 - t, t])) < 0.95


def test_slerp_of_nearly_parallel_is_a_line() -> None:
    a = noise(1)
    b = a + noise(2) * np.float32(1e-3)
    np.testing.assert_allclose(slerp(a, b, 0.25), 0.75 * a + 0.25 * b, rtol=0, atol=1e-6)
    assert np.array_equal(slerp(a, np.zeros_like(a), 0.5), slerp(np.zeros_like(a), a, 0.5))


@given(tensors, tensors, st.floats(0.1, 2), st.floats(0.1, 2))
def test_linear_formula(a: np.ndarray, b: np.ndarray, v: float, w: float) -> None:
    wide = [x.astype(np.float64) for x in (a, b)]
    mean = (v * wide[0] + w * wide[1]) / (v + w)
    np.testing.assert_allclose(linear([a, b], [v, w]), mean, rtol=0, atol=2e-6)
    total = v * wide[0] + w * wide[1]
    np.testing.assert_allclose(linear([a, b], [v, w], normalize=False), total, rtol=0, atol=5e-6)


@given(tensors, tensors)
def test_linear_with_all_weight_on_one(a: np.ndarray, b: np.ndarray) -> None:
    assert linear([a, b], [1, 0]).tobytes() == a.tobytes()
    assert linear([a, b], [0, 4]).tobytes() == b.tobytes()


def test_linear_refuses_weights_without_a_sum() -> None:
    with pytest.raises(MergeError, match="add up to zero"):
        linear([noise(1), noise(2)], [1, -1])


def test_task_arithmetic_formula() -> None:
    base, a, b = noise(0), noise(1), noise(2)
    expected = base + 0.7 * (0.5 * (a - base) + 1.5 * (b - base))
    made = task_arithmetic(base, [a, b], [0.5, 1.5], scale=0.7)
    np.testing.assert_allclose(made, expected, rtol=0, atol=2e-6)
    halved = task_arithmetic(base, [a, b], [0.5, 1.5], normalize=True)
    mean = base + (0.5 * (a - base) + 1.5 * (b - base)) / 2
    np.testing.assert_allclose(halved, mean, rtol=0, atol=2e-6)


@given(tensors, tensors)
def test_ties_of_one_whole_task_is_task_arithmetic(base: np.ndarray, a: np.ndarray) -> None:
    one = ties(base, [a], [1.0], [1.0], scale=0.5)
    assert np.array_equal(one, task_arithmetic(base, [a], [1.0], scale=0.5))


def ties_by_hand(
    base: np.ndarray, models: list[np.ndarray], weights: list[float], keep: int, scale: float
) -> np.ndarray:
    """One parameter at a time, as the paper tells it."""
    moves = []
    for x in models:
        move = (x - base).ravel().astype(np.float64)
        order = sorted(range(move.size), key=lambda i: -abs(move[i]))
        move[order[keep:]] = 0
        moves.append(move)
    out = base.ravel().astype(np.float64).copy()
    for i in range(out.size):
        pull = sum(w * m[i] for w, m in zip(weights, moves, strict=True))
        sign = 1 if pull >= 0 else -1
        agreeing = [(w, m[i]) for w, m in zip(weights, moves, strict=True) if np.sign(m[i]) == sign]
        if agreeing:
            mean = sum(w * v for w, v in agreeing) / sum(w for w, _ in agreeing)
            out[i] += scale * mean
    return out.reshape(base.shape)


def test_ties_against_the_paper_parameter_by_parameter() -> None:
    base, models = noise(0), [noise(seed) for seed in (1, 2, 3)]
    weights = [1.0, 0.6, 1.7]
    made = ties(base, models, weights, [0.4] * 3, scale=1.3)
    expected = ties_by_hand(base, models, weights, int(0.4 * base.size), 1.3)
    np.testing.assert_allclose(made, expected, rtol=0, atol=2e-6)


def test_ties_drops_what_disagrees() -> None:
    base = np.zeros(4, np.float32)
    a = np.array([2, 2, -1, 0], np.float32)
    b = np.array([4, -1, -3, 5], np.float32)
    assert ties(base, [a, b], [1, 1], [1, 1]).tolist() == [3, 2, -2, 5]
    even = ties(base, [a, -a], [1, 1], [1, 1])  # a draw goes to the positive side
    assert even.tolist() == [2, 2, 1, 0]
    assert ties(base, [a, b], [1, 1], [1, 1], normalize=False).tolist() == [6, 2, -4, 5]


@given(tensors, st.floats(0.02, 0.98))
def test_trim_keeps_the_largest(x: np.ndarray, density: float) -> None:
    kept = trim(x, density)
    count = max(1, int(density * x.size))
    stays = np.sort(np.abs(x).ravel())[-count:]
    assert np.array_equal(np.sort(np.abs(kept).ravel())[-count:], stays)
    assert np.count_nonzero(kept) <= count
    assert np.isin(kept[kept != 0], x).all()


def test_trim_ends() -> None:
    x = noise(1)
    assert trim(x, 1.0) is x
    assert not trim(x, 0.0).any()
    assert np.count_nonzero(trim(np.ones(10, np.float32), 0.5)) == 5  # among equals, the earlier
    assert trim(np.ones(4, np.float32), 0.5).tolist() == [1, 1, 0, 0]
