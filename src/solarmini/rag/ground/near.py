"""Does the context say of a value what the claim says of it, or of another value of its kind?

A value is near the other words of its claim where the context speaks of it. nearness(v) = sum over
the claim's other units q of weight(q) * max over their places of exp(-distance / REACH), halved
across sentences, divided by what all of them weigh; the best place of v counts. A rival is a value
of the same kind that the claim does not have.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from solarmini.rag.ground.align import weight
from solarmini.rag.ground.passages import Context
from solarmini.rag.ground.words import Unit

REACH = 5.0  # units
_MOST_PLACES = 12  # of one word that are looked at
_MOST_RIVALS = 40


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near the claim's words are to the value, and to the nearest of its rivals."""

    value: float
    rival: float
    rival_key: str


def nearness(at: Sequence[int], said: Sequence[Unit], context: Context) -> Nearness:
    """Measure the value that the units `at` of a claim make."""
    inside = set(at)
    keys = {said[i].key for i in inside}
    others = {u.key: weight(u) for i, u in enumerate(said) if i not in inside and u.key not in keys}
    places = {key: context.places[key][:_MOST_PLACES] for key in others if key in context.places}
    total = sum(others.values())
    if not places:
        return Nearness(0.0, 0.0, "")
    own = [place for key in keys for place in context.places.get(key, ())[:_MOST_PLACES]]
    best = max((_near(place, places, others, context) for place in own), default=0.0)
    claimed = {unit.key for unit in said}
    kinds = {said[i].kind for i in inside}
    rival, name = 0.0, ""
    for place in _candidates(places, kinds, claimed, context):
        near = _near(place, places, others, context)
        if near > rival:
            rival, name = near, context.units[place].key
    return Nearness(best / total, rival / total, name)


def _candidates(
    places: dict[str, list[int]], kinds: set[str], claimed: set[str], context: Context
) -> list[int]:
    """Return the places of values of these kinds in the sentences that speak of the claim."""
    count: dict[int, int] = {}
    for found in places.values():
        for sentence in {context.sentence_of[place] for place in found}:
            count[sentence] = count.get(sentence, 0) + 1
    chosen: list[int] = []
    for sentence in sorted(count, key=lambda each: -count[each])[:3]:
        for place in context.places_of[sentence]:
            unit = context.units[place]
            if unit.kind in kinds and unit.key not in claimed:
                chosen.append(place)
    return chosen[:_MOST_RIVALS]


def _near(
    place: int, places: dict[str, list[int]], weights: dict[str, float], context: Context
) -> float:
    total = 0.0
    home = context.sentence_of[place]
    for key, found in places.items():
        best = 0.0
        for other in found:
            closeness = math.exp(-abs(other - place) / REACH)
            if context.sentence_of[other] != home:
                closeness /= 2
            best = max(best, closeness)
        total += weights[key] * best
    return total
