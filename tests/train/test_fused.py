"""The leaner passes give the numbers of the plain ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

from solarmini.train.allocator import kept_memory
from solarmini.train.fused import fuse, unfuse
from solarmini.train.model import Policy
from solarmini.train.rows import pair_row, text_row
from solarmini.train.short_attention import LONGEST, short_attention, takes_short
from tests.helpers import ARCHITECTURES
from tests.train.common import loss_and_gradients, make_policy, random_example, random_pair

# norms and gated layers of two layers; Mixtral's experts and the others' own forms are left alone
FUSED = {"llama": 6, "mistral": 6, "qwen2": 6, "qwen3": 6, "phi3": 4, "mixtral": 4, "olmo2": 2}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_fused_equals_plain(arch: str, tmp_path: Path) -> None:
    policy = make_policy(arch, tmp_path / arch)
    assert fuse(policy.model) == FUSED.get(arch, 0)
    rng = np.random.default_rng(0)
    row = text_row([random_example(rng, 20), random_example(rng, 9, 4)])
    fused, ours = loss_and_gradients(policy, [row])
    unfuse(policy.model)
    assert not any("forward" in module.__dict__ for module in policy.model.modules())
    plain, theirs = loss_and_gradients(policy, [row])
    assert fused == pytest.approx(plain, abs=1e-4)
    assert set(ours) == set(theirs)
    for name, gradient in theirs.items():
        assert torch.allclose(ours[name], gradient, atol=1e-5), name


@pytest.mark.parametrize("window", [0, 5])
@pytest.mark.parametrize(("new", "total"), [(1, 1), (7, 7), (6, 19), (LONGEST, LONGEST)])
def test_short_attention_equals_exact(new: int, total: int, window: int) -> None:
    generator = torch.Generator().manual_seed(0)

    def make(heads: int, length: int, size: int) -> torch.Tensor:
        made = torch.randn(1, heads, length, size, generator=generator)
        return made.to(torch.bfloat16).requires_grad_(True)

    parts = make(6, new, 16), make(2, total, 16), make(2, total, 8)
    weight = torch.randn(1, 6, new, 8, generator=generator)
    assert takes_short(*parts[:2], make(2, total, 8), 0.0, None)
    out = short_attention(*parts, None, window)
    (out.float() * weight).sum().backward()

    exact = [part.detach().double().requires_grad_(True) for part in parts]
    query, key, value = exact[0], *(part.repeat_interleave(3, 1) for part in exact[1:])
    scores = query @ key.transpose(2, 3) / 4
    back = torch.arange(total - new, total)[:, None] - torch.arange(total)[None]
    hidden = (back < 0) | (back >= (window or total))
    expected = torch.softmax(scores.masked_fill(hidden, -torch.inf), -1) @ value
    (expected * weight.double()).sum().backward()
    assert float((out.double() - expected).detach().abs().max()) < 0.04
    for ours, theirs in zip(parts, exact, strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        error = (ours.grad.double() - theirs.grad).norm() / theirs.grad.norm().clamp(min=1e-9)
        assert float(error) < 0.02 or float(theirs.grad.norm()) < 1e-9


def test_bf16_gradients_point_the_same_way(tmp_path: Path) -> None:
    policy = make_policy("llama", tmp_path / "m", layers=3)
    rng = np.random.default_rng(0)
    row = text_row([random_example(rng, 60), random_example(rng, 25, 4)])
    exact, theirs = loss_and_gradients(policy, [row])
    rough, ours = loss_and_gradients(Policy(policy.model, "bf16"), [row])
    assert rough == pytest.approx(exact, rel=2e-3)
    a, b = (torch.cat([g[name].flatten() for name in sorted(g)]) for g in (ours, theirs))
    assert float(torch.cosine_similarity(a, b, dim=0)) > 0.999
    pair = pair_row([random_pair(rng, 20, 9, 14)])
    exact_sums = policy.sequence_logprobs(pair)
    rough_sums = Policy(policy.model, "bf16").sequence_logprobs(pair)
    assert torch.allclose(exact_sums, rough_sums, rtol=3e-3)


def test_kept_memory_is_given_back() -> None:
    import psutil

    process = psutil.Process()
    before = process.memory_info().rss
    with kept_memory():
        for _ in range(3):
            block = torch.ones(40_000_000)
            del block
    assert process.memory_info().rss - before < 80e6
