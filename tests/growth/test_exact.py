"""Every count, map, byte and config value of the paper and the published models."""

from pathlib import Path

import pytest
from growth.sparse import MISTRAL_7B, TINY_SOLAR, write_sparse

from solarmini.checkpoint.reader import Checkpoint
from solarmini.checkpoint.writer import header_bytes
from solarmini.growth.methods import build_plan, dus
from solarmini.growth.predict import predict
from solarmini.growth.report import base_needs, grown_needs
from solarmini.growth.upscale import prepare


@pytest.fixture(scope="module")
def mistral(tmp_path_factory) -> Checkpoint:
    folder = write_sparse(tmp_path_factory.mktemp("mistral"), MISTRAL_7B)
    return Checkpoint.open(folder)


def test_mistral_7b(mistral: Checkpoint) -> None:
    assert mistral.parameter_count == 7_241_732_096
    assert len(mistral.tensors) == 291
    layer = [t.count for name, t in mistral.tensors.items() if ".layers.0." in name]
    assert sum(layer) == 218_112_000


def test_solar_10_7b(mistral: Checkpoint) -> None:
    grown = prepare([mistral], dus(32, 8), to_llama=True)
    assert grown.parameter_count == 10_731_524_096
    assert len(grown.tensors) == 435
    assert grown.nbytes == 21_463_048_192
    assert len({tensor.name for tensor in grown.tensors}) == 435
    assert len(header_bytes(grown.tensors)) < 100_000
    needs = predict(grown.config, grown.tensors)
    assert needs.parameters == 10_731_524_096
    assert needs.nbytes == 21_463_048_192


def test_solar_config(mistral: Checkpoint) -> None:
    config = prepare([mistral], dus(32, 8), to_llama=True).config
    published = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "num_hidden_layers": 48,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32000,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "torch_dtype": "bfloat16",
    }
    assert {key: config.get(key) for key in published} == published
    assert "sliding_window" not in config


def test_without_as_llama_it_stays_mistral(mistral: Checkpoint) -> None:
    config = prepare([mistral], dus(32, 8)).config
    assert config == {**MISTRAL_7B, "num_hidden_layers": 48}


def test_every_tensor_comes_from_the_papers_layer(mistral: Checkpoint) -> None:
    grown = prepare([mistral], dus(32, 8))
    by_name = {tensor.name: tensor for tensor in grown.tensors}
    for i in range(48):
        source = i if i < 24 else i - 16
        for suffix in ("self_attn.k_proj.weight", "input_layernorm.weight"):
            expected = mistral.tensors[f"model.layers.{source}.{suffix}"]
            assert by_name[f"model.layers.{i}.{suffix}"].source == expected
    for outer in ("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"):
        assert by_name[outer].source == mistral.tensors[outer]


def test_naive_64_layers(mistral: Checkpoint) -> None:
    for plan in (dus(32, 0), build_plan(32, "stack")):
        grown = prepare([mistral], plan)
        assert grown.parameter_count == 14_221_316_096
        assert len(grown.tensors) == 579


def test_half_dropped_is_the_base(mistral: Checkpoint) -> None:
    grown = prepare([mistral], dus(32, 16))
    assert grown.config == MISTRAL_7B
    assert {tensor.name: tensor.source for tensor in grown.tensors} == mistral.tensors


def test_tiny_solar(tmp_path: Path) -> None:
    base = Checkpoint.open(write_sparse(tmp_path, TINY_SOLAR, shards=1))
    assert base.parameter_count == 248_013_824
    assert prepare([base], dus(12, 4)).parameter_count == 308_839_424


def test_cache_and_memory(mistral: Checkpoint) -> None:
    base, grown = base_needs(mistral), grown_needs(prepare([mistral], dus(32, 8), to_llama=True))
    # 8 key/value heads of 128, keys and values, 2 bytes
    assert base.cache_per_token == 32 * 8 * 128 * 2 * 2 == 131_072
    assert grown.cache_per_token == 196_608
    assert base.cache_bytes(32_768) == 4096 * 131_072  # the sliding window bounds Mistral's cache
    assert grown.cache_bytes(4096) == 4096 * 196_608
    assert grown.serving_bytes(4096) == 21_463_048_192 + 805_306_368
    weights = 10_731_524_096
    full = grown.training("full_bf16_checkpointing", 4096)
    # float32 and bf16 copies; float32; two float32 moments
    assert (full.weights, full.gradients, full.optimizer) == (6 * weights, 4 * weights, 8 * weights)
    assert round(full.total / 1e9) == 199
    assert grown.training("full_fp32", 0).weights == 4 * weights
    # rank 16 on q, k, v, o, gate, up, down of 48 layers: in + out of each
    maps = 2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 14336)
    lora = grown.training("lora_bf16_checkpointing", 4096)
    adapters = 16 * maps * 48
    assert (lora.weights, lora.gradients, lora.optimizer) == (
        6 * weights,
        4 * adapters,
        8 * adapters,
    )
    assert round(lora.total / 1e9) == 71
