"""The layer map as a picture for the terminal: columns are base layers, rows are their uses."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from solarmini.growth.plan import LayerPlan

if TYPE_CHECKING:
    from rich.text import Text

_STYLES = {"copy": "on grey23", "identity": "black on magenta", "attenuate": "black on yellow"}
_DOUBLED = "black on cyan"
_MARKS = {"copy": " ", "identity": "=", "attenuate": "~"}
_LABEL = 4  # the width of "old " and "1st "; 32 base layers then fit into 100 columns
_MAX_RUNS = 4  # more runs than this share rows: the first use of each layer, the second, …


def layer_map(plan: LayerPlan, width: int = 100) -> "Text":
    """Draw which base layer every new layer is, in at most `width` columns.

    Each column is a base layer ("old"); the rows below hold the numbers of the new layers made of
    it, first use, second use and so on. Marks read without colour: `>` the layer below a seam, `=`
    starts as identity, `~` attenuated, and a line under the columns used twice or more.
    """
    from rich.text import Text

    digits = max(len(str(len(plan) - 1)), 2)
    cell = digits + 1
    lanes = _lanes(plan)
    columns = max((width - _LABEL) // cell, 1)
    text = Text(no_wrap=True)
    text.append(
        f"{plan.base_layers} base layers -> {len(plan)} layers   {_summary(plan)}\n", "bold"
    )
    for start in range(0, plan.base_layers, columns):
        stop = min(start + columns, plan.base_layers)
        _draw(text, plan, lanes, range(start, stop), digits)
    _legend(text, plan)
    return text


def _lanes(plan: LayerPlan) -> list[dict[int, int]]:
    """Sort new layers into rows: {base layer: new layer}."""
    seams = plan.seams()
    if len(seams) < _MAX_RUNS:
        edges = [0, *seams, len(plan)]
        return [
            {plan.slots[new].source: new for new in range(begin, end)}
            for begin, end in pairwise(edges)
        ]
    lanes: list[dict[int, int]] = []
    for new, slot in enumerate(plan.slots):
        lane = next((lane for lane in lanes if slot.source not in lane), None)
        if lane is None:
            lane = {}
            lanes.append(lane)
        lane[slot.source] = new
    return lanes


def _draw(
    text: "Text",
    plan: LayerPlan,
    lanes: Sequence[dict[int, int]],
    bases: range,
    digits: int,
) -> None:
    uses = {base: sum(base in lane for lane in lanes) for base in bases}
    before_seam = {seam - 1 for seam in plan.seams()}
    text.append("old ", "dim")
    for base in bases:
        text.append(f"{base:{digits}d} ", "dim")
    text.append("\n")
    for number, lane in enumerate(lanes, start=1):
        if not any(base in lane for base in bases):
            continue
        text.append(f"{_ordinal(number):{_LABEL}}", "dim")
        for base in bases:
            _cell(text, plan, lane.get(base), uses[base] > 1, before_seam, digits)
        text.append("\n")
    if any(count > 1 for count in uses.values()):
        text.append(f"{'x2' if max(uses.values()) == 2 else 'x2+':{_LABEL}}", "dim")
        for base in bases:
            text.append(("━" if uses[base] > 1 else " ") * digits + " ", "cyan")
        text.append("\n")
    if any(count == 0 for count in uses.values()):
        missing = ", ".join(str(base) for base in bases if not uses[base])
        text.append(f"     left out: {missing}\n", "red")


def _cell(
    text: "Text",
    plan: LayerPlan,
    new: int | None,
    doubled: bool,
    before_seam: set[int],
    digits: int,
) -> None:
    if new is None:
        text.append(" " * (digits - 1) + "· ", "dim")
        return
    transform = plan.slots[new].transform
    style = _DOUBLED if doubled and transform == "copy" else _STYLES[transform]
    text.append(f"{new:{digits}d}", style)
    mark = _MARKS[transform]
    if new in before_seam and transform == "copy":
        text.append(">", "bold red")
    else:
        text.append(mark, style)


def _summary(plan: LayerPlan) -> str:
    parts = [plan.method]
    if plan.drop is not None:
        parts.append(f"m={plan.drop}")
    if plan.attenuation is not None:
        parts.append(f"gates x {plan.attenuation:.3f}")
    return ", ".join(parts)


def _legend(text: "Text", plan: LayerPlan) -> None:
    seams = plan.seams()
    if 0 < len(seams) < _MAX_RUNS:
        for seam in seams:
            below, above = plan.slots[seam - 1], plan.slots[seam]
            text.append("> seam: ", "bold red")
            text.append(
                f"layer {seam - 1} (base {below.source}) feeds layer {seam} (base {above.source}), "
                f"{_jump(above.source - below.source)}\n"
            )
    elif seams:
        text.append("> seams: ", "bold red")
        text.append(f"{len(seams)} places where the layer above is not the base's next\n")
    transforms = {slot.transform for slot in plan.slots}
    if "identity" in transforms:
        text.append("= ", _STYLES["identity"])
        text.append("a copy that adds nothing at the start\n")
    if "attenuate" in transforms:
        text.append("~ ", _STYLES["attenuate"])
        text.append("a copy that adds a fraction of what it added\n")


def _jump(distance: int) -> str:
    if distance == 0:
        return "the same layer again"
    count = "1 layer" if abs(distance) == 1 else f"{abs(distance)} layers"
    return f"{count} {'ahead' if distance > 0 else 'back'} in the base"


def _ordinal(number: int) -> str:
    if number > 9:
        return f"{number}."
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")
