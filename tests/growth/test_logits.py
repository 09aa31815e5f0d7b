"""Grown models compute what the same modules assembled in transformers compute, bit for bit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from growth.reference import assemble, greedy, load, logits
from helpers import ARCHITECTURES, tiny_model

from solarmini.growth.methods import build_plan, dus
from solarmini.growth.plan import LayerPlan, parse_ranges
from solarmini.growth.upscale import run_upscale

LAYERS = 6
PLANS = {
    "dus": dus(LAYERS, 2),
    "naive": dus(LAYERS, 0),
    "interpose": build_plan(LAYERS, "interpose", drop=1),
    "stack": build_plan(LAYERS, "stack", layers=18),
    "ranges": parse_ranges("0-3,3,1-5,0", LAYERS),
}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def base(request, tmp_path_factory) -> tuple[str, Path, Any]:
    folder = tmp_path_factory.mktemp(request.param)
    tiny_model(request.param, folder, layers=LAYERS)
    return request.param, folder, load(folder)


def grow(folder: Path, tmp_path: Path, plan: LayerPlan, **options) -> Any:
    return load(run_upscale(folder, tmp_path / "grown", plan=plan, **options))


@pytest.mark.parametrize("name", PLANS)
def test_equal_to_modules_assembled_in_transformers(base, tmp_path: Path, name: str) -> None:
    _, folder, model = base
    plan = PLANS[name]
    grown = grow(folder, tmp_path, plan)
    expected = assemble(model, plan.sources)
    assert grown.config.num_hidden_layers == len(plan)
    assert torch.equal(logits(grown), logits(expected))
    if name == "dus":
        assert not torch.allclose(logits(grown), logits(model), atol=1e-3)


def test_cached_and_uncached_generation_agree(base, tmp_path: Path) -> None:
    _, folder, model = base
    plan = PLANS["dus"]
    grown = grow(folder, tmp_path, plan)
    uncached = greedy(grown, use_cache=False)
    assert greedy(grown, use_cache=True) == uncached
    assert greedy(assemble(model, plan.sources), use_cache=False) == uncached


@pytest.mark.parametrize("method", ["identity", "llama-pro"])
def test_identity_start_is_the_base(base, tmp_path: Path, method) -> None:
    _, folder, model = base
    plan = build_plan(LAYERS, method)
    grown = grow(folder, tmp_path, plan)
    assert len(plan) > LAYERS
    assert torch.equal(logits(grown), logits(model))
    assert greedy(grown, use_cache=True) == greedy(model, use_cache=True)


def test_identity_copies_can_learn(base, tmp_path: Path) -> None:
    """A copy whose gates and inputs were all zero would stay an identity for ever."""
    _, folder, _ = base
    plan = build_plan(LAYERS, "identity")
    grown = grow(folder, tmp_path, plan)
    ids = torch.arange(3, 40).unsqueeze(0)
    grown(input_ids=ids, labels=ids).loss.backward()
    prefix = "gpt_neox.layers" if base[0] == "gpt_neox" else "model.layers"
    new = plan.new_layers()[0]
    gradients = [
        p.grad.abs().max().item()
        for name, p in grown.named_parameters()
        if name.startswith(f"{prefix}.{new}.") and p.grad is not None
    ]
    assert 0 < max(gradients) < 100  # nor a norm of zeros, whose gradient is 1/sqrt(eps)


def test_half_dropped_is_the_base_bitwise(base, tmp_path: Path) -> None:
    _, folder, model = base
    grown = grow(folder, tmp_path, dus(LAYERS, LAYERS // 2))
    old, new = model.state_dict(), grown.state_dict()
    assert old.keys() == new.keys()
    assert all(torch.equal(old[name], new[name]) for name in old)
    assert torch.equal(logits(grown), logits(model))


def test_attenuated_halves_what_both_copies_add(base, tmp_path: Path) -> None:
    """Scaling the gates equals scaling what the branch adds, for every architecture."""
    arch, folder, model = base
    plan = dus(LAYERS, 2).attenuated(0.5)
    grown = grow(folder, tmp_path, plan)
    expected = assemble(model, plan.sources)
    inner = expected.gpt_neox if arch == "gpt_neox" else expected.model
    for index, slot in enumerate(plan.slots):
        if slot.transform == "attenuate":
            for branch in _branch_ends(arch, inner.layers[index]):
                branch.register_forward_hook(lambda _, __, out: out * 0.5)
    torch.testing.assert_close(logits(grown), logits(expected), atol=2e-5, rtol=1e-4)


def _branch_ends(arch: str, layer: Any) -> list[Any]:
    if arch == "gpt_neox":
        return [layer.attention.dense, layer.mlp.dense_4h_to_h]
    if arch in ("gemma2", "gemma3", "olmo2"):
        return [layer.post_attention_layernorm, layer.post_feedforward_layernorm]
    return [layer.self_attn.o_proj, layer.mlp]
