"""Attention over one row of concatenated segments, for any transformers architecture.

A row of T tokens holds segments; a segment attends causally to itself and, if it has one, to a
*prefix* before it in the row (two answers to one prompt share the prompt's keys). Nothing is
padded and segments never see each other. The function is registered with transformers under
`NAME`; models hand it the `layout` keyword that the forward pass was called with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch.nn.functional import pad, scaled_dot_product_attention

from solarmini.errors import TrainError
from solarmini.train.short_attention import short_attention, takes_short

NAME = "solar_varlen"
_REFUSED = {
    "s_aux": "attention sinks",
    "sinks": "attention sinks",
    "position_bias": "a learned position bias",
    "attention_chunk_size": "chunked attention",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """Tokens [start, stop) of the row, which also see the tokens [prefix, prefix_stop)."""

    start: int
    stop: int
    prefix: int = 0
    prefix_stop: int = 0

    @property
    def length(self) -> int:
        """Tokens of the segment itself."""
        return self.stop - self.start

    @property
    def prefix_length(self) -> int:
        """Tokens of the prefix that it sees."""
        return self.prefix_stop - self.prefix


@dataclass(frozen=True, slots=True)
class Layout:
    """The segments of a row, in order and without gaps."""

    segments: tuple[Segment, ...]

    @classmethod
    def from_cu_seqlens(cls, cu_seqlens: Sequence[int]) -> "Layout":
        """Segments without prefixes from cumulative lengths [0, l0, l0 + l1, …]."""
        return cls(tuple(Segment(int(a), int(b)) for a, b in pairwise(cu_seqlens)))

    @property
    def lengths(self) -> list[int]:
        """Length of every segment."""
        return [segment.length for segment in self.segments]


def register() -> str:
    """Make transformers know the function; return its name for `attn_implementation`."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, varlen_attention)
    return NAME


def varlen_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    layout: Layout | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attend segment by segment.

    query [1, heads, T, head size]; key and value [1, key-value heads, T, head size]; returns
    [1, T, heads, head size]. TrainError for what it cannot do exactly, naming the architecture.
    """
    _refuse_unknown(module, query, attention_mask, sliding_window, layout, kwargs)
    assert layout is not None
    if query.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
    lengths = layout.lengths
    places = {segment.start: index for index, segment in enumerate(layout.segments)}
    # split's backward is one concatenation; slicing would add a whole row per segment
    queries, keys, values = (part.split(lengths, dim=2) for part in (query, key, value))
    outputs = []
    for index, segment in enumerate(layout.segments):
        k, v = keys[index], values[index]
        if segment.prefix_length:
            shared = places[segment.prefix]
            k = torch.cat([keys[shared], k], dim=2)
            v = torch.cat([values[shared], v], dim=2)
        outputs.append(
            _attend(queries[index], k, v, dropout, scaling, sliding_window or 0, softcap)
        )
    return torch.cat(outputs, dim=2).transpose(1, 2), None


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout: float,
    scaling: float | None,
    window: int,
    softcap: float | None,
) -> torch.Tensor:
    """One segment; the query's first token stands at key position (keys - queries)."""
    new, total = query.shape[2], key.shape[2]
    if takes_short(query, key, value, dropout, softcap):
        return short_attention(query, key, value, scaling, window)
    plain = new == total and not 0 < window < total
    mask = None if plain else _mask(new, total, window, query.device)
    if softcap is not None:
        return _attend_softcap(query, key, value, dropout, scaling, softcap, mask)
    size = value.shape[-1]
    if size != query.shape[-1]:  # the fused kernels want values as wide as keys
        value = pad(value, (0, query.shape[-1] - size))
    output = scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        dropout_p=dropout,
        is_causal=mask is None,
        scale=scaling,
        enable_gqa=key.shape[1] != query.shape[1],
    )
    return output[..., :size]


def _mask(new: int, total: int, window: int, device: torch.device) -> torch.Tensor:
    """Boolean [new, total]: causal, at most `window` keys back where window is not 0."""
    place = torch.arange(total - new, total, device=device)[:, None]
    other = torch.arange(total, device=device)[None, :]
    seen = other <= place
    return seen & (other > place - window) if window else seen


def _attend_softcap(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout: float,
    scaling: float | None,
    softcap: float,
    mask: torch.Tensor | None,
) -> torch.Tensor:
    """Gemma 2: scores pass through softcap * tanh(score / softcap), which no fused kernel does."""
    times = query.shape[1] // key.shape[1]
    key, value = (part.repeat_interleave(times, dim=1) for part in (key, value))
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = query @ key.transpose(2, 3) * scale
    scores = torch.tanh(scores / softcap) * softcap
    if mask is None:
        mask = _mask(query.shape[2], key.shape[2], 0, query.device)
    scores = scores.masked_fill(~mask, -torch.inf)
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    return torch.dropout(weights, dropout, train=dropout > 0) @ value


def _refuse_unknown(
    module: torch.nn.Module,
    query: torch.Tensor,
    attention_mask: torch.Tensor | None,
    sliding_window: int | None,
    layout: Layout | None,
    kwargs: dict[str, Any],
) -> None:
    config: Any = getattr(module, "config", None)
    problem = None
    if layout is None:
        problem = "its layers do not pass keyword arguments on to the attention function"
    elif query.shape[0] != 1 or layout.segments[-1].stop != query.shape[2]:
        problem = f"attention was called with shape {tuple(query.shape)} for another layout"
    elif attention_mask is not None:
        problem = "it makes an attention mask of its own"
    elif not getattr(module, "is_causal", True):
        problem = "its attention is bidirectional"
    elif _window_expected(module, config) and sliding_window is None:
        problem = "its sliding window reaches the attention function through a mask only"
    else:
        used = [text for key, text in _REFUSED.items() if kwargs.get(key) is not None]
        if used:
            problem = f"it uses {used[0]}"
    if problem:
        raise unsupported(config, problem)


def _window_expected(module: torch.nn.Module, config: Any) -> bool:
    """Whether the config says that this layer is a sliding one."""
    types = getattr(config, "layer_types", None)
    index = getattr(module, "layer_idx", None)
    if types is None or index is None or index >= len(types):
        return False
    return types[index] == "sliding_attention"


def unsupported(config: Any, problem: str) -> TrainError:
    """Return the error for an architecture that cannot be trained exactly, and why."""
    name = getattr(config, "model_type", "unknown")
    return TrainError(
        f"models of type '{name}' cannot be trained here: {problem}",
        where=f"model_type {name}",
        mend="choose a decoder such as Llama, Mistral, Qwen2/3, Gemma 2/3, Phi-3, OLMo 2, GPT-NeoX",
    )
