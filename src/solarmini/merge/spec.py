"""What to merge and how, as pure data; parameters may differ by layer and by tensor name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

METHODS = ("linear", "slerp", "task_arithmetic", "ties", "passthrough")
WITH_BASE = ("task_arithmetic", "ties")


@dataclass(frozen=True, slots=True)
class Filtered:
    """Values by tensor name: the first whose filter is part of the name, None meaning any."""

    cases: tuple[tuple[str | None, "Setting"], ...]


# a number; a gradient of numbers spread evenly over the layers; or values by tensor name
Setting = float | tuple[float, ...] | Filtered
Settings = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Source:
    """Layers `start` to `end` (exclusive; None: all) of model number `model`."""

    model: int
    start: int | None = None
    end: int | None = None
    parameters: Settings = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of output layers, made of equally many layers of each source."""

    sources: tuple[Source, ...]
    parameters: Settings = field(default_factory=dict)
    base: int | None = None


@dataclass(frozen=True, slots=True)
class MergeSpec:
    """A whole merge: models (names as given), method, and the slices of the output, bottom up."""

    method: str
    models: tuple[str, ...]
    slices: tuple[Slice, ...]
    base: int | None = None
    parameters: Settings = field(default_factory=dict)
    dtype: str | None = None

    @classmethod
    def whole(
        cls,
        method: str,
        models: Iterable[str],
        *,
        base: int | None = None,
        dtype: str | None = None,
        parameters: Settings | None = None,
        by_model: Mapping[int, Settings] | None = None,
    ) -> "MergeSpec":
        """Merge whole models, each layer with the same layer of the others."""
        names = tuple(models)
        per_model = by_model or {}
        sources = tuple(Source(i, parameters=per_model.get(i, {})) for i in range(len(names)))
        return cls(method, names, (Slice(sources),), base, parameters or {}, dtype)


def evaluate(setting: Setting, tensor: str, place: float) -> float | None:
    """Return a setting's value for a tensor in a layer at `place` (0 lowest … 1 highest)."""
    if isinstance(setting, Filtered):
        for name, value in setting.cases:
            if name is None or name == "*" or name in tensor:
                return evaluate(value, tensor, place)
        return None
    if not isinstance(setting, tuple):
        return setting
    at = place * (len(setting) - 1)
    low = min(int(at), len(setting) - 1)
    high = min(low + 1, len(setting) - 1)
    return (1 - (at - low)) * setting[low] + (at - low) * setting[high]


def lookup(
    key: str, layers: Iterable[Settings], tensor: str, place: float, default: float | None = None
) -> float | None:
    """Return the value of `key` from the first of `layers` (nearest first) that gives one."""
    for settings in layers:
        if key in settings:
            value = evaluate(settings[key], tensor, place)
            if value is not None:
                return value
    return default


def plain(setting: Setting) -> Any:
    """Return a setting as JSON-ready data, for the manifest."""
    if isinstance(setting, Filtered):
        return [{"filter": name, "value": plain(value)} for name, value in setting.cases]
    return list(setting) if isinstance(setting, tuple) else setting
