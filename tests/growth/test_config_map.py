"""Per-layer facts of a config follow the map; what cannot follow is refused by name."""

from typing import Any

import pytest
from transformers import AutoConfig

from solarmini.errors import PlanError
from solarmini.growth.config_map import as_llama, grow_config
from solarmini.growth.methods import dus
from solarmini.growth.plan import parse_ranges

PLAN = dus(6, 2)
MAP = (0, 1, 2, 3, 2, 3, 4, 5)
MISTRAL = {
    "model_type": "mistral",
    "architectures": ["MistralForCausalLM"],
    "num_hidden_layers": 6,
    "max_position_embeddings": 32768,
    "sliding_window": 4096,
}

# config without any list -> the types transformers derives for 6 layers
RULES: list[tuple[dict[str, Any], str]] = [
    ({"model_type": "gemma2"}, "sfsfsf"),
    ({"model_type": "gemma3_text"}, "sssssf"),
    ({"model_type": "gemma3_text", "sliding_window_pattern": 2}, "sfsfsf"),
    ({"model_type": "cohere2"}, "sssfss"),
    ({"model_type": "cohere2", "sliding_window_pattern": 3}, "ssfssf"),
    ({"model_type": "olmo3"}, "sssfss"),
    ({"model_type": "gpt_oss"}, "sfsfsf"),
    ({"model_type": "cwm"}, "fsssfs"),
    ({"model_type": "exaone4", "sliding_window_pattern": 3}, "ssfssf"),
    ({"model_type": "qwen2"}, "ffffff"),
    ({"model_type": "qwen2", "use_sliding_window": True, "max_window_layers": 4}, "ffffss"),
    ({"model_type": "qwen3", "use_sliding_window": True, "max_window_layers": 4}, "ffffss"),
    ({"model_type": "qwen2_moe", "use_sliding_window": True, "max_window_layers": 3}, "sfsfff"),
    ({"model_type": "dots1", "max_window_layers": 2}, "ffssss"),
    ({"model_type": "qwen3_next"}, "lllfll"),
    ({"model_type": "lfm2", "full_attn_idxs": [1, 3]}, "cfcfcc"),
    (
        {
            "model_type": "smollm3",
            "use_sliding_window": True,
            "sliding_window": 8,
            "no_rope_layer_interval": 3,
        },
        "ffsffs",
    ),
]


@pytest.mark.parametrize(("config", "types"), RULES)
def test_rules_become_lists_that_transformers_reads(config, types: str) -> None:
    settings: dict[str, Any] = {**config, "num_hidden_layers": 6}
    base = AutoConfig.for_model(**settings)
    assert "".join(kind[0] for kind in base.layer_types) == types
    grown = AutoConfig.for_model(**grow_config(settings, PLAN))
    assert grown.num_hidden_layers == 8
    assert list(grown.layer_types) == [base.layer_types[source] for source in MAP]
    if config["model_type"] == "smollm3":
        assert list(grown.no_rope_layers) == [base.no_rope_layers[source] for source in MAP]


def test_explicit_lists_win_over_patterns() -> None:
    listed = ["full_attention"] * 5 + ["sliding_attention"]
    config = {
        "model_type": "gemma3_text",
        "num_hidden_layers": 6,
        "layer_types": listed,
        "sliding_window_pattern": 6,
    }
    grown = grow_config(config, PLAN)
    assert grown["layer_types"] == [listed[source] for source in MAP]
    assert "sliding_window_pattern" not in grown


def test_nested_text_config() -> None:
    config = {
        "model_type": "gemma3",
        "text_config": {"model_type": "gemma3_text", "num_hidden_layers": 6},
        "vision_config": {"num_hidden_layers": 27},
    }
    grown = grow_config(config, PLAN)
    assert grown["text_config"]["num_hidden_layers"] == 8
    assert len(grown["text_config"]["layer_types"]) == 8
    assert grown["vision_config"] == {"num_hidden_layers": 27}
    assert config["text_config"] == {"model_type": "gemma3_text", "num_hidden_layers": 6}


