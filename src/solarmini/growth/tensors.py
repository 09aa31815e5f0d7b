"""The tensors of a grown model, each a byte range of a base, zeros, or a scaled gate."""

import re
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from solarmini.checkpoint.dtypes import FLOATING, from_float32, to_float32
from solarmini.checkpoint.layers import LayerNames
from solarmini.checkpoint.reader import Checkpoint, read_tensor
from solarmini.checkpoint.safetensors import TensorInfo
from solarmini.checkpoint.writer import OutTensor, Zeros
from solarmini.errors import PlanError
from solarmini.growth.architectures import Gates
from solarmini.growth.plan import LayerPlan, Transform

_EMBEDDING = re.compile(r"(embed|wte|wpe)")


def grown_tensors(bases: Sequence[Checkpoint], plan: LayerPlan) -> list[OutTensor]:
    """List the tensors of the model that `plan` makes of `bases`, in the order of computation.

    Nothing is read but headers. Embeddings come from the base of the lowest layer, the final norm
    and the head from the base of the highest one (with a single base: all bitwise from it).
    PlanError when bases do not fit together or a layer that should start as identity has no gate.
    """
    names = [LayerNames.find(base.tensors, base.config) for base in bases]
    _check_bases(bases, names, plan)
    below, above = _outer_tensors(bases, names, plan)
    target = names[0]
    layers = [_by_layer(base, name) for base, name in zip(bases, names, strict=True)]
    changing = any(slot.transform != "copy" for slot in plan.slots)
    gates = Gates(bases[0].config) if changing else None
    result = [_copied(info.name, info) for info in below]
    for index, slot in enumerate(plan.slots):
        result += _layer(
            layers[slot.model][slot.source],
            slot.transform,
            partial(target.join, index),
            gates,
            plan.attenuation,
        )
    return result + [_copied(info.name, info) for info in above]


def _layer(
    tensors: Sequence[tuple[str, TensorInfo]],
    transform: Transform,
    rename: Callable[[str], str],
    gates: Gates | None,
    attenuation: float | None,
) -> list[OutTensor]:
    """Make one new layer of one base layer."""
    if transform == "copy" or gates is None:
        return [_copied(rename(suffix), info) for suffix, info in tensors]
    factor = 0.0 if transform == "identity" else attenuation
    if factor is None:
        raise PlanError("the plan attenuates layers but does not say by how much")
    gated = [suffix for suffix, _ in tensors if gates.match(suffix)]
    if len([suffix for suffix in gated if not suffix.endswith("bias")]) < 2:
        raise PlanError(
            f"no output projections were found in a layer of this '{gates.model_type}' model, so "
            "it cannot start as identity or be attenuated",
            where=tensors[0][1].path,
            mend="use a method that only copies: dus, interpose or stack",
        )
    return [
        _gate(rename(suffix), info, gates.kind, factor)
        if suffix in gated
        else _copied(rename(suffix), info)
        for suffix, info in tensors
    ]


def _gate(name: str, info: TensorInfo, kind: str, factor: float) -> OutTensor:
    if info.dtype not in FLOATING:
        raise PlanError(
            f"tensor '{info.name}' is {info.dtype}: only floating weights can be scaled",
            where=info.path,
        )
    if kind == "linear" and factor == 0:
        return OutTensor(name, info.dtype, info.shape, Zeros())
    return OutTensor(name, info.dtype, info.shape, partial(_scaled, info, kind, factor))


def _scaled(info: TensorInfo, kind: str, factor: float) -> bytes:
    """Multiply what a gate multiplies by with `factor`; rounds once, in the tensor's own type."""
    weight = to_float32(read_tensor(info), info.dtype, info.shape)
    scale = np.float32(factor)
    value = weight * scale if kind == "linear" else (1 + weight) * scale - 1
    return from_float32(value, info.dtype)


def _copied(name: str, info: TensorInfo) -> OutTensor:
    return OutTensor(name, info.dtype, info.shape, info)


def _by_layer(base: Checkpoint, names: LayerNames) -> list[list[tuple[str, TensorInfo]]]:
    layers: list[list[tuple[str, TensorInfo]]] = [[] for _ in range(names.count)]
    for name, info in base.tensors.items():
        found = names.split(name)
        if found:
            layers[found[0]].append((found[1], info))
    return layers


def _outer_tensors(
    bases: Sequence[Checkpoint], names: Sequence[LayerNames], plan: LayerPlan
) -> tuple[list[TensorInfo], list[TensorInfo]]:
    """Return the tensors below and above the layers."""

    def outer(model: int, embedding: bool) -> list[TensorInfo]:
        return [
            info
            for name, info in bases[model].tensors.items()
            if names[model].split(name) is None and bool(_EMBEDDING.search(name)) == embedding
        ]

    return outer(plan.slots[0].model, True), outer(plan.slots[-1].model, False)


def _check_bases(bases: Sequence[Checkpoint], names: Sequence[LayerNames], plan: LayerPlan) -> None:
    if plan.models > len(bases):
        raise PlanError(f"the plan draws on {plan.models} models, {len(bases)} were given")
    for base, name in zip(bases, names, strict=True):
        if name.count != plan.base_layers:
            raise PlanError(
                f"the plan is for a base of {plan.base_layers} layers, this one has {name.count}",
                where=base.dir,
            )
    first = _shapes(bases[0], names[0])
    for base, name in zip(bases[1:], names[1:], strict=True):
        different = sorted(first ^ _shapes(base, name))
        if different:
            raise PlanError(
                f"the bases do not fit together: '{different[0][0]}' has another shape or type",
                where=base.dir,
            )


def _shapes(base: Checkpoint, names: LayerNames) -> set[tuple[str, str, tuple[int, ...]]]:
    """Return (suffix or name, dtype, shape) of all tensors, layers taken together."""
    shapes = set()
    for name, info in base.tensors.items():
        found = names.split(name)
        shapes.add((found[1] if found else name, info.dtype, info.shape))
    return shapes
