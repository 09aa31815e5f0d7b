"""Which number format the matrix products run in: what the device does fast, decided by facts.

Weights, gradients' sums and optimizer state stay in float32; bfloat16 is used inside matrix
products and attention (autocast) where the processor has units for it. A CPU with AVX2 only
emulates bfloat16 and is several times slower with it; one with AVX512-BF16 or AMX is several times
faster.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

from solarmini.errors import TrainError

PrecisionName = Literal["auto", "fp32", "bf16"]


def choose_device(requested: str) -> torch.device:
    """Return the device for "auto", "cpu", "cuda" or "mps"; TrainError when it is not there."""
    if requested == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(requested)
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if not there.get(device.type, False):
        raise TrainError(
            f"there is no device '{requested}' on this machine", mend="use --device auto"
        )
    return device


def choose_precision(requested: PrecisionName, device: torch.device) -> Literal["fp32", "bf16"]:
    """Resolve "auto" from what the device can do; the same machine always gives the same answer."""
    if requested != "auto":
        return requested
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp32"
    if device.type == "cpu":
        return "bf16" if _cpu_has_bf16_units() else "fp32"
    return "fp32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return the context that matrix products run in."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def _cpu_has_bf16_units() -> bool:
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in checks)


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
