"""Numbering of DOCX paragraphs: which marker Word would print (ECMA-376 part 1, 17.9)."""

import re
from dataclasses import dataclass, field
from typing import Any

from solarmini.layout.office.markers import bullet, number_text
from solarmini.layout.stated import stated_number

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@dataclass(frozen=True, slots=True)
class _Level:
    kind: str  # numFmt
    text: str  # lvlText: "%1.%2."
    start: int
    style: str | None  # paragraph style linked to the level


@dataclass(frozen=True, slots=True)
class Marker:
    """A printed marker, its level from 0, and whether it counts."""

    text: str
    level: int
    ordered: bool


@dataclass(slots=True)
class Numbering:
    """Definitions of a document and the counters as they stand."""

    _levels: dict[str, dict[int, _Level]] = field(default_factory=dict)  # by numId
    _abstract: dict[str, str] = field(default_factory=dict)  # numId -> abstractNumId
    _starts: dict[tuple[str, int], int] = field(default_factory=dict)  # overrides
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)  # by abstractNumId
    _seen: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, root: Any) -> "Numbering":
        """Read the element w:numbering; None gives an empty numbering."""
        numbering = cls()
        if root is None:
            return numbering
        abstract: dict[str, dict[int, _Level]] = {}
        for node in root.iterfind(f"{W}abstractNum"):
            levels = {_int(lvl, "ilvl"): _read_level(lvl) for lvl in node.iterfind(f"{W}lvl")}
            abstract[node.get(f"{W}abstractNumId", "")] = levels
        for node in root.iterfind(f"{W}num"):
            number = node.get(f"{W}numId", "")
            link = node.find(f"{W}abstractNumId")
            source = link.get(f"{W}val", "") if link is not None else ""
            levels = dict(abstract.get(source, {}))
            for override in node.iterfind(f"{W}lvlOverride"):
                level = _int(override, "ilvl")
                own = override.find(f"{W}lvl")
                if own is not None:
                    levels[level] = _read_level(own)
                start = override.find(f"{W}startOverride")
                if start is not None:
                    numbering._starts[number, level] = _int(start, "val")
            numbering._levels[number] = levels
            numbering._abstract[number] = source
        return numbering

    def next(self, number: str, level: int) -> Marker | None:
        """Count one paragraph of list `number` at `level`; None where it has no marker."""
        levels = self._levels.get(number)
        if not levels or level not in levels:
            return None
        counts = self._counts.setdefault(self._abstract[number], {})
        if number not in self._seen:
            self._seen.add(number)
            for (owner, at), start in self._starts.items():
                if owner == number:
                    counts[at] = start - 1
        counts[level] = counts.get(level, levels[level].start - 1) + 1
        for deeper in [at for at in counts if at > level]:
            del counts[deeper]
        one = levels[level]
        if one.kind in ("bullet", "none"):
            marker = bullet(one.text) if one.kind == "bullet" else ""
            return Marker(marker, level, ordered=False)

        def shown(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            of = levels.get(at)
            count = counts.get(at, of.start if of else 1)
            return number_text(count, of.kind if of else "decimal")

        return Marker(re.sub(r"%(\d)", shown, one.text), level, ordered=True)


def _read_level(node: Any) -> _Level:
    def value(name: str, otherwise: str) -> str:
        child = node.find(f"{W}{name}")
        return child.get(f"{W}val", otherwise) if child is not None else otherwise

    start = value("start", "1")
    return _Level(
        kind=value("numFmt", "decimal"),
        text=value("lvlText", ""),
        start=stated_number(start, 1, least=-100_000),
        style=value("pStyle", "") or None,
    )


def _int(node: Any, name: str) -> int:
    return stated_number(node.get(f"{W}{name}"), least=-100_000)
