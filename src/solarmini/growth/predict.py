"""What a model will need, from its config and headers alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solarmini.checkpoint.dtypes import itemsize
from solarmini.checkpoint.layers import LayerNames, layer_count, text_config
from solarmini.checkpoint.writer import OutTensor
from solarmini.growth.architectures import decoder_type
from solarmini.growth.patterns import write_out
from solarmini.growth.training_memory import (
    MemoryNeed,
    Widths,
    linear_sizes,
    number,
    predict_memory,
)

_SLIDING = ("sliding_attention", "chunked_attention")
_STATEFUL = ("linear_attention", "conv")  # a fixed state instead of a cache that grows
# Architectures that window every layer when the config names a window, without `layer_types`.
_ALL_WINDOWED = {"mistral", "mixtral", "phi3", "starcoder2", "ministral", "minimax_m2", "phimoe"}

LORA_RANK = 16  # what `solar pretrain --train lora` takes unless told otherwise
# Ways to train, as `training_memory` knows them: (what learns, precision, checkpointing).
WAYS = {
    "full_fp32": ("full", "fp32", False),
    "full_bf16": ("full", "bf16", False),
    "full_bf16_checkpointing": ("full", "bf16", True),
    "lora_bf16": ("lora", "bf16", False),
    "lora_bf16_checkpointing": ("lora", "bf16", True),
}


@dataclass(frozen=True, slots=True)
class CacheLayer:
    """Keys and values of one layer: elements kept per token, and for how many tokens at most."""

    elements: int
    window: int | None


@dataclass(frozen=True, slots=True)
class Needs:
    """Parameters, bytes and predicted memory of one model. All sizes in bytes."""

    layers: int
    tensors: int
    parameters: int
    nbytes: int
    dtype: str
    cache: tuple[CacheLayer, ...]
    widths: Widths
    linear_sizes: int  # sum of in + out over the linear maps of all layers

    @property
    def cache_per_token(self) -> int:
        """Bytes a token adds to the cache, before any window is full, at 16 bit."""
        return 2 * sum(layer.elements for layer in self.cache)

    def cache_bytes(self, context: int) -> int:
        """Bytes of the cache of one sequence of `context` tokens, at 16 bit."""
        return 2 * sum(
            layer.elements * min(context, layer.window or context) for layer in self.cache
        )

    def serving_bytes(self, context: int, width: int = 2) -> int:
        """Weights at `width` bytes a parameter and the cache of one sequence."""
        return self.parameters * width + self.cache_bytes(context)

    def training(self, way: str, tokens: int) -> MemoryNeed:
        """Predict one of `WAYS` to train as our trainer does, with passes of `tokens` tokens."""
        learns, precision, checkpointing = WAYS[way]
        return predict_memory(
            parameters=self.parameters,
            trained=self.parameters if learns == "full" else LORA_RANK * self.linear_sizes,
            widths=self.widths,
            tokens=tokens,
            layers_with_gradient=self.layers,
            checkpointing=checkpointing,
            precision=precision,
        )

    def to_dict(self, context: int) -> dict[str, Any]:
        """Return all figures for one context length."""
        return {
            "layers": self.layers,
            "tensors": self.tensors,
            "parameters": self.parameters,
            "bytes": self.nbytes,
            "dtype": self.dtype,
            "kv_cache_bytes_per_token": self.cache_per_token,
            "context": context,
            "kv_cache_bytes": self.cache_bytes(context),
            "serving_bytes": self.serving_bytes(context),
            "training_bytes": {way: self.training(way, context).total for way in WAYS},
        }


def predict(config: Mapping[str, Any], tensors: Sequence[OutTensor]) -> Needs:
    """Work out the needs of a model with this config and these tensors."""
    text = dict(text_config(config))
    write_out(decoder_type(config), text, layer_count(config))
    names = LayerNames.find((tensor.name for tensor in tensors), config)
    by_layer: list[dict[str, tuple[int, ...]]] = [{} for _ in range(names.count)]
    kinds: dict[str, int] = {}
    for tensor in tensors:
        kinds[tensor.dtype] = kinds.get(tensor.dtype, 0) + tensor.nbytes
        found = names.split(tensor.name)
        if found:
            by_layer[found[0]][found[1]] = tensor.shape
    cache = tuple(_cache_layer(text, index, shapes) for index, shapes in enumerate(by_layer))
    return Needs(
        layers=layer_count(config),
        tensors=len(tensors),
        parameters=sum(tensor.nbytes // itemsize(tensor.dtype) for tensor in tensors),
        nbytes=sum(tensor.nbytes for tensor in tensors),
        dtype=max(kinds, key=lambda kind: kinds[kind]),
        cache=cache,
        widths=Widths.of(text),
        linear_sizes=linear_sizes(((t.name, t.shape) for t in tensors), config),
    )


def context_of(config: Mapping[str, Any]) -> int:
    """Return the number of positions the config allows, 4096 at most (the default context)."""
    text = text_config(config)
    stated = next(
        (
            text[key]
            for key in ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx")
            if isinstance(text.get(key), int)
        ),
        4096,
    )
    return min(int(stated), 4096)


def _cache_layer(
    text: Mapping[str, Any], index: int, shapes: Mapping[str, tuple[int, ...]]
) -> CacheLayer:
    types = text.get("layer_types")
    kind = types[index] if types else _implied_type(text)
    if kind in _STATEFUL:
        return CacheLayer(0, None)
    window_key = "attention_chunk_size" if kind == "chunked_attention" else "sliding_window"
    window = text.get(window_key) if kind in _SLIDING else None
    return CacheLayer(_cache_elements(text, shapes), window)


def _implied_type(text: Mapping[str, Any]) -> str:
    windowed = text.get("model_type") in _ALL_WINDOWED and text.get("sliding_window")
    return "sliding_attention" if windowed else "full_attention"


def _cache_elements(text: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Key and value elements per token: from the projections' shapes, else from the config."""
    projected = [
        shape[0]
        for suffix, shape in shapes.items()
        if suffix.endswith(("attn.k_proj.weight", "attn.v_proj.weight")) and len(shape) == 2
    ]
    if len(projected) == 2:
        return sum(projected)
    heads = number(text, "num_attention_heads", "n_head", "n_heads", "num_heads")
    if text.get("kv_lora_rank"):  # latent attention: the compressed vector and the rotated part
        return int(text["kv_lora_rank"]) + int(text["qk_rope_head_dim"])
    size = text.get("head_dim") or number(text, "hidden_size", "n_embd", "d_model") // heads
    return 2 * _kv_heads(text, heads) * size


def _kv_heads(text: Mapping[str, Any], heads: int) -> int:
    if text.get("model_type") == "falcon":
        if text.get("new_decoder_architecture"):
            return int(text.get("num_kv_heads") or heads)
        return 1 if text.get("multi_query", True) else heads
    if text.get("model_type") == "gpt_bigcode":
        return 1 if text.get("multi_query", True) else heads
    return int(text.get("num_key_value_heads") or heads)
