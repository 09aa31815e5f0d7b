"""One tiny model of every architecture that growth knows, raw config as a hub would hold it."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

N = 6
_COMMON: dict[str, Any] = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": N,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
_GPT2 = {"n_embd": 32, "n_layer": N, "n_head": 4, "n_inner": 48, "n_positions": 128}
_MLA = {
    "num_key_value_heads": 4,
    "head_dim": 8,
    "kv_lora_rank": 16,
    "q_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 8,
    "v_head_dim": 8,
    "n_routed_experts": 4,
    "moe_intermediate_size": 16,
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 2,
}
_LINEAR = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "full_attention_interval": 3,
}
# A config that names a window makes transformers' cache a window even where attention has none
# (Llama does so), hence only architectures that use it get one.
WINDOWED = {
    *("mistral", "ministral", "ministral3", "phi3", "starcoder2", "qwen2", "qwen3", "qwen2_moe"),
    *("qwen3_moe", "gemma2", "gemma3_text", "vaultgemma", "cohere2", "olmo3", "cwm", "exaone4"),
    *("smollm3", "gpt_oss", "dots1", "mixtral", "phimoe"),
}
SPECIAL: dict[str, dict[str, Any]] = {
    "qwen2": {"use_sliding_window": True, "max_window_layers": 3},
    "qwen3": {"use_sliding_window": True, "max_window_layers": 2},
    "qwen2_moe": {
        **_EXPERTS,
        "shared_expert_intermediate_size": 16,
        "use_sliding_window": True,
        "decoder_sparse_step": 2,
        "mlp_only_layers": [1],
    },
    "qwen3_moe": {**_EXPERTS, "decoder_sparse_step": 3},
    "qwen3_next": {
        **_EXPERTS,
        **_LINEAR,
        "shared_expert_intermediate_size": 16,
        "mlp_only_layers": [4],
    },
    "qwen3_5_text": _LINEAR,
    "gemma3_text": {"sliding_window_pattern": 3, "query_pre_attn_scalar": 8},
    "cohere2": {"sliding_window_pattern": 3},
    "exaone4": {"sliding_window_pattern": 3},
    "smollm3": {"use_sliding_window": True, "no_rope_layer_interval": 3},
    "olmoe": {**_EXPERTS, "intermediate_size": 16},
    "solar_open": {**_EXPERTS, "n_routed_experts": 4},
    "glm4_moe": {**_EXPERTS, "n_routed_experts": 4, "first_k_dense_replace": 2},
    "dots1": {
        **_EXPERTS,
        "n_routed_experts": 4,
        "n_shared_experts": 1,
        "first_k_dense_replace": 1,
        "max_window_layers": 3,
        "n_group": 1,
        "topk_group": 1,
    },
    "deepseek_v2": _MLA,
    "deepseek_v3": _MLA,
    "gpt_oss": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "mixtral": {"num_local_experts": 4},
    "phimoe": {"num_local_experts": 4},
    "minimax_m2": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "granitemoe": {"num_local_experts": 4},
    "granitemoeshared": {"num_local_experts": 4, "shared_intermediate_size": 16},
    "gpt2": _GPT2,
    "gpt_bigcode": _GPT2,
    "gptj": {**_GPT2, "rotary_dim": 4},
    "codegen": {**_GPT2, "rotary_dim": 4},
    "gpt_neo": {
        "num_layers": N,
        "num_heads": 4,
        "window_size": 8,
        "attention_types": [[["global", "local", "local"], 2]],
    },
    "bloom": {"n_layer": N, "n_head": 4},
    "mpt": {"d_model": 32, "n_heads": 4, "n_layers": N, "max_seq_len": 128, "expansion_ratio": 2},
    "falcon": {"num_hidden_layers": N, "num_attention_heads": 4, "ffn_hidden_size": 48},
    "opt": {"ffn_dim": 48, "word_embed_proj_dim": 32},
    "lfm2": {"full_attn_idxs": [2, 4], "block_auto_adjust_ff_dim": False},
}
_NAMED_OTHERWISE = {"gpt2", "gpt_bigcode", "gptj", "codegen", "bloom", "mpt", "gpt_neo", "falcon"}


def make(model_type: str, folder: Path) -> tuple[Any, Path]:
    """Save a seeded model of `model_type` whose config.json keeps rules as rules, not lists."""
    torch.manual_seed(7)
    windows: dict[str, Any] = {"sliding_window": 8} if model_type in WINDOWED else {}
    common = dict(_COMMON)
    if model_type in _NAMED_OTHERWISE:
        for key in ("num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim"):
            del common[key]
    config = AutoConfig.for_model(
        model_type, **{**common, **windows, **SPECIAL.get(model_type, {})}
    )
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    path = folder / "config.json"
    saved = json.loads(path.read_text())
    for derived in ("layer_types", "no_rope_layers", "attention_layers"):
        saved.pop(derived, None)
    path.write_text(json.dumps({**saved, **SPECIAL.get(model_type, {})}))
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), folder
