"""The named ways to grow: depth up-scaling, identity start, interposed copies, LLaMA Pro, stacking.

SOLAR 10.7B, arXiv:2312.15166, section 2.1 (depth up-scaling: n layers, the last m of one copy and
the first m of the other dropped, 2(n-m) remain); LLaMA Pro, arXiv:2401.02415, section 3.2 (an
identity copy after each group of layers).
"""

from typing import Literal

from solarmini.errors import PlanError
from solarmini.growth.plan import LayerPlan, Slot, from_sources

Method = Literal["dus", "identity", "interpose", "llama-pro", "stack"]


def default_drop(base_layers: int) -> int:
    """Return the paper's ratio m = n/4, rounded up: 8 of 32, 8 of 30, 3 of 12."""
    return -(-base_layers // 4)


def build_plan(
    base_layers: int, method: Method = "dus", *, drop: int | None = None, layers: int | None = None
) -> LayerPlan:
    """Make the plan of a named method from either `drop` (the paper's m) or the total `layers`.

    With neither, m = n/4 rounded up. PlanError when both are given or the base cannot give what
    is asked.
    """
    if drop is not None and layers is not None:
        raise PlanError(
            "drop and layers say the same thing twice",
            where=f"--drop {drop} --layers {layers}",
            mend="give one of them",
        )
    if method == "stack":
        return stack(base_layers, layers=layers, drop=drop)
    if method == "llama-pro":
        return llama_pro(base_layers, layers=layers, drop=drop)
    m = _resolve_drop(base_layers, drop, layers, method)
    if method == "dus":
        return dus(base_layers, m)
    if method == "identity":
        return identity(base_layers, m)
    if method == "interpose":
        return interpose(base_layers, m)
    raise PlanError(f"unknown method '{method}'")


def dus(base_layers: int, drop: int) -> LayerPlan:
    """Depth up-scaling: layers 0…n-m-1, then m…n-1; new i is i, or i-(n-2m) from n-m on."""
    _check_drop(base_layers, drop)
    kept = base_layers - drop
    sources = [*range(kept), *range(drop, base_layers)]
    return from_sources(sources, base_layers, method="dus", drop=drop)


def identity(base_layers: int, drop: int) -> LayerPlan:
    """The map of depth up-scaling, but second copies of layers m…n-m-1 add nothing at first.

    The new model computes exactly what the base computes; training decides what the copies become.
    """
    plan = dus(base_layers, drop)
    repeated = set(plan.new_layers())
    slots = tuple(
        Slot(slot.source, "identity" if index in repeated else "copy")
        for index, slot in enumerate(plan.slots)
    )
    return LayerPlan(base_layers, slots, "identity", drop)


def interpose(base_layers: int, drop: int) -> LayerPlan:
    """Copy each of the layers m…n-m-1 beside itself (30 to 44 layers with m=8: 8…21 doubled)."""
    _check_drop(base_layers, drop)
    sources = [
        index
        for index in range(base_layers)
        for _ in range(2 if drop <= index < base_layers - drop else 1)
    ]
    return from_sources(sources, base_layers, method="interpose", drop=drop)


def llama_pro(base_layers: int, *, layers: int | None = None, drop: int | None = None) -> LayerPlan:
    """Insert an identity copy after each of `layers - n` evenly spaced groups of base layers.

    Without `layers`, a quarter of the base is added, as LLaMA Pro did (32 to 40).
    """
    if drop is not None:
        raise PlanError(
            "llama-pro drops no layers", where=f"--drop {drop}", mend="say how many with --layers"
        )
    total = base_layers + default_drop(base_layers) if layers is None else layers
    groups = total - base_layers
    if not 1 <= groups <= base_layers:
        raise PlanError(
            f"llama-pro cannot make {total} layers of {base_layers}",
            where=f"--layers {total}",
            mend=f"one copy follows each group: {base_layers + 1}-{2 * base_layers} layers",
        )
    # group g ends below layer (g+1)n/p, so groups differ by at most one layer
    ends = {(group + 1) * base_layers // groups - 1 for group in range(groups)}
    slots: list[Slot] = []
    for index in range(base_layers):
        slots.append(Slot(index))
        if index in ends:
            slots.append(Slot(index, "identity"))
    return LayerPlan(base_layers, tuple(slots), "llama-pro")


def stack(base_layers: int, *, layers: int | None = None, drop: int | None = None) -> LayerPlan:
    """Repeat the whole base; twice is depth up-scaling with m=0 (the paper's naive scaling)."""
    if drop:
        raise PlanError(
            "stack drops no layers", where=f"--drop {drop}", mend="use --method dus to drop layers"
        )
    total = 2 * base_layers if layers is None else layers
    if total < base_layers or total % base_layers:
        raise PlanError(
            f"stack cannot make {total} layers of {base_layers}",
            where=f"--layers {total}",
            mend=f"the whole base is repeated: {2 * base_layers}, {3 * base_layers}, … layers",
        )
    sources = [*range(base_layers)] * (total // base_layers)
    return from_sources(sources, base_layers, method="stack", drop=0)


def _resolve_drop(base_layers: int, drop: int | None, layers: int | None, method: str) -> int:
    if drop is not None:
        _check_drop(base_layers, drop)
        return drop
    if layers is None:
        return min(default_drop(base_layers), base_layers // 2)
    fewest, most = 2 * (base_layers - base_layers // 2), 2 * base_layers
    if layers % 2 or not fewest <= layers <= most:
        raise PlanError(
            f"{method} cannot make {layers} layers of {base_layers}",
            where=f"--layers {layers}",
            mend=f"it makes 2(n-m) layers: an even number from {fewest} (m={base_layers // 2}) "
            f"to {most} (m=0)",
        )
    return base_layers - layers // 2


def _check_drop(base_layers: int, drop: int) -> None:
    if not 0 <= drop <= base_layers // 2:
        raise PlanError(
            f"cannot drop {drop} of {base_layers} layers",
            where=f"--drop {drop}",
            mend=f"m runs from 0 to {base_layers // 2}: more would leave a hole in the middle",
        )
