"""Readings of places as tables, and which of them to believe."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solarmini.layout.primitives import Box, Line
from solarmini.layout.tables.grid import Grid


@dataclass(slots=True)
class Candidate:
    """A reading of a place as a table: how sure it is one (score), how well the grid fits."""

    grid: Grid
    lines: list[Line]
    box: Box
    score: float
    fit: float
    drawn: bool = False  # rules part its cells both ways


def choose(pool: Iterable[Candidate]) -> list[Candidate]:
    """Take the best readings that do not overlap; of equally good ones those that say more."""
    every = list(pool)
    chosen: list[Candidate] = []
    for candidate in sorted(every, key=_weight, reverse=True):
        if any(_is_part(candidate, other) for other in every):
            continue
        if not any(_overlap(candidate.box, other.box) for other in chosen):
            chosen.append(candidate)
    return chosen


def _weight(candidate: Candidate) -> float:
    words = sum(len(line.words) for line in candidate.lines)
    return candidate.score * candidate.fit**2 * words**0.35


def _overlap(a: Box, b: Box) -> bool:
    return a.overlap(b) > 0.1 * min(a.area, b.area)


def _is_part(candidate: Candidate, other: Candidate) -> bool:
    """Whether `other` reads the same place and more, about as well."""
    return (
        other.box.area > 1.05 * candidate.box.area
        and candidate.box.inside(other.box) > 0.95
        and other.fit >= 0.93 * candidate.fit
        and other.score >= 0.9 * candidate.score
    )


def lies_in(box: Box, zones: Sequence[Box]) -> bool:
    """Whether a good part of a box, or of a zone, is shared with one of `zones`."""
    return any(box.overlap(zone) > 0.3 * min(box.area, zone.area) for zone in zones)
