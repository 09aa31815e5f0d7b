"""How many threads a model may run on without ruining the machine for others, and itself.

Worker threads of a matrix product wait for each other by spinning. With more of them than idle
cores, the one that all wait for is not running: two threads beside a busy neighbour took 184-461
milliseconds a token where one alone took 44. So the count is bounded by what this process may use
(affinity, control group) and by the cores that are idle at the start.
"""

import os
import time
from pathlib import Path

_SAMPLE_SECONDS = 0.1


def usable_cores() -> int:
    """Return how many cores this process may keep busy: affinity, and the control group's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota(Path("/sys/fs/cgroup"))
    return max(1, min(count or 1, int(quota) if quota else count or 1))


def stated_threads() -> int | None:
    """Return the number of threads that OMP_NUM_THREADS states, None if it states none."""
    stated = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(stated) if stated.isdecimal() and int(stated) > 0 else None


def choose_threads(asked: int | None = None) -> int:
    """Return the number of threads: the one asked for, OMP_NUM_THREADS, or the idle cores."""
    if asked:
        return asked
    if stated := stated_threads():
        return stated
    usable = usable_cores()
    if usable == 1:
        return 1
    return max(1, min(usable, round(_idle_cores(usable))))


def _quota(root: Path) -> float | None:
    """Return the cores that the control group allows, None if it does not say."""
    try:
        quota, period = (root / "cpu.max").read_text().split()[:2]
        return None if quota == "max" else max(1.0, float(quota) / float(period))
    except (OSError, ValueError):
        pass
    try:
        quota = float((root / "cpu/cpu.cfs_quota_us").read_text())
        period = float((root / "cpu/cpu.cfs_period_us").read_text())
        return max(1.0, quota / period) if quota > 0 else None
    except (OSError, ValueError):
        return None


def _idle_cores(usable: int) -> float:
    """Return how many of the machine's cores were idle over a tenth of a second."""
    first = _times()
    if first is None:
        return usable
    time.sleep(_SAMPLE_SECONDS)
    second = _times()
    if second is None or second[1] <= first[1]:
        return usable
    share = (second[0] - first[0]) / (second[1] - first[1])
    return share * (os.cpu_count() or usable)


def _times() -> tuple[int, int] | None:
    """Return idle and total processor time of the machine so far, in ticks."""
    try:
        fields = [int(text) for text in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    except (OSError, ValueError, IndexError):
        return None
    return fields[3] + fields[4], sum(fields)
