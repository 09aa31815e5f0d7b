"""The output layer and its loss, in chunks: the logits of a whole batch never exist at once.

With N supervised tokens, hidden size H and vocabulary V, a plain loss keeps [N, V] logits, their
logarithms and their gradient. Here rows go through in chunks of about 16 million logits.
`cross_entropy_sum` makes the gradients while the chunk's logits are at hand, so the backward pass
only scales them; `token_logprobs` keeps [N] numbers and computes the logits again in the backward
pass, because the weight of every token is known only then.
"""

from dataclasses import dataclass
from typing import Any

import torch

CHUNK_LOGITS = 2**24


@dataclass(frozen=True, slots=True)
class Shaping:
    """What an architecture does to its logits: z -> cap * tanh(scale * z / cap)."""

    scale: float = 1.0
    softcap: float | None = None


def cross_entropy_sum(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    targets: torch.Tensor,
    shaping: Shaping = Shaping(),
    chunk: int | None = None,
) -> torch.Tensor:
    """Sum of -log p(target) in float32; hidden [N, H], weight [V, H], bias [V], targets [N]."""
    rows = chunk or max(1, CHUNK_LOGITS // weight.shape[0])
    return _CrossEntropySum.apply(hidden, weight, bias, targets, shaping, rows)


def token_logprobs(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    targets: torch.Tensor,
    shaping: Shaping = Shaping(),
    chunk: int | None = None,
) -> torch.Tensor:
    """log p(target) of every row, float32 [N]; arguments as in `cross_entropy_sum`."""
    rows = chunk or max(1, CHUNK_LOGITS // weight.shape[0])
    return _TokenLogprobs.apply(hidden, weight, bias, targets, shaping, rows)


def _compute_dtype(hidden: torch.Tensor) -> torch.dtype:
    kind = hidden.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype


@dataclass(slots=True)
class _Chunk:
    """Softmax of some rows, not yet divided by its sum: values = exp(logits - top) [n, V]."""

    values: torch.Tensor
    total: torch.Tensor
    picked: torch.Tensor
    shaped: torch.Tensor | None

    @property
    def logprobs(self) -> torch.Tensor:
        """log p(target), [n, 1]."""
        return self.picked - self.total.log()


def _softmax(
    rows: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    wanted: torch.Tensor,
    shaping: Shaping,
    keep_shaped: bool,
) -> _Chunk:
    """Logits of some rows and their softmax, with as few passes over [n, V] as there can be."""
    logits = rows @ weight.t()
    if bias is not None or shaping != Shaping():
        logits = logits.float()
        if bias is not None:
            logits += bias
        logits *= shaping.scale
        if shaping.softcap is not None:
            logits.div_(shaping.softcap).tanh_().mul_(shaping.softcap)
    shaped = logits.clone() if keep_shaped and shaping.softcap is not None else None
    top = logits.amax(1, keepdim=True).float()
    values = logits.sub_(top) if logits.dtype == torch.float32 else logits - top
    picked = values.gather(1, wanted)
    values.exp_()
    return _Chunk(values, values.sum(1, keepdim=True), picked, shaped)


class _Gradients:
    """Collects the gradients of hidden states, weight and bias over chunks."""

    def __init__(
        self,
        needs: tuple[bool, ...],
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        shaping: Shaping,
    ) -> None:
        self.hidden = torch.empty_like(hidden) if needs[0] else None
        self.weight = (
            torch.zeros(weight.shape, dtype=torch.float32, device=weight.device)
            if needs[1]
            else None
        )
        self.bias = (
            torch.zeros(weight.shape[0], dtype=torch.float32, device=weight.device)
            if bias is not None and needs[2]
            else None
        )
        self.shaping = shaping

    def add(
        self,
        part: slice,
        chunk: _Chunk,
        wanted: torch.Tensor,
        rows: torch.Tensor,
        weight: torch.Tensor,
        slopes: torch.Tensor | None,
    ) -> None:
        """Add a chunk whose rows count `slopes` [n, 1] times (None: once) in -log p.

        The division by the softmax's sum is done on [n, H] instead of [n, V].
        """
        slope = chunk.values.scatter_add_(1, wanted, -chunk.total)
        if self.shaping.softcap is not None:
            assert chunk.shaped is not None
            slope *= 1 - (chunk.shaped / self.shaping.softcap) ** 2
        factor = self.shaping.scale / chunk.total
        if slopes is not None:
            factor = factor * slopes
        if self.bias is not None:
            self.bias += (factor * slope).sum(0)
        slope = slope.to(rows.dtype)
        if self.hidden is not None:
            self.hidden[part] = (slope @ weight).float() * factor
        if self.weight is not None:
            scaled = (rows.float() * factor).to(rows.dtype)
            if rows.dtype == torch.float32:
                self.weight.addmm_(slope.t(), scaled)
            else:
                self.weight += slope.t() @ scaled


class _CrossEntropySum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        shaping: Shaping,
        chunk: int,
    ) -> torch.Tensor:
        dtype = _compute_dtype(hidden)
        needs = ctx.needs_input_grad
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        with torch.autocast(hidden.device.type, enabled=False):
            cast = weight.to(dtype)
            gradients = _Gradients(needs, hidden, weight, bias, shaping)
            for start in range(0, len(targets), chunk):
                part = slice(start, start + chunk)
                rows, wanted = hidden[part].to(dtype), targets[part, None]
                softmax = _softmax(rows, cast, bias, wanted, shaping, any(needs))
                total -= softmax.logprobs.sum()
                if any(needs):
                    gradients.add(part, softmax, wanted, rows, cast, None)
        ctx.gradients = gradients
        ctx.dtypes = (hidden.dtype, weight.dtype, None if bias is None else bias.dtype)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: torch.Tensor) -> Any:
        gradients = ctx.gradients
        ctx.gradients = None  # the buffers are handed on, scaled in place
        made = (gradients.hidden, gradients.weight, gradients.bias)
        scaled = [
            None if part is None else part.mul_(outputs[0]).to(dtype)
            for part, dtype in zip(made, ctx.dtypes, strict=True)
        ]
        return *scaled, None, None, None


