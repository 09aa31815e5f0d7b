"""The chunked loss is the plain one, values and gradients."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from solarmini.train.linear_head import Shaping, cross_entropy_sum, token_logprobs
from solarmini.train.losses import LN2, dpo, sequence_sums


def _inputs(rows: int, seed: int, bias: bool) -> list[Any]:
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(rows, 8, generator=generator, requires_grad=True)
    weight = torch.randn(13, 8, generator=generator, requires_grad=True)
    offset = torch.randn(13, generator=generator, requires_grad=True) if bias else None
    return [hidden, weight, offset]


def _plain(inputs: list, targets: torch.Tensor, shaping: Shaping) -> torch.Tensor:
    hidden, weight, bias = inputs
    logits = torch.nn.functional.linear(hidden, weight, bias) * shaping.scale
    if shaping.softcap:
        logits = torch.tanh(logits / shaping.softcap) * shaping.softcap
    return torch.log_softmax(logits, dim=1).gather(1, targets[:, None])[:, 0]


@given(
    rows=st.integers(1, 20),
    chunk=st.integers(1, 9),
    seed=st.integers(0, 99),
    bias=st.booleans(),
    shaping=st.sampled_from([Shaping(), Shaping(0.25), Shaping(1.0, 3.0), Shaping(2.0, 5.0)]),
)
def test_equals_torch(rows: int, chunk: int, seed: int, bias: bool, shaping: Shaping) -> None:
    targets = torch.randint(0, 13, (rows,), generator=torch.Generator().manual_seed(seed))
    weights = torch.linspace(-1, 2, rows)
    plain, ours = _inputs(rows, seed, bias), _inputs(rows, seed, bias)
    expected = _plain(plain, targets, shaping)
    got = token_logprobs(*ours, targets, shaping, chunk)
    assert torch.allclose(got, expected, atol=1e-5)
    (expected * weights).sum().backward()
    (got * weights).sum().backward()
    _same_gradients(plain, ours)

    plain, ours = _inputs(rows, seed, bias), _inputs(rows, seed, bias)
    expected_loss = -_plain(plain, targets, shaping).sum()
    loss = cross_entropy_sum(*ours, targets, shaping, chunk)
    assert float(loss.detach()) == pytest.approx(float(expected_loss.detach()), abs=1e-4)
    (expected_loss / 7).backward()
    (loss / 7).backward()
    _same_gradients(plain, ours)


def _same_gradients(plain: list, ours: list) -> None:
    for a, b in zip(plain, ours, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert torch.allclose(a.grad, b.grad, atol=2e-5)


def test_frozen_weights_cost_no_gradient() -> None:
    hidden, weight, _ = _inputs(5, 0, bias=False)
    weight.requires_grad_(False)
    targets = torch.arange(5)
    cross_entropy_sum(hidden, weight, None, targets).backward()
    token_logprobs(hidden, weight, None, targets).sum().backward()
    assert weight.grad is None
    assert float(hidden.grad.abs().max()) < 1e-6  # the loss and its negative


def test_no_gradient_is_made_when_none_is_wanted() -> None:
    hidden, weight, _ = _inputs(5, 0, bias=False)
    with torch.no_grad():
        loss = cross_entropy_sum(hidden, weight, None, torch.arange(5))
    assert not loss.requires_grad


def test_logits_of_a_batch_never_exist() -> None:
    """Peak of tensors alive: chunks of [4, V] instead of [64, V]."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Largest(TorchDispatchMode):
        rows = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor) and out.ndim == 2 and out.shape[1] == 50:
                self.rows = max(self.rows, out.shape[0])
            return out

    hidden = torch.randn(64, 3, requires_grad=True)
    weight = torch.randn(50, 3, requires_grad=True)
    for function in (cross_entropy_sum, token_logprobs):
        with Largest() as largest:
            function(hidden, weight, None, torch.arange(64) % 50, Shaping(), 4).sum().backward()
        assert largest.rows == 4


def test_bf16_stays_near_fp32() -> None:
    hidden, weight, _ = _inputs(16, 1, bias=False)
    targets = torch.arange(16) % 13
    exact = cross_entropy_sum(hidden, weight, None, targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = cross_entropy_sum(hidden, weight, None, targets)
    assert loss.dtype == torch.float32
    assert float(loss.detach()) == pytest.approx(float(exact.detach()), rel=1e-2)


def test_dpo_by_hand() -> None:
    chosen, rejected = torch.tensor([-10.0, -5.0]), torch.tensor([-12.0, -4.0])
    same = dpo(chosen, rejected, chosen, rejected, beta=0.1)
    assert float(same.loss) == pytest.approx(2 * LN2, abs=1e-7)
    assert float(same.accuracy) == 1.0  # two ties count half each
    moved = dpo(chosen, rejected, chosen - 1, rejected + torch.tensor([1.0, -3.0]), beta=0.5)
    margins = torch.tensor([0.5 * (1 + 1), 0.5 * (1 - 3)])
    assert float(moved.loss) == pytest.approx(
        float(-torch.log(torch.sigmoid(margins)).sum()), abs=1e-6
    )
    assert float(moved.accuracy) == 1.0
    assert float(moved.margin) == pytest.approx(0.0)
    smooth = dpo(chosen, rejected, chosen - 4, rejected, beta=1.0, label_smoothing=0.1)
    one = 0.9 * torch.nn.functional.softplus(torch.tensor(-4.0)) + 0.1 * (
        torch.nn.functional.softplus(torch.tensor(4.0))
    )
    assert float(smooth.loss) == pytest.approx(2 * float(one), abs=1e-5)


def test_sequence_sums() -> None:
    owner = torch.tensor([0, 0, 2, 2, 2])
    sums = sequence_sums(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), owner, 3)
    assert sums.tolist() == [3.0, 0.0, 12.0]
