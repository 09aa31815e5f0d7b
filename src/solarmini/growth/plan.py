"""A growth plan: which base layer every layer of the new model is, as pure data.

Nothing here reads a file. `methods` holds the named ways to make a plan; the writer carries any
plan out, whatever made it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

from solarmini.errors import PlanError

Transform = Literal["copy", "identity", "attenuate"]
_RANGE = re.compile(r"^(\d+)(?:-(\d+))?$")


@dataclass(frozen=True, slots=True)
class Slot:
    """One layer of the new model.

    `source` is the layer of base model number `model` it is made of; `transform` says how: "copy"
    bit for bit, "identity" so that the layer adds nothing at the start, "attenuate" so that it adds
    a fraction of what it added before.
    """

    source: int
    transform: Transform = "copy"
    model: int = 0


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """The layers of the new model from bottom to top, for a base of `base_layers` layers.

    With several base models (`Slot.model` > 0) all have `base_layers` layers. `drop` is the m of
    depth up-scaling where the plan has one, `attenuation` the factor of "attenuate" slots.
    """

    base_layers: int
    slots: tuple[Slot, ...]
    method: str = "plan"
    drop: int | None = None
    attenuation: float | None = None

    def __post_init__(self) -> None:
        """Refuse a plan that is empty or reaches beyond the base."""
        if self.base_layers < 1:
            raise PlanError("the base has no layers")
        if not self.slots:
            raise PlanError(
                "the plan is empty: a model needs at least one layer",
                mend=f"the base gives layers 0-{self.base_layers - 1}",
            )
        beyond = sorted({s.source for s in self.slots if not 0 <= s.source < self.base_layers})
        if beyond:
            raise PlanError(
                f"the base cannot give layer {', '.join(map(str, beyond[:5]))}",
                mend=f"it has {self.base_layers} layers: 0-{self.base_layers - 1}",
            )

    def __len__(self) -> int:
        """Return the number of layers of the new model."""
        return len(self.slots)

    @property
    def sources(self) -> tuple[int, ...]:
        """The layer map: base layer of every new layer."""
        return tuple(slot.source for slot in self.slots)

    @property
    def models(self) -> int:
        """Number of base models the plan draws on."""
        return max(slot.model for slot in self.slots) + 1

    @property
    def is_base(self) -> bool:
        """Whether the new model is the base itself, layer by layer."""
        return self.slots == tuple(Slot(index) for index in range(self.base_layers))

    def duplicated_layers(self) -> tuple[int, ...]:
        """New layers whose base layer is used more than once, first uses included."""
        uses = Counter((slot.model, slot.source) for slot in self.slots)
        return tuple(i for i, s in enumerate(self.slots) if uses[s.model, s.source] > 1)

    def new_layers(self) -> tuple[int, ...]:
        """New layers that repeat a base layer which a lower layer has used already."""
        seen: set[tuple[int, int]] = set()
        repeated = []
        for index, slot in enumerate(self.slots):
            if (slot.model, slot.source) in seen:
                repeated.append(index)
            seen.add((slot.model, slot.source))
        return tuple(repeated)

    def seams(self) -> tuple[int, ...]:
        """New layers that do not follow the layer below them as they did in the base."""
        return tuple(
            index
            for index, (below, above) in enumerate(pairwise(self.slots), start=1)
            if (above.model, above.source) != (below.model, below.source + 1)
        )

    def seam_layers(self, width: int = 2) -> tuple[int, ...]:
        """New layers within `width` layers of a seam, on both sides (30 layers, m=8: 20…23)."""
        if width < 1:
            raise PlanError(f"a seam is at least 1 layer wide on each side, not {width}")
        near = {
            index
            for seam in self.seams()
            for index in range(max(seam - width, 0), min(seam + width, len(self.slots)))
        }
        return tuple(sorted(near))

    def ranges(self) -> str:
        """Return the layer map as inclusive ranges, as `--plan` takes it (\"0-23,8-31\")."""
        edges = [0, *self.seams(), len(self.slots)]
        parts = []
        for start, end in pairwise(edges):
            first, last = self.slots[start].source, self.slots[end - 1].source
            parts.append(str(first) if first == last else f"{first}-{last}")
        return ",".join(parts)

    def attenuated(self, factor: float) -> "LayerPlan":
        """Scale what every duplicated layer, both copies, adds to the residual stream."""
        if not 0 < factor < 1:
            raise PlanError(f"an attenuation of {factor} is not between 0 and 1")
        if any(slot.transform == "identity" for slot in self.slots):
            raise PlanError(
                "copies that start as identity add nothing that could be attenuated",
                mend="leave --attenuate out, or use --method dus",
            )
        doubled = set(self.duplicated_layers())
        if not doubled:
            raise PlanError("no layer is used twice, so there is nothing to attenuate")
        slots = tuple(
            Slot(slot.source, "attenuate" if index in doubled else slot.transform, slot.model)
            for index, slot in enumerate(self.slots)
        )
        return LayerPlan(self.base_layers, slots, self.method, self.drop, factor)

    def to_dict(self) -> dict[str, Any]:
        """Return the form kept in a manifest's `growth`."""
        return {
            "method": self.method,
            "base_layers": self.base_layers,
            "drop": self.drop,
            "attenuation": self.attenuation,
            "plan": [
                {"source": slot.source, "transform": slot.transform, "model": slot.model}
                for slot in self.slots
            ],
        }

    @classmethod
    def from_dict(cls, growth: Mapping[str, Any]) -> "LayerPlan":
        """Read a manifest's `growth` back; PlanError when it is not one."""
        try:
            slots = tuple(
                Slot(int(row["source"]), row["transform"], int(row["model"]))
                for row in growth["plan"]
            )
            base, method = int(growth["base_layers"]), str(growth["method"])
        except (KeyError, TypeError, ValueError) as error:
            raise PlanError(f"not a growth plan: {error!r}", where="growth") from None
        unknown = {slot.transform for slot in slots} - set(get_args(Transform))
        if unknown:
            raise PlanError(f"unknown transform {sorted(unknown)[0]!r}", where="growth")
        return cls(base, slots, method, growth.get("drop"), growth.get("attenuation"))


def parse_ranges(text: str, base_layers: int) -> LayerPlan:
    """Make a plan of inclusive ranges and single layers such as "0-23,8-31" or "0-3,3,4-7"."""
    slots: list[Slot] = []
    for part in text.replace(" ", "").split(","):
        match = _RANGE.match(part)
        if not match:
            raise PlanError(
                f"'{part}' is not a layer or a range of layers",
                where=f'--plan "{text}"',
                mend=f'write inclusive ranges such as "0-{base_layers - 1}" or single layers',
            )
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if last < first:
            raise PlanError(f"the range '{part}' runs backwards", where=f'--plan "{text}"')
        if last >= base_layers:
            raise PlanError(
                f"the base cannot give layer {last}",
                where=f'--plan "{text}"',
                mend=f"it has {base_layers} layers: 0-{base_layers - 1}",
            )
        slots += [Slot(index) for index in range(first, last + 1)]
    return LayerPlan(base_layers, tuple(slots))


def from_sources(sources: Iterable[int], base_layers: int, **fields: Any) -> LayerPlan:
    """Make a plan that copies the given base layers in order."""
    return LayerPlan(base_layers, tuple(Slot(index) for index in sources), **fields)
