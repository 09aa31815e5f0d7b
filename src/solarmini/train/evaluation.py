"""Held-out measures during training: token loss, or preference loss and accuracy."""

from collections.abc import Mapping, Sequence

import torch

from solarmini.train.model import Policy
from solarmini.train.objectives import Objective
from solarmini.train.plan import micro_batches


class HeldOut:
    """Measures a policy on named objectives, always the same examples in the same order."""

    def __init__(self, objectives: Mapping[str, Objective], max_tokens: int) -> None:
        self.objectives = objectives
        self.max_tokens = max_tokens

    def __call__(self, policy: Policy) -> dict[str, float]:
        """Return eval_loss (and eval_accuracy, …) over all sources and eval_loss_NAME of each."""
        sums: dict[str, float] = {}
        count = 0
        found: dict[str, float] = {}
        for name, objective in self.objectives.items():
            part, size = measure(policy, objective, self.max_tokens)
            if len(self.objectives) > 1:
                found[f"eval_loss_{name}"] = part["loss"] / size
            count += size
            for key, value in part.items():
                sums[key] = sums.get(key, 0.0) + value
        return {f"eval_{key}": value / count for key, value in sums.items()} | found


@torch.no_grad()
def measure(
    policy: Policy, objective: Objective, max_tokens: int, indices: Sequence[int] | None = None
) -> tuple[dict[str, float], int]:
    """Return the objective's sums over all its examples, and what to divide them by."""
    device = next(policy.parameters()).device
    chosen = range(len(objective.lengths)) if indices is None else indices
    sums: dict[str, float] = {}
    groups = micro_batches([(i,) for i in chosen], objective.lengths, None, max_tokens)
    for group in groups:
        loss, extra = objective.loss(policy, group, device)
        for key, value in {"loss": loss, **extra}.items():
            sums[key] = sums.get(key, 0.0) + float(value)
    return sums, objective.denominator(list(chosen))
