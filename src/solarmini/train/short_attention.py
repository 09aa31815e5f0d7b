"""Attention of short texts in bfloat16 on a CPU, as plain matrix products.

PyTorch's fused CPU kernel keeps the processor's bfloat16 units idle on short texts: at 9 heads of
64 and 128 to 512 tokens, forward and backward here take a third of its time. Nothing of size
[T, T] is kept for the backward pass, which computes the weights again. Heads that share keys and
values go through one product, so nothing is repeated either.
"""

from functools import lru_cache
from typing import Any

import torch

LONGEST = 768  # from about here on the fused kernel, which skips the masked half, is as fast


def takes_short(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout: float,
    softcap: float | None,
) -> bool:
    """Whether `short_attention` is the better way for these [1, heads, T, size] tensors."""
    return (
        query.device.type == "cpu"
        and query.dtype == key.dtype == value.dtype == torch.bfloat16
        and key.shape[2] <= LONGEST
        and dropout == 0.0
        and softcap is None
    )


def short_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None, window: int
) -> torch.Tensor:
    """Causal attention, [1, heads, T, size]; the last query stands at the last key.

    `window` > 0 lets a token see that many keys back at most, itself included.
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return _ShortAttention.apply(query, key, value, scale, window)


@lru_cache(maxsize=4)
def _full_mask(window: int) -> torch.Tensor:
    place = torch.arange(LONGEST)
    back = place[:, None] - place[None, :]
    hidden = (back < 0) | ((back >= window) if window else torch.zeros_like(back, dtype=torch.bool))
    return torch.zeros(LONGEST, LONGEST, dtype=torch.bfloat16).masked_fill_(hidden, -torch.inf)


def _weights(query: torch.Tensor, key: torch.Tensor, new: int, window: int) -> torch.Tensor:
    """Softmax of the masked scores, [key-value heads, group * T, keys]."""
    total = key.shape[1]
    scores = torch.bmm(query, key.transpose(1, 2)).view(key.shape[0], -1, new, total)
    scores += _full_mask(window)[total - new : total, :total]
    return torch.softmax(scores, dim=-1).view(key.shape[0], -1, total)


class _ShortAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scale: float,
        window: int,
    ) -> torch.Tensor:
        _, heads, new, size = query.shape
        grouped = (query[0] * scale).reshape(key.shape[1], -1, size)
        k, v = key[0].contiguous(), value[0].contiguous()
        weights = _weights(grouped, k, new, window)
        ctx.save_for_backward(grouped, k, v)
        ctx.scale, ctx.window, ctx.new = scale, window, new
        return torch.bmm(weights, v).view(1, heads, new, v.shape[-1])

    @staticmethod
    def backward(ctx: Any, *outputs: torch.Tensor) -> Any:
        grouped, k, v = ctx.saved_tensors
        slope = outputs[0].reshape(k.shape[0], -1, v.shape[-1])
        weights = _weights(grouped, k, ctx.new, ctx.window)
        d_value = torch.bmm(weights.transpose(1, 2), slope)
        d_weights = torch.bmm(slope, v.transpose(1, 2))
        d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype)
        d_key = torch.bmm(d_scores.transpose(1, 2), grouped)
        d_query = torch.bmm(d_scores, k) * ctx.scale
        heads = grouped.shape[0] * grouped.shape[1] // ctx.new
        return d_query.view(1, heads, ctx.new, -1), d_key[None], d_value[None], None, None
