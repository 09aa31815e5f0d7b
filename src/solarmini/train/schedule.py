"""Learning-rate schedules as a function of the step alone."""

import math
from typing import Literal

ScheduleName = Literal["cosine", "linear", "constant", "wsd"]


def learning_rate_factor(
    step: int,
    total: int,
    *,
    schedule: ScheduleName,
    warmup: int,
    min_ratio: float = 0.0,
    decay_share: float = 0.2,
) -> float:
    """Factor of the peak rate for optimizer step `step` (0 is the first) of `total`.

    Warm-up rises linearly and reaches 1 at step `warmup`; its first step has 1 / (warmup + 1), so
    no step is wasted on a rate of zero. Afterwards the factor falls to `min_ratio`, which it would
    reach at step `total`: along half a cosine, a straight line, not at all (constant), or, for
    wsd (warm-up, stable, decay), in a straight line over the last `decay_share` of all steps.
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, total - warmup)
    if schedule == "constant":
        return 1.0
    if schedule == "cosine":
        return min_ratio + (1 - min_ratio) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    if schedule == "wsd":
        decay = max(1, round(total * decay_share))
        done = max(0.0, (step - (total - decay)) / decay)
    return 1 - (1 - min_ratio) * min(1.0, done)


def warmup_steps(warmup: float, total: int) -> int:
    """Steps of warm-up: a share of all steps when below 1, else a number of steps."""
    return math.ceil(warmup * total) if warmup < 1 else min(int(warmup), total)
