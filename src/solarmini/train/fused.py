"""Leaner forward and backward passes for two pieces that most decoders share.

Plain autograd keeps every intermediate of a norm and of a gated feed-forward layer, and casts a
norm's float32 output once for each projection that reads it. Here the backward pass computes the
intermediates again from the inputs, and under autocast a norm hands out bfloat16 at once, which
is what its readers would have made of it: same numbers, a third less memory for activations.
Only pieces whose code is known are replaced; `model.check_architecture` then compares the whole
model with its own forward pass.
"""

from types import MethodType
from typing import Any

import torch
from torch import nn

# Decoders whose norms are weight * x / rms(x) and are read by projections only.
_PRE_NORM = frozenset({"llama", "mistral", "mixtral", "qwen2", "qwen3", "phi3", "granite"})
_SILU = ("SiLU", "SiLUActivation")
# What the two forward passes use; one that does anything else has other names.
_GATED_USES = {"down_proj", "act_fn", "gate_proj", "up_proj"}
_NORM_USES = {"dtype", "to", "torch", "float32", "pow", "mean", "rsqrt", "weight"}
_NORM_USES |= {"variance_epsilon"}
_NORMS = ("input_layernorm", "post_attention_layernorm")


def fuse(model: Any) -> int:
    """Replace the pieces of `model` that are known; return how many."""
    count = 0
    simple = model.config.model_type in _PRE_NORM
    for name, module in model.named_modules():
        last = name.rpartition(".")[2]
        if simple and last in _NORMS and _uses(module) == _NORM_USES:
            module.forward = MethodType(_norm_forward, module)
            count += 1
        elif _is_gated(module):
            module.forward = MethodType(_gated_forward, module)
            count += 1
    return count


def unfuse(model: nn.Module) -> None:
    """Give every module its own forward pass back."""
    for module in model.modules():
        method = module.__dict__.get("forward")
        if getattr(method, "__func__", None) in (_norm_forward, _gated_forward):
            del module.__dict__["forward"]


def _is_gated(module: nn.Module) -> bool:
    """Whether a module is down(silu(gate(x)) * up(x))."""
    parts = (getattr(module, name, None) for name in ("gate_proj", "up_proj", "down_proj"))
    activation = type(getattr(module, "act_fn", None)).__name__
    linear = all(isinstance(part, nn.Linear) for part in parts)
    return linear and activation in _SILU and _uses(module) == _GATED_USES


def _uses(module: nn.Module) -> set[str]:
    """Names that the class's forward pass reads."""
    code = getattr(type(module).forward, "__code__", None)
    return set(code.co_names) if code else set()


def _norm_forward(self: Any, hidden_states: torch.Tensor) -> torch.Tensor:
    kind = hidden_states.device.type
    out = hidden_states.dtype
    if torch.is_autocast_enabled(kind):
        out = torch.get_autocast_dtype(kind)
    return _RmsNorm.apply(hidden_states, self.weight, self.variance_epsilon, out)


def _gated_forward(self: Any, x: torch.Tensor) -> torch.Tensor:
    return self.down_proj(_SwiGlu.apply(self.gate_proj(x), self.up_proj(x)))


class _RmsNorm(torch.autograd.Function):
    """weight * x / sqrt(mean(x²) + eps) over the last dimension, in float32, given out as `out`."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, eps: float, out: torch.dtype
    ) -> torch.Tensor:
        wide = x.float()
        size = wide.shape[-1]
        inverse = torch.linalg.vector_norm(wide, dim=-1, keepdim=True).square_()
        inverse = inverse.div_(size).add_(eps).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        return (wide * inverse).mul_(weight).to(out)

    @staticmethod
    def backward(ctx: Any, *outputs: torch.Tensor) -> Any:
        x, weight, inverse = ctx.saved_tensors
        slope = outputs[0].float()
        normed = x.float() * inverse
        d_weight = None
        if ctx.needs_input_grad[1]:
            d_weight = (slope * normed).reshape(-1, weight.shape[0]).sum(0).to(weight.dtype)
        inner = slope * weight
        shared = (inner * normed).mean(-1, keepdim=True)
        d_x = inner.sub_(normed.mul_(shared)).mul_(inverse)
        return d_x.to(x.dtype), d_weight, None, None


class _SwiGlu(torch.autograd.Function):
    """silu(gate) * up; keeps its two inputs only."""

    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(gate, up)
        return torch.nn.functional.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *outputs: torch.Tensor) -> Any:
        gate, up = ctx.saved_tensors
        slope = outputs[0]
        d_up = torch.nn.functional.silu(gate).mul_(slope)
        d_gate = torch.ops.aten.silu_backward(slope * up, gate)
        return d_gate, d_up
