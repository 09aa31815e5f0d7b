"""The tensors of a merged model, each made on demand from the same tensor of every source."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from solarmini.checkpoint.dtypes import from_float32, to_float32
from solarmini.checkpoint.layers import LayerNames
from solarmini.checkpoint.reader import Checkpoint, read_tensor
from solarmini.checkpoint.safetensors import TensorInfo
from solarmini.checkpoint.writer import OutTensor
from solarmini.errors import MergeError
from solarmini.growth.plan import LayerPlan, Slot
from solarmini.growth.tensors import grown_tensors
from solarmini.merge import methods
from solarmini.merge.spec import WITH_BASE, MergeSpec, Settings, Slice, lookup

_FLOAT16_MAX = 65504.0


@dataclass(frozen=True, slots=True)
class Span:
    """A slice with its numbers filled in: where it lies in the output and in its sources."""

    part: Slice
    first: int
    count: int
    starts: tuple[int, ...]


def spans_of(spec: MergeSpec, layers: int) -> tuple[Span, ...]:
    """Place the slices of `spec` one upon the other; MergeError where they do not fit."""
    spans, at = [], 0
    for number, part in enumerate(spec.slices):
        ranges = []
        for source in part.sources:
            start, end = source.start or 0, layers if source.end is None else source.end
            if not 0 <= start < end <= layers:
                raise MergeError(
                    f"layers {start} to {end} (exclusive) do not exist in a model of {layers}",
                    where=f"slices[{number}]: {spec.models[source.model]}",
                )
            ranges.append((start, end))
        counts = {end - start for start, end in ranges}
        if len(counts) != 1:
            raise MergeError(
                f"the sources give {' and '.join(map(str, sorted(counts)))} layers",
                where=f"slices[{number}]",
                mend="give every source of a slice equally many layers",
            )
        (count,) = counts
        spans.append(Span(part, at, count, tuple(start for start, _ in ranges)))
        at += count
    return tuple(spans)


def layer_plan(spec: MergeSpec, spans: Sequence[Span], layers: int) -> LayerPlan:
    """Return the map of output layers to the layers of the leading source (base, else first)."""
    slots = []
    for span in spans:
        lead = _leading(spec, span.part)
        model, start = span.part.sources[lead].model, span.starts[lead]
        slots += [Slot(start + offset, model=model) for offset in range(span.count)]
    return LayerPlan(layers, tuple(slots), spec.method)


def merged_tensors(
    spec: MergeSpec, models: Sequence[Checkpoint], dtype: str | None = None
) -> tuple[list[OutTensor], LayerPlan]:
    """Return the output's tensors (dtype name of safetensors, or each as its leader has it)."""
    names = [LayerNames.find(model.tensors, model.config) for model in models]
    layers = names[0].count
    spans = spans_of(spec, layers)
    plan = layer_plan(spec, spans, layers)
    result = []
    before = True  # the tensors come bottom up: what precedes the first layer lies below it
    for tensor in _leading_tensors(models, plan):
        found = names[0].split(tensor.name)
        if found is None:
            # what stands around the layers takes a gradient's first value, as in mergekit
            span, offset, place = (spans[0] if before else spans[-1]), None, 0.0
        else:
            before = False
            span = next(s for s in spans if s.first <= found[0] < s.first + s.count)
            offset = found[0] - span.first
            place = offset / (span.count - 1) if span.count > 1 else 1.0
        inputs = []
        for source, start in zip(span.part.sources, span.starts, strict=True):
            name = tensor.name
            if found is not None and offset is not None:
                name = names[source.model].join(start + offset, found[1])
            inputs.append(models[source.model].tensors[name])
        result.append(_out(spec, span.part, tensor, inputs, place, dtype or tensor.dtype))
    return result, plan


def _leading_tensors(models: Sequence[Checkpoint], plan: LayerPlan) -> list[OutTensor]:
    """Return the output's tensors as the leading models have them; only those need one dtype."""
    used = sorted({slot.model for slot in plan.slots})
    slots = tuple(Slot(slot.source, slot.transform, used.index(slot.model)) for slot in plan.slots)
    return grown_tensors([models[i] for i in used], replace(plan, slots=slots))


def _leading(spec: MergeSpec, part: Slice) -> int:
    """Return which source of a slice is its base, the first one where none is named."""
    base = part.base if part.base is not None else spec.base
    found = [i for i, source in enumerate(part.sources) if source.model == base]
    if base is not None and not found:
        raise MergeError(f"the base '{spec.models[base]}' is no source of a slice")
    return found[0] if found else 0


