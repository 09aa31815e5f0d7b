"""A model's config.json → what llama.cpp has to know of it, and how its tensors are laid out.

The inverse of `checkpoint.gguf_config` and `checkpoint.gguf_tensors`: key names are those of the
GGUF specification, and what llama.cpp keeps in code instead of in the file (Gemma's query scale,
which layers of Gemma 3 slide) is checked, since a file cannot say it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from solarmini.checkpoint.reader import Checkpoint
from solarmini.errors import ExportError

# transformers model_type -> llama.cpp architecture
ARCHITECTURES = {
    "llama": "llama",
    "mistral": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "gemma3_text": "gemma3",
}
_ROTARY = re.compile(r"\.attn_(q|k)\.(weight|bias)$")
_GEMMA3_PERIOD = 6  # every sixth layer sees everything


@dataclass(frozen=True, slots=True)
class Architecture:
    """What llama.cpp knows of a model.

    `metadata` maps keys without the architecture's prefix to values, `context` is the longest
    context that is computed as transformers does, `extra` holds tensors that restate the config,
    `notes` what a user should hear.
    """

    name: str
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    context: int
    vocabulary: int
    tied: bool
    metadata: dict[str, Any]
    extra: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def row_order(self, name: str) -> np.ndarray | None:
        """Return which rows of the stored tensor become the rows of the file's; None: as they are.

        llama.cpp turns pairs (2i, 2i+1) of a head where transformers turns (i, i + half).
        """
        rotary = _ROTARY.search(name)
        if self.name != "llama" or not rotary:
            return None
        heads = self.heads if rotary[1] == "q" else self.kv_heads
        rows = np.arange(heads * self.head_dim).reshape(heads, 2, self.head_dim // 2)
        return np.ascontiguousarray(rows.swapaxes(1, 2)).reshape(-1)

    def added(self, name: str) -> float:
        """Return what is added to a tensor's values: Gemma's norms multiply by 1 + w."""
        return 1.0 if self.name == "gemma3" and name.endswith("norm.weight") else 0.0


def describe(checkpoint: Checkpoint) -> Architecture:
    """Describe the model; ExportError names what llama.cpp cannot compute as transformers does."""
    config = checkpoint.config
    kind = str(config.get("model_type"))
    if kind not in ARCHITECTURES:
        raise ExportError(
            f"models of type '{kind}' cannot be written as GGUF",
            where=checkpoint.dir,
            mend=f"supported: {', '.join(ARCHITECTURES)}; --to safetensors takes any",
        )
    reader = _Reader(config, checkpoint)
    heads, hidden = reader.count("num_attention_heads"), reader.count("hidden_size")
    layers = reader.count("num_hidden_layers")
    head_dim = int(config.get("head_dim") or hidden // heads)
    rope, extra = _rope(config, kind, head_dim, checkpoint)
    context, notes = reader.count("max_position_embeddings"), []
    window = _window(config, kind, layers, checkpoint)
    if window and kind == "mistral" and window < context:
        notes.append(
            f"llama.cpp has no sliding window for this architecture: the context is the window's "
            f"{window:,} tokens, within which it changes nothing"
        )
        context = window
    kv_heads = int(config.get("num_key_value_heads") or heads)
    metadata = {
        "vocab_size": reader.count("vocab_size"),
        "context_length": context,
        "embedding_length": hidden,
        "block_count": layers,
        "feed_forward_length": reader.count("intermediate_size"),
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.key_length": head_dim,
        "attention.value_length": head_dim,
        "attention.layer_norm_rms_epsilon": float(config.get("rms_norm_eps", 1e-6)),
        "rope.dimension_count": head_dim,
        **rope,
    }
    if kind == "gemma3_text":
        _check_gemma3(config, head_dim, checkpoint)
        metadata["attention.sliding_window"] = window
    return Architecture(
        ARCHITECTURES[kind],
        layers,
        heads,
        kv_heads,
        head_dim,
        hidden,
        context,
        metadata["vocab_size"],
        bool(config.get("tie_word_embeddings", kind == "gemma3_text")),
        metadata,
        extra,
        tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    config: Mapping[str, Any]
    checkpoint: Checkpoint

    def count(self, key: str) -> int:
        value = self.config.get(key)
        if not isinstance(value, int) or value < 1:
            raise ExportError(
                f"'{key}' is {value!r}; a count is needed",
                where=self.checkpoint.dir / "config.json",
            )
        return value


def _window(
    config: Mapping[str, Any], kind: str, layers: int, checkpoint: Checkpoint
) -> int | None:
    """Return the sliding window that some layer uses, None if no layer does."""
    window = config.get("sliding_window")
    types = config.get("layer_types")
    if kind in ("qwen2", "qwen3"):
        slides = (
            "sliding_attention" in types if types else bool(config.get("use_sliding_window", False))
        )
        if slides and window:
            raise ExportError(
                "llama.cpp computes no sliding window for Qwen",
                where=checkpoint.dir / "config.json",
                mend="only Qwen models with use_sliding_window false can be written as GGUF",
            )
        return None
    if kind == "gemma3_text":
        expected = [
            "full_attention" if (layer + 1) % _GEMMA3_PERIOD == 0 else "sliding_attention"
            for layer in range(layers)
        ]
        if types is not None and list(types) != expected:
            raise ExportError(
                "llama.cpp lets every sixth layer of a Gemma 3 see the whole text; "
                "this model has them elsewhere",
                where=checkpoint.dir / "config.json",
                mend="a grown Gemma 3 keeps the pattern only when its seam is a multiple of six",
            )
        return int(window or 0) or None
    return int(window) if window and kind == "mistral" else None


def _check_gemma3(config: Mapping[str, Any], head_dim: int, checkpoint: Checkpoint) -> None:
    scalar = config.get("query_pre_attn_scalar", head_dim)
    capped = config.get("attn_logit_softcapping") or config.get("final_logit_softcapping")
    if scalar != head_dim or capped or config.get("use_bidirectional_attention"):
        raise ExportError(
            "llama.cpp scales Gemma 3's queries by the head's width and caps no logits; "
            "this config asks for something else",
            where=checkpoint.dir / "config.json",
        )


def _rope(
    config: Mapping[str, Any], kind: str, head_dim: int, checkpoint: Checkpoint
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the metadata of the rotary positions, and the tensor of Llama 3's factors."""
    stated = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    if kind == "gemma3_text":
        stated = _gemma3_rope(config, stated, checkpoint)
    theta = float(stated.get("rope_theta") or config.get("rope_theta") or 10000.0)
    form = str(stated.get("rope_type") or stated.get("type") or "default")
    metadata: dict[str, Any] = {"rope.freq_base": theta}
    match form:
        case "default":
            return metadata, {}
        case "linear":
            scaling = {"rope.scaling.type": "linear", "rope.scaling.factor": stated["factor"]}
            return metadata | scaling, {}
        case "yarn" if not {"mscale", "mscale_all_dim", "attention_factor"} & {
            key for key, value in stated.items() if value is not None
        }:
            original = stated.get("original_max_position_embeddings")
            return metadata | {
                "rope.scaling.type": "yarn",
                "rope.scaling.factor": float(stated["factor"]),
                "rope.scaling.original_context_length": int(
                    original or config["max_position_embeddings"]
                ),
            }, {}
        case "llama3":
            return metadata, {"rope_freqs.weight": llama3_divisors(theta, head_dim, stated)}
    raise ExportError(
        f"rope scaling '{form}' cannot be written as GGUF", where=checkpoint.dir / "config.json"
    )


