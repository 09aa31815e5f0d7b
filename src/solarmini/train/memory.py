"""How much memory a run will take, known before it starts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from solarmini.errors import ResourceError

_OVERHEAD = 400 * 2**20  # interpreter, libraries, one chunk of logits
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


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


def predict_memory(
    *,
    parameters: int,
    trained: int,
    config: Any,
    tokens: int,
    layers_with_gradient: int,
    checkpointing: bool,
    precision: str,
) -> MemoryNeed:
    """Predict the peak of training with forward passes of `tokens` tokens.

    Weights, gradients and AdamW's two moments are float32. Activations were measured on Llama-like
    decoders: per token and layer about 14 hidden and 5 intermediate sizes are kept for the
    backward pass, of which bf16 halves about half.
    """
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    hidden = int(text.hidden_size)
    inner = int(getattr(text, "intermediate_size", None) or 4 * hidden)
    experts = int(getattr(text, "num_experts_per_tok", None) or 1)
    vocabulary = int(text.vocab_size)
    per_layer = tokens * (14 * hidden + 5 * inner * experts) * 4
    if precision == "bf16":
        per_layer = per_layer * 3 // 4
    kept = per_layer * layers_with_gradient
    if checkpointing:
        kept = per_layer + tokens * hidden * 4 * layers_with_gradient
    head = vocabulary * hidden * 4  # the head's gradient of one forward pass
    casts = parameters * 2 if precision == "bf16" else 0
    return MemoryNeed(
        weights=parameters * 4 + casts,
        gradients=trained * 4,
        optimizer=trained * 8,
        activations=kept + head,
    )


def available_memory(device: torch.device) -> int:
    """Bytes that this process may still take on `device`."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit_path, used_path in _CGROUPS:
        limit, used = _number(limit_path), _number(used_path)
        if limit is not None and used is not None:
            free = min(free, max(0, limit - used + _page_cache(limit_path)))
    return free


def used_memory(device: torch.device) -> int:
    """Bytes that this process holds now (CPU) or held at most (CUDA)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    import psutil

    return int(psutil.Process().memory_info().rss)


def check_memory(need: MemoryNeed, available: int) -> None:
    """Raise ResourceError when a run would not fit, saying what takes the memory."""
    if need.total <= available:
        return
    gigabytes = {
        name: f"{getattr(need, name) / 1e9:.1f}"
        for name in ("weights", "gradients", "optimizer", "activations")
    }
    detail = ", ".join(f"{name} {value}" for name, value in gigabytes.items())
    raise ResourceError(
        f"not enough memory: about {need.total / 1e9:.1f} GB are needed ({detail}), "
        f"{available / 1e9:.1f} GB are free",
        mend="lower --micro-batch-tokens or --seq-len, add --gradient-checkpointing, or train "
        "less: --train lora (or seam, new)",
    )


def _number(path: str) -> int | None:
    try:
        text = Path(path).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() and int(text) < 2**60 else None


def _page_cache(limit_path: str) -> int:
    """File cache counts as used in a control group but is given back on demand."""
    try:
        lines = Path(limit_path).with_name("memory.stat").read_text().splitlines()
    except OSError:
        return 0
    values = dict(line.split() for line in lines if line.count(" ") == 1)
    return int(values.get("inactive_file", 0)) + int(values.get("active_file", 0))