def _out(
    spec: MergeSpec,
    part: Slice,
    grown: OutTensor,
    inputs: Sequence[TensorInfo],
    place: float,
    dtype: str,
) -> OutTensor:
    lead = _leading(spec, part)
    compute = _computation(spec, part, lead, grown.name, place)
    if compute is None and dtype == grown.dtype:
        return grown
    make = partial(_make, grown.name, inputs, compute or (lambda x: x[lead]), dtype)
    return OutTensor(grown.name, dtype, grown.shape, make)


Computation = Callable[[Sequence[np.ndarray]], np.ndarray]


def _computation(
    spec: MergeSpec, part: Slice, lead: int, tensor: str, place: float
) -> Computation | None:
    """Return what to do with the sources' values of one tensor; None: copy the leader's bytes."""
    shared: list[Settings] = [part.parameters, spec.parameters]

    def common(key: str, default: float | None = None) -> float | None:
        return lookup(key, shared, tensor, place, default)

    def each(key: str, default: float | None, indices: Sequence[int]) -> list[float]:
        found = [
            lookup(key, [part.sources[i].parameters, *shared], tensor, place, default)
            for i in indices
        ]
        if any(value is None for value in found):
            raise MergeError(
                f"'{spec.method}' needs '{key}' for every model", where=f"tensor '{tensor}'"
            )
        return [float(value) for value in found if value is not None]

    everyone = range(len(part.sources))
    others = [i for i in everyone if i != lead]
    match spec.method:
        case "passthrough":
            scale = lookup("scale", [part.sources[0].parameters, *shared], tensor, place)
            return None if scale in (None, 1.0) else lambda x: x[0] * np.float32(scale)
        case "linear":
            weights = each("weight", None, everyone)
            normalize = bool(common("normalize", 1.0))
            return lambda x: methods.linear(x, weights, normalize)
        case "slerp":
            t = common("t")
            if t is None:
                raise MergeError("'slerp' needs 't'", where=f"tensor '{tensor}'")
            return lambda x: methods.slerp(x[lead], x[others[0]], t)
    weights = each("weight", None, others)
    scale = common("lambda", 1.0) or 0.0
    if spec.method == "task_arithmetic":
        normalize = bool(common("normalize", 0.0))
        return lambda x: methods.task_arithmetic(
            x[lead], [x[i] for i in others], weights, scale, normalize
        )
    densities = each("density", 1.0, others)
    normalize = bool(common("normalize", 1.0))
    return lambda x: methods.ties(
        x[lead], [x[i] for i in others], weights, densities, scale, normalize
    )


def _make(
    name: str, inputs: Sequence[TensorInfo], compute: Computation, dtype: str
) -> bytes | memoryview:
    values = [to_float32(read_tensor(info), info.dtype, info.shape) for info in inputs]
    for info, value in zip(inputs, values, strict=True):
        if not np.isfinite(value).all():
            raise MergeError(f"tensor '{info.name}' holds NaN or infinity", where=info.path)
    result = compute(values)
    largest = float(np.abs(result).max()) if result.size else 0.0
    if not math.isfinite(largest) or (dtype == "F16" and largest > _FLOAT16_MAX):
        raise MergeError(
            f"merging tensor '{name}' gives {largest:g}, which {dtype} cannot hold",
            mend="use smaller weights, or dtype bfloat16 or float32",
        )
    return from_float32(result, dtype)


def check_methods(spec: MergeSpec) -> None:
    """Raise MergeError when the number of models does not fit the method."""
    for number, part in enumerate(spec.slices):
        count, where = len(part.sources), f"slices[{number}]"
        if spec.method == "passthrough" and count != 1:
            raise MergeError(f"passthrough takes one source a slice, not {count}", where=where)
        if spec.method == "slerp" and count != 2:
            raise MergeError(f"slerp takes two models, not {count}", where=where)
        if spec.method == "linear" and count < 2:
            raise MergeError("linear needs at least two models", where=where)
        if spec.method in WITH_BASE:
            if spec.base is None and part.base is None:
                raise MergeError(f"{spec.method} needs a base", where=where, mend="give --base")
            if count < 2:
                raise MergeError(
                    f"{spec.method} needs at least one model besides the base", where=where
                )
