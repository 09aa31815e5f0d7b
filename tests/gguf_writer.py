"""Write a transformers model as GGUF the way llama.cpp's converter does; for tests only."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf.constants import MODEL_ARCH, MODEL_ARCH_NAMES
from gguf.tensor_mapping import get_tensor_name_map

ARCHITECTURE = {
    "llama": "llama",
    "mistral": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "gemma2": "gemma2",
    "gemma3_text": "gemma3",
    "phi3": "phi3",
}


def write_gguf(
    model: Any,
    tokenizer_json: Path,
    path: Path,
    *,
    pre: str = "gpt-2",
    quantise: gguf.GGMLQuantizationType | None = None,
    extra: dict[str, np.ndarray] | None = None,
    drop: str | None = None,
    name: str = "tiny",
) -> None:
    """Write `model` and a byte-level tokenizer to `path`.

    `quantise` is the type of the matrices, `extra` adds tensors, `drop` leaves one out.
    """
    config = model.config
    architecture = ARCHITECTURE[config.model_type]
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(name)
    writer.add_license("apache-2.0")
    _metadata(writer, config)
    _tokenizer(writer, json.loads(tokenizer_json.read_text()), pre)
    arch: MODEL_ARCH = {text: key for key, text in MODEL_ARCH_NAMES.items()}[architecture]
    names = get_tensor_name_map(arch, config.num_hidden_layers)
    for hf_name, value in model.state_dict().items():
        if hf_name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        target = names.get_name(hf_name, try_suffixes=(".weight", ".bias"))
        assert target, hf_name
        if target == drop:
            continue
        array = _laid_out(value.float().numpy(), target, config, architecture)
        if quantise is not None and array.ndim == 2:
            data = gguf.quants.quantize(array, quantise)
            writer.add_tensor(target, data, raw_dtype=quantise)
        else:
            writer.add_tensor(target, np.ascontiguousarray(array))
    for extra_name, array in (extra or {}).items():
        writer.add_tensor(extra_name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _laid_out(array: np.ndarray, target: str, config: Any, architecture: str) -> np.ndarray:
    if architecture == "llama" and (".attn_q." in target or ".attn_k." in target):
        heads = config.num_attention_heads
        if ".attn_k." in target:
            heads = config.num_key_value_heads
        half = array.shape[0] // heads // 2
        return array.reshape(heads, 2, half, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)
    if architecture.startswith("gemma") and target.endswith("norm.weight"):
        return array + 1
    return array


def _metadata(writer: gguf.GGUFWriter, config: Any) -> None:
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    head_dim = getattr(config, "head_dim", None) or (
        config.hidden_size // config.num_attention_heads
    )
    writer.add_key_length(head_dim)
    rope = config.rope_parameters
    rope = rope.get("full_attention", rope)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if config.model_type in ("gemma2", "gemma3_text", "phi3") and config.sliding_window:
        writer.add_sliding_window(config.sliding_window)
    if getattr(config, "attn_logit_softcapping", None):
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
    if getattr(config, "final_logit_softcapping", None):
        writer.add_final_logit_softcapping(config.final_logit_softcapping)


def _tokenizer(writer: gguf.GGUFWriter, tokenizer: dict[str, Any], pre: str) -> None:
    vocab = tokenizer["model"]["vocab"]
    special = {token["content"] for token in tokenizer["added_tokens"] if token["special"]}
    tokens = sorted(vocab, key=vocab.__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in special else 1 for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{{ messages[0].content }}")
