"""The memory that our trainer takes, from sizes alone: dry runs print it, training checks it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from solarmini.checkpoint.layers import LayerNames, text_config
from solarmini.errors import PlanError

_OVERHEAD = 400 * 2**20  # interpreter, libraries, one chunk of logits
_HIDDEN = ("hidden_size", "n_embd", "d_model")
_INNER = ("intermediate_size", "n_inner", "ffn_dim")


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes that a run takes at its peak, by cause."""

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All of it, with what the program itself takes."""
        return self.weights + self.gradients + self.optimizer + self.activations + _OVERHEAD


@dataclass(frozen=True, slots=True)
class Widths:
    """What a config says of the width of a decoder: sizes in elements per token."""

    hidden: int
    inner: int  # of the experts that work on one token, together
    vocabulary: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Widths":
        """Read them from a config.json; PlanError when it does not state them."""
        text = text_config(config)
        hidden = number(text, *_HIDDEN)
        inner = next((text[key] for key in _INNER if isinstance(text.get(key), int)), 4 * hidden)
        experts = int(text.get("num_experts_per_tok") or 1)
        return cls(hidden, inner * experts, number(text, "vocab_size"))


def predict_memory(
    *,
    parameters: int,
    trained: int,
    widths: Widths,
    tokens: int,
    layers_with_gradient: int,
    checkpointing: bool,
    precision: str,
) -> MemoryNeed:
    """Predict the peak of training with forward passes of `tokens` tokens.

    Weights, gradients and AdamW's two moments are float32; with precision "bf16" the products take
    bf16 copies of the weights beside. Activations were measured on Llama-like decoders: per token
    and layer about 14 hidden and 5 intermediate sizes are kept for the backward pass, of which
    bf16 halves about half.
    """
    hidden = widths.hidden
    per_layer = tokens * (14 * hidden + 5 * widths.inner) * 4
    if precision == "bf16":
        per_layer = per_layer * 3 // 4
    kept = per_layer * layers_with_gradient
    if checkpointing:
        kept = per_layer + tokens * hidden * 4 * layers_with_gradient
    head = widths.vocabulary * hidden * 4  # the head's gradient of one forward pass
    casts = parameters * 2 if precision == "bf16" else 0
    return MemoryNeed(
        weights=parameters * 4 + casts,
        gradients=trained * 4,
        optimizer=trained * 8,
        activations=kept + head,
    )


def linear_sizes(shapes: Iterable[tuple[str, tuple[int, ...]]], config: Mapping[str, Any]) -> int:
    """Return the sum of in + out over the linear maps of all layers: LoRA weights per rank."""
    named = list(shapes)
    names = LayerNames.find((name for name, _ in named), config)
    return sum(sum(shape) for name, shape in named if len(shape) == 2 and names.split(name))


def number(text: Mapping[str, Any], *keys: str) -> int:
    """Return the first of `keys` that is a whole number; PlanError when none is."""
    for key in keys:
        if isinstance(text.get(key), int):
            return int(text[key])
    raise PlanError(f"the config does not state '{keys[0]}'", where="config.json")