class _TokenLogprobs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        shaping: Shaping,
        chunk: int,
    ) -> torch.Tensor:
        dtype = _compute_dtype(hidden)
        found = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
        with torch.autocast(hidden.device.type, enabled=False):
            cast = weight.to(dtype)
            for start in range(0, len(targets), chunk):
                part = slice(start, start + chunk)
                rows, wanted = hidden[part].to(dtype), targets[part, None]
                found[part] = _softmax(rows, cast, bias, wanted, shaping, False).logprobs[:, 0]
        ctx.save_for_backward(hidden, weight, bias, targets)
        ctx.shaping, ctx.chunk, ctx.dtype = shaping, chunk, dtype
        return found

    @staticmethod
    def backward(ctx: Any, *outputs: torch.Tensor) -> Any:
        hidden, weight, bias, targets = ctx.saved_tensors
        with torch.autocast(hidden.device.type, enabled=False):
            cast = weight.to(ctx.dtype)
            gradients = _Gradients(ctx.needs_input_grad, hidden, weight, bias, ctx.shaping)
            for start in range(0, len(targets), ctx.chunk):
                part = slice(start, start + ctx.chunk)
                rows, wanted = hidden[part].to(ctx.dtype), targets[part, None]
                softmax = _softmax(rows, cast, bias, wanted, ctx.shaping, True)
                gradients.add(part, softmax, wanted, rows, cast, -outputs[0][part, None])
        return _as(gradients, hidden, weight, bias)


def _as(
    gradients: _Gradients,
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
) -> tuple[torch.Tensor | None, ...]:
    made = (gradients.hidden, gradients.weight, gradients.bias)
    like = (hidden, weight, bias)
    cast = [
        None if part is None or other is None else part.to(other.dtype)
        for part, other in zip(made, like, strict=True)
    ]
    return *cast, None, None, None