def _gemma3_rope(
    config: Mapping[str, Any], stated: Mapping[str, Any], checkpoint: Checkpoint
) -> dict[str, Any]:
    local = float(
        dict(stated.get("sliding_attention") or {}).get("rope_theta")
        or config.get("rope_local_base_freq")
        or 10000.0
    )
    if local != 10000.0:
        raise ExportError(
            f"llama.cpp turns Gemma 3's sliding layers at 10000, this model at {local:g}",
            where=checkpoint.dir / "config.json",
        )
    whole = dict(stated.get("full_attention") or stated)
    whole.setdefault("rope_theta", config.get("rope_theta", 1_000_000.0))
    return whole


def llama3_divisors(theta: float, dim: int, rope: Mapping[str, Any]) -> np.ndarray:
    """Return what divides each frequency under Llama 3.1's rope scaling, float32 [dim / 2]."""
    factor, original = float(rope["factor"]), float(rope["original_max_position_embeddings"])
    low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
    frequency = 1.0 / theta ** (np.arange(0, dim, 2, dtype=np.float64) / dim)
    wavelength = 2 * np.pi / frequency
    smooth = (original / wavelength - low) / (high - low)
    divisor = 1.0 / ((1.0 - smooth) / factor + smooth)
    divisor = np.where(wavelength < original / high, 1.0, divisor)
    return np.where(wavelength > original / low, factor, divisor).astype(np.float32)


NameOf = Callable[[str], str | None]


def tensor_names(architecture: Architecture) -> NameOf:
    """Return the function from transformers tensor names to GGUF names (None: no such tensor)."""
    from gguf.constants import MODEL_ARCH_NAMES
    from gguf.tensor_mapping import get_tensor_name_map

    kinds = {text: key for key, text in MODEL_ARCH_NAMES.items()}
    table = get_tensor_name_map(kinds[architecture.name], architecture.layers)
    return lambda name: table.get_name(name, try_suffixes=(".weight", ".bias"))
