"""One step of a transformers model: new tokens in, the last one's logits out, past in a cache."""

import inspect
from functools import cache
from typing import Any

import torch


def step(model: Any, inputs: torch.Tensor, past: Any = None) -> tuple[torch.Tensor, Any]:
    """Read token ids [B, T] after `past`; return logits [B, V] of the last ones and the cache.

    `past` is the cache that the step before returned, None at the first.
    """
    name = _cache_name(type(model))
    with torch.inference_mode():
        output = model(inputs, use_cache=True, logits_to_keep=1, **{name: past})
    return output.logits[:, -1], getattr(output, name)


@cache
def _cache_name(model: Any) -> str:
    """Return what a class of models calls its cache: `cache` since transformers 5.24."""
    names = inspect.signature(model.forward).parameters
    return "cache" if "cache" in names else "past_key_values"
