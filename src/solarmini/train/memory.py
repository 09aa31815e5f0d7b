"""Whether the memory that a run will take is there, known before it starts."""

from pathlib import Path

import torch

from solarmini.errors import ResourceError
from solarmini.growth.training_memory import MemoryNeed

_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
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
