"""Packed rows give every text what it would get alone, for every architecture."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from solarmini.errors import TrainError
from solarmini.train import attention
from solarmini.train.fused import unfuse
from solarmini.train.model import check_architecture
from solarmini.train.rows import pair_row, shared_prefix, text_row
from tests.helpers import ARCHITECTURES
from tests.train.common import (
    loss_and_gradients,
    make_policy,
    max_difference,
    random_example,
    random_pair,
)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_packed_equals_unpacked(arch: str, tmp_path: Path) -> None:
    policy = make_policy(arch, tmp_path / arch, layers=3)
    rng = np.random.default_rng(1)
    # 40 tokens reach beyond the sliding windows of 16
    texts = [random_example(rng, n, prompt) for n, prompt in ((40, 5), (7, 1), (23, 20))]
    alone, alone_gradients = loss_and_gradients(policy, [text_row([text]) for text in texts])
    packed, packed_gradients = loss_and_gradients(policy, [text_row(texts)])
    assert packed == pytest.approx(alone, abs=1e-4)
    assert max_difference(packed_gradients, alone_gradients) < 2e-5

    policy.model.set_attn_implementation("eager")
    unfuse(policy.model)
    own = 0.0
    for text in texts:
        ids = torch.from_numpy(text.ids.astype(np.int64))[None]
        labels = torch.where(torch.from_numpy(text.mask), ids, -100)
        logits = policy.model(input_ids=ids, use_cache=False).logits[0, :-1]
        own += float(
            torch.nn.functional.cross_entropy(logits, labels[0, 1:], reduction="sum").detach()
        )
    assert packed == pytest.approx(own, abs=1e-3)


@pytest.mark.parametrize("arch", ["llama", "mistral", "gemma2", "gemma3"])
def test_shared_prompt_equals_two_texts(arch: str, tmp_path: Path) -> None:
    policy = make_policy(arch, tmp_path / arch, layers=3)
    rng = np.random.default_rng(2)
    pairs = [random_pair(rng, *sizes) for sizes in ((22, 9, 5), (3, 25, 30), (30, 1, 1))]
    joined = pair_row(pairs)
    apart = text_row([side for pair in pairs for side in pair])
    assert joined.input_ids.shape[1] == apart.input_ids.shape[1] - 22 - 3 - 30
    assert joined.tokens == apart.tokens
    results = []
    for row in (joined, apart):
        logprobs = policy.sequence_logprobs(row)
        (logprobs * torch.arange(1.0, 7.0)).sum().backward()
        found = {n: p.grad.clone() for n, p in policy.named_parameters() if p.grad is not None}
        policy.zero_grad(set_to_none=True)
        results.append((logprobs.detach(), found))
    assert torch.allclose(results[0][0], results[1][0], atol=1e-4)
    assert max_difference(results[0][1], results[1][1]) < 1e-4


def test_shared_prefix_leaves_a_token_to_each() -> None:
    rng = np.random.default_rng(3)
    first = random_example(rng, 8)
    longer = random_example(rng, 12)
    longer.ids[:8] = first.ids
    assert shared_prefix(first, longer) == 7
    assert shared_prefix(first, first) == 7
    longer.ids[0] += 1
    assert shared_prefix(first, longer) == 0
    policy_row = pair_row([(first, longer)])
    assert [s.prefix_length for s in policy_row.layout.segments] == [0, 0]


class _Layer(torch.nn.Module):
    is_causal = True
    config = SimpleNamespace(model_type="oddity", layer_types=("sliding_attention",))
    layer_idx = 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "sliding window"),
        ({"sliding_window": 4, "s_aux": torch.ones(2)}, "attention sinks"),
        ({"sliding_window": 4, "position_bias": torch.ones(2)}, "position bias"),
        ({"sliding_window": 4, "attention_mask": torch.ones(2)}, "mask of its own"),
        ({"sliding_window": 4, "layout": None}, "keyword arguments"),
    ],
)
def test_what_cannot_be_exact_is_refused(options: dict, text: str) -> None:
    query = torch.zeros(1, 2, 6, 4)
    layout = attention.Layout.from_cu_seqlens([0, 2, 6])
    call: dict[str, Any] = {"attention_mask": None, "layout": layout} | options
    with pytest.raises(TrainError, match=f"'oddity' cannot be trained here: .*{text}"):
        attention.varlen_attention(_Layer(), query, query, query, **call)


def test_an_architecture_that_differs_is_refused_by_name(tmp_path: Path) -> None:
    policy = make_policy("llama", tmp_path / "llama")
    check_architecture(policy.model)
    policy.model.config.logits_scaling = 2.0  # Llama's own forward pass knows nothing of it
    with pytest.raises(TrainError, match="'llama' cannot be trained here: packed log-probs differ"):
        check_architecture(policy.model)


def test_granite_scales_its_logits(tmp_path: Path) -> None:
    import transformers

    config = transformers.GraniteConfig(
        vocab_size=384,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        logits_scaling=4.0,
    )
    model = transformers.AutoModelForCausalLM.from_config(config)
    attention.register()
    model.set_attn_implementation(attention.NAME)
    check_architecture(model)
