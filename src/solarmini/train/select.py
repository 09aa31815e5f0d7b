"""Which weights learn: all, adapters, the layers around the seams, or the layers growth added."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from solarmini.checkpoint.layers import LayerNames
from solarmini.errors import TrainError
from solarmini.growth.plan import LayerPlan
from solarmini.train.settings import LoraSettings, TrainSettings


def select_weights(
    model: Any, settings: TrainSettings, growth: Mapping[str, Any] | None
) -> Any | None:
    """Freeze what shall not learn. Returns peft's wrapper for train=lora, else None.

    A frozen layer below the lowest trained one keeps nothing for the backward pass: autograd
    stops where no weight further down needs a gradient.
    """
    if settings.train == "full":
        model.requires_grad_(True)
        return None
    if settings.train == "lora":
        return _add_adapters(model, settings.lora)
    layers = _grown_layers(settings, growth)
    names = LayerNames.find((name for name, _ in model.named_parameters()), model.config.to_dict())
    if names.count != len(layers.plan):
        raise TrainError(
            f"the growth plan has {len(layers.plan)} layers, the model {names.count}",
            where=settings.model,
        )
    for name, parameter in model.named_parameters():
        split = names.split(name)
        parameter.requires_grad_(split is not None and split[0] in layers.chosen)
    return None


def trained_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """Name every parameter that learns."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


class _Chosen:
    def __init__(self, plan: LayerPlan, chosen: tuple[int, ...]) -> None:
        self.plan = plan
        self.chosen = frozenset(chosen)


def _grown_layers(settings: TrainSettings, growth: Mapping[str, Any] | None) -> _Chosen:
    if growth is None:
        raise TrainError(
            f"--train {settings.train} needs a grown model: the manifest knows no growth plan",
            where=settings.model,
            mend="make the model with 'solar upscale', or use --train full or lora",
        )
    plan = LayerPlan.from_dict(growth)
    if settings.train == "seam":
        chosen = plan.seam_layers(settings.seam_width)
    else:
        chosen = plan.new_layers()
    if not chosen:
        raise TrainError(f"the growth plan has no {settings.train} layers", where=settings.model)
    return _Chosen(plan, chosen)


def _add_adapters(model: Any, lora: LoraSettings) -> Any:
    from peft import LoraConfig, LoraModel

    targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # ty: ignore[invalid-argument-type]
        lora_dropout=lora.dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )
    try:
        return LoraModel(model, config, "default")
    except ValueError as error:
        raise TrainError(
            f"adapters cannot be put on this model: {error}", mend="check lora.targets"
        ) from error
