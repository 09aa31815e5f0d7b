"""Predicted cache sizes equal what transformers' cache really holds."""

from pathlib import Path

import pytest
import torch
from growth import zoo
from growth.reference import load
from helpers import ARCHITECTURES, tiny_model

from solarmini.checkpoint.reader import Checkpoint
from solarmini.engine.step import step
from solarmini.growth.methods import dus
from solarmini.growth.report import base_needs, grown_needs
from solarmini.growth.upscale import prepare, run_upscale

LENGTH = 40


def held(model, length: int) -> int:
    """Elements of keys and values that the cache holds after `length` tokens."""
    ids = torch.ones(1, length, dtype=torch.long) * 5
    _, cache = step(model, ids)
    return sum(
        layer.keys.numel() + layer.values.numel()
        for layer in cache.layers
        if getattr(layer, "keys", None) is not None
    )


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_cache_of_a_grown_model(arch: str, tmp_path: Path) -> None:
    base = tiny_model(arch, tmp_path / "base", layers=4)
    checkpoint = Checkpoint.open(base)
    needs = grown_needs(prepare([checkpoint], dus(4, 1)))
    model = load(run_upscale(base, tmp_path / "grown", plan=dus(4, 1)))
    short = 8  # every window still open
    assert needs.cache_bytes(short) == 2 * held(model, short)
    assert needs.cache_per_token * short == 2 * held(model, short)
    # transformers keeps the last window-1 tokens of a sliding layer; the window is what is read
    closed = sum(layer.window is not None for layer in needs.cache)
    one_token = 2 * sum(layer.elements for layer in needs.cache if layer.window is not None)
    assert needs.cache_bytes(LENGTH) - one_token * (closed > 0) == 2 * held(model, LENGTH)
    assert needs.parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    "model_type", ["falcon", "gpt_bigcode", "bloom", "deepseek_v2", "gpt2", "lfm2", "phi", "mpt"]
)
def test_cache_of_unusual_attention(model_type: str, tmp_path: Path) -> None:
    model, folder = zoo.make(model_type, tmp_path)
    assert base_needs(Checkpoint.open(folder)).cache_bytes(12) == 2 * held(model, 12)
