"""AdamW with decay on matrices only, and its state by weight name."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.optim import AdamW

from solarmini.errors import TrainError
from solarmini.train.settings import TrainSettings


def make_optimizer(parameters: Mapping[str, nn.Parameter], settings: TrainSettings) -> AdamW:
    """AdamW (Loshchilov & Hutter 2019); norms and biases are not decayed."""
    matrices = [p for p in parameters.values() if p.ndim >= 2]
    others = [p for p in parameters.values() if p.ndim < 2]
    groups = [
        {"params": part, "weight_decay": decay}
        for part, decay in ((matrices, settings.weight_decay), (others, 0.0))
        if part
    ]
    kinds = {p.device.type for p in parameters.values()}
    return AdamW(
        groups,
        lr=settings.lr,
        betas=(settings.beta1, settings.beta2),
        eps=settings.adam_eps,
        fused=kinds <= {"cpu", "cuda"},
    )


def optimizer_state(
    optimizer: AdamW, parameters: Mapping[str, nn.Parameter]
) -> dict[str, torch.Tensor]:
    """Return the moments and step counts by `name/key`."""
    return {
        f"{name}/{key}": value
        for name, parameter in parameters.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def load_optimizer_state(
    optimizer: AdamW, parameters: Mapping[str, nn.Parameter], state: Mapping[str, torch.Tensor]
) -> None:
    """Put saved moments back, into memory of their own beside each weight."""
    by_name: dict[str, dict[str, torch.Tensor]] = {}
    for path, value in state.items():
        name, _, key = path.rpartition("/")
        by_name.setdefault(name, {})[key] = value
    if by_name and set(by_name) != set(parameters):
        raise TrainError("the saved optimizer state belongs to other weights")
    for name, values in by_name.items():
        parameter = parameters[name]
        on_host = parameter.device.type == "cpu"
        optimizer.state[parameter] = {
            key: value.clone() if value.ndim == 0 and on_host else _beside(value, parameter)
            for key, value in values.items()
        }


def _beside(value: torch.Tensor, parameter: nn.Parameter) -> torch.Tensor:
    return torch.empty_like(value, device=parameter.device).copy_(value)