def test_index_lists_and_sparse_steps() -> None:
    config = {"model_type": "qwen3_moe", "num_hidden_layers": 6, "mlp_only_layers": [3]}
    assert grow_config(config, PLAN)["mlp_only_layers"] == [3, 5]
    grown = grow_config({**config, "decoder_sparse_step": 2}, PLAN)
    dense = {0, 2, 3, 4}  # (i+1) odd, and the one named
    assert grown["decoder_sparse_step"] == 1
    assert grown["mlp_only_layers"] == [i for i, s in enumerate(MAP) if s in dense]


def test_gpt_neo_attention_types() -> None:
    config = {
        "model_type": "gpt_neo",
        "num_layers": 6,
        "attention_types": [[["global", "local"], 2], [["local"], 2]],
    }
    grown = AutoConfig.for_model(**grow_config(config, PLAN))
    base = ["global", "local", "global", "local", "local", "local"]
    assert grown.attention_layers == [base[source] for source in MAP]


@pytest.mark.parametrize(("first", "expected"), [(0, 0), (1, 1), (2, 2)])
def test_first_dense_layers_stay_below(first: int, expected: int) -> None:
    config = {
        "model_type": "deepseek_v3",
        "num_hidden_layers": 6,
        "first_k_dense_replace": first,
    }
    assert grow_config(config, PLAN)["first_k_dense_replace"] == expected


def test_first_dense_layers_count_what_was_repeated() -> None:
    config = {"model_type": "deepseek_v2", "num_hidden_layers": 6, "first_k_dense_replace": 2}
    plan = parse_ranges("0-1,0-5", 6)
    assert grow_config(config, plan)["first_k_dense_replace"] == 4


REFUSALS = [
    (
        {"model_type": "deepseek_v3", "first_k_dense_replace": 3},
        "first_k_dense_replace",
        "--drop 3 or more",
    ),
    ({"model_type": "deepseek_v3"}, "first_k_dense_replace", "3 dense bottom layers"),
    (
        {"model_type": "gpt2", "scale_attn_by_inverse_layer_idx": True},
        "scale_attn_by_inverse_layer_idx",
        "cannot stand elsewhere",
    ),
    ({"model_type": "llama", "per_layer_config": {"0": {}}}, "per_layer_config", "shaped layers"),
    ({"model_type": "llama", "depth_scale": [1, 2, 3, 4, 5, 6]}, "depth_scale", "not known"),
    ({"model_type": "qwen3", "layer_types": ["full_attention"]}, "layer_types", "1 entries"),
    (
        {"model_type": "llama", "quantization_config": {"skip": ["model.layers.3.mlp"]}},
        "quantization_config",
        "names a layer by number",
    ),
]


@pytest.mark.parametrize(("config", "key", "message"), REFUSALS)
def test_what_cannot_follow_is_refused_by_name(config, key: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        grow_config({"num_hidden_layers": 6, **config}, PLAN)
    assert key in str(caught.value)
    assert message in str(caught.value)


def test_the_base_itself_keeps_its_config() -> None:
    config = {"model_type": "gemma2", "num_hidden_layers": 6}
    assert grow_config(config, dus(6, 3)) == config


def test_plan_for_another_base() -> None:
    with pytest.raises(PlanError, match="for a base of 6 layers, this one has 5"):
        grow_config({"model_type": "llama", "num_hidden_layers": 5}, PLAN)


def test_as_llama() -> None:
    llama = as_llama(MISTRAL)
    assert llama["architectures"] == ["LlamaForCausalLM"]
    assert llama["max_position_embeddings"] == 4096
    assert "sliding_window" not in llama
    assert llama["num_key_value_heads"] == 8  # Mistral's default; Llama's would be all heads
    assert llama["intermediate_size"] == 14336


def test_as_llama_without_a_window_keeps_all_positions() -> None:
    llama = as_llama({**MISTRAL, "sliding_window": None})
    assert llama["max_position_embeddings"] == 32768


def test_as_llama_when_the_window_is_only_a_default() -> None:
    config = {key: value for key, value in MISTRAL.items() if key != "sliding_window"}
    assert as_llama(config)["max_position_embeddings"] == 4096


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "qwen2"},
        {"model_type": "llama"},
        {**MISTRAL, "layer_types": ["full_attention", "sliding_attention"] * 3},
    ],
)
def test_as_llama_refuses_others(config) -> None:
    with pytest.raises(PlanError, match=r"--as-llama|Llama cannot"):
        as_llama(config)
