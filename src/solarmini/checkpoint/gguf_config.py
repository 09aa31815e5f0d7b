"""GGUF metadata → the config.json that transformers reads.

llama.cpp states a model's shape under its own key names and leaves some facts to code; the facts
that code supplies there (Gemma's query scale, Llama 3's frequency factors) are restored here.
"""

from typing import Any

import numpy as np

from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.errors import CheckpointError

# llama.cpp architecture -> transformers model_type
ARCHITECTURES = {
    "llama": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "gemma2": "gemma2",
    "gemma3": "gemma3_text",
    "phi3": "phi3",
}
# Layer counts whose query scale is hidden / heads instead of head_dim (Gemma 2 27B, Gemma 3 27B).
_SCALED_BY_HIDDEN = {("gemma2", 46), ("gemma3", 62)}


def model_type(file: GgufFile) -> str:
    """Return the transformers model_type of a GGUF file; CheckpointError if it is not supported."""
    architecture = file.architecture
    if file.get("expert_count"):
        raise CheckpointError(
            f"'{architecture}' with experts is not supported from GGUF",
            where=file.path,
            mend="use the safetensors version of the model",
        )
    if architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"GGUF architecture '{architecture}' is not supported",
            where=file.path,
            mend=f"supported: {', '.join(sorted(ARCHITECTURES))}; "
            "otherwise use the safetensors version of the model",
        )
    # Mistral is stored as llama (the window of v0.1 is lost there); its name is what remains.
    names = " ".join(str(file.metadata.get(f"general.{key}", "")) for key in ("name", "basename"))
    if architecture == "llama" and "mistral" in names.lower() and not _has_bias(file):
        return "mistral"
    return ARCHITECTURES[architecture]


def config_dict(file: GgufFile) -> dict[str, Any]:
    """Return the keyword arguments of the transformers config class for this file."""
    kind = model_type(file)
    heads = int(file.need("attention.head_count"))
    hidden = int(file.need("embedding_length"))
    layers = int(file.need("block_count"))
    config: dict[str, Any] = {
        "model_type": kind,
        "vocab_size": _vocab_size(file),
        "hidden_size": hidden,
        "intermediate_size": int(file.need("feed_forward_length")),
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": int(file.get("attention.head_count_kv", heads)),
        "max_position_embeddings": int(file.need("context_length")),
        "rms_norm_eps": shortest(file.need("attention.layer_norm_rms_epsilon")),
        "tie_word_embeddings": "output.weight" not in file.tensors,
    }
    for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding")):
        config[f"{name}_token_id"] = file.metadata.get(f"tokenizer.ggml.{key}_token_id")
    if kind != "phi3":
        config["head_dim"] = head_dim(file)
    config["rope_parameters"] = _rope(file, kind)
    if kind == "llama":
        config["attention_bias"] = _has_bias(file)
    if kind.startswith("gemma"):
        by_hidden = (file.architecture, layers) in _SCALED_BY_HIDDEN
        config["query_pre_attn_scalar"] = hidden // heads if by_hidden else head_dim(file)
        config["attn_logit_softcapping"] = _optional(file, "attn_logit_softcapping")
        config["final_logit_softcapping"] = _optional(file, "final_logit_softcapping")
    window = file.get("attention.sliding_window")
    if kind.startswith("gemma") or kind == "phi3":
        if window:
            config["sliding_window"] = int(window)
    elif kind == "mistral":
        config["sliding_window"] = int(window) if window else None
    return config


def head_dim(file: GgufFile) -> int:
    """Return the width of one attention head."""
    stated = file.get("attention.key_length", file.get("rope.dimension_count"))
    return int(stated or file.need("embedding_length") // file.need("attention.head_count"))


def shortest(value: float) -> float:
    """Return the shortest decimal that is this float32 (9.99999974e-06 was written as 1e-05)."""
    return float(str(np.float32(value)))


def _vocab_size(file: GgufFile) -> int:
    table = file.tensors.get("token_embd.weight")
    if table is None:
        raise CheckpointError("the file has no token_embd.weight", where=file.path)
    return table.shape[0]  # the tokenizer may list fewer: embeddings are often padded


def _has_bias(file: GgufFile) -> bool:
    return "blk.0.attn_q.bias" in file.tensors


def _optional(file: GgufFile, key: str) -> float | None:
    value = file.get(key)
    return shortest(value) if value else None


def _rope(file: GgufFile, kind: str) -> dict[str, Any]:
    theta = shortest(file.get("rope.freq_base", 10000.0))
    rope: dict[str, Any] = {"rope_type": "default", "rope_theta": theta}
    scaling = file.get("rope.scaling.type", "none")
    if "rope_freqs.weight" in file.tensors:
        rope |= _llama3_scaling(file, theta)
    elif "rope_factors_long.weight" in file.tensors:
        rope |= _longrope(file)
    elif scaling in ("linear", "yarn"):
        rope |= {"rope_type": scaling, "factor": shortest(file.need("rope.scaling.factor"))}
        original = file.get("rope.scaling.original_context_length")
        if original and scaling == "yarn":
            rope["original_max_position_embeddings"] = int(original)
    elif scaling != "none":
        raise CheckpointError(f"rope scaling '{scaling}' is not supported", where=file.path)
    if kind != "gemma3_text":
        return rope
    # Gemma 3 turns its sliding layers at 10000 (llama.cpp keeps that in code) and never scales them
    local = {"rope_type": "default", "rope_theta": shortest(file.get("rope.freq_base_swa", 1e4))}
    return {"full_attention": rope, "sliding_attention": local}


def llama3_factors(theta: float, dim: int, factor: float, original: int) -> np.ndarray:
    """Return the per-frequency divisors of Llama 3.1's rope scaling (low 1, high 4), float32."""
    frequency = 1.0 / theta ** (np.arange(0, dim, 2, dtype=np.float64) / dim)
    wavelength = 2 * np.pi / frequency
    smooth = (original / wavelength - 1.0) / 3.0
    divisor = 1.0 / ((1.0 - smooth) / factor + smooth)
    divisor = np.where(wavelength < original / 4.0, 1.0, divisor)
    return np.where(wavelength > original, factor, divisor).astype(np.float32)


def _llama3_scaling(file: GgufFile, theta: float) -> dict[str, Any]:
    """Recover the scaling whose factors the file stores; refuse factors nobody published."""
    stored = _floats(file, "rope_freqs.weight")
    for factor in (8.0, 32.0):
        if np.allclose(llama3_factors(theta, 2 * stored.size, factor, 8192), stored, rtol=1e-3):
            return {
                "rope_type": "llama3",
                "factor": factor,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192,
            }
    raise CheckpointError(
        "rope_freqs.weight is no rope scaling that transformers can express",
        where=file.path,
        mend="use the safetensors version of the model",
    )


def _longrope(file: GgufFile) -> dict[str, Any]:
    return {
        "rope_type": "longrope",
        "long_factor": [shortest(x) for x in _floats(file, "rope_factors_long.weight")],
        "short_factor": [shortest(x) for x in _floats(file, "rope_factors_short.weight")],
        "original_max_position_embeddings": int(file.need("rope.scaling.original_context_length")),
    }


def _floats(file: GgufFile, name: str) -> np.ndarray:
    tensor = file.tensors.get(name)
    if tensor is None or tensor.ggml_type != 0:
        raise CheckpointError(f"'{name}' is missing or not float32", where=file.path)
    return np.fromfile(file.path, "<f4", tensor.nbytes // 4, offset=tensor.offset)
