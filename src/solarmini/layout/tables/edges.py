"""Rules of a page as edges: strokes, thin boxes and the sides of boxes, joined where they touch."""

from collections.abc import Iterable
from dataclasses import dataclass

from solarmini.layout.primitives import Box, Drawing, PageContent

NEAR = 2.0  # points within which two edges are the same line (double rules, sloppy drawing)
_GAP = 3.0  # points of white that still join two pieces of a rule
_WHITE = 0xFFFFFF
_MOST = 2000  # edges of one direction on a page


@dataclass(frozen=True, slots=True)
class Edge:
    """A straight edge: `at` is its y (horizontal) or x (vertical), from `start` to `end`.

    `soft` edges are sides of filled boxes: they part cells, but nobody drew a line.
    """

    at: float
    start: float
    end: float
    soft: bool = False

    @property
    def length(self) -> float:
        """Points from start to end."""
        return self.end - self.start

    def covers(self, start: float, end: float) -> float:
        """Share of start..end along which this edge runs."""
        shared = min(self.end, end) - max(self.start, start)
        return max(shared, 0.0) / max(end - start, 1e-6)


@dataclass(frozen=True, slots=True)
class Edges:
    """All edges of a page (or of a part of it), each list sorted by place."""

    horizontal: list[Edge]
    vertical: list[Edge]

    def outside(self, boxes: "Iterable[Box]") -> "Edges":
        """Edges without the soft ones that lie in one of `boxes`, whose rules say enough."""
        kept = self.off(boxes)
        return Edges(
            [e for e in self.horizontal if not e.soft or e in kept.horizontal],
            [e for e in self.vertical if not e.soft or e in kept.vertical],
        )

    def off(self, boxes: "Iterable[Box]") -> "Edges":
        """Edges that do not lie in any of `boxes`."""
        areas = [box.grown(NEAR) for box in boxes]

        def free(edge: Edge, horizontal: bool) -> bool:
            middle = (edge.start + edge.end) / 2
            x, y = (middle, edge.at) if horizontal else (edge.at, middle)
            return not any(a.left <= x <= a.right and a.top <= y <= a.bottom for a in areas)

        return Edges(
            [e for e in self.horizontal if free(e, True)],
            [e for e in self.vertical if free(e, False)],
        )

    def within(self, box: Box, slack: float = NEAR + 1.0) -> "Edges":
        """Edges that lie in `box`, cut to it."""
        area = box.grown(slack)
        return Edges(
            _cut(self.horizontal, area.top, area.bottom, area.left, area.right),
            _cut(self.vertical, area.left, area.right, area.top, area.bottom),
        )


def _cut(edges: Iterable[Edge], low: float, high: float, start: float, end: float) -> list[Edge]:
    cut = (
        Edge(e.at, max(e.start, start), min(e.end, end), e.soft)
        for e in edges
        if low <= e.at <= high
    )
    return [e for e in cut if e.length > 1.0]


def page_edges(content: PageContent) -> tuple[Edges, Edges]:
    """Collect the edges of a page: those that are drawn, and those with the sides of fills."""
    flat: list[Edge] = []
    tall: list[Edge] = []
    for rule in content.rules:
        box = rule.box
        if rule.horizontal:
            flat.append(Edge((box.top + box.bottom) / 2, box.left, box.right))
        else:
            tall.append(Edge((box.left + box.right) / 2, box.top, box.bottom))
    soft_flat: list[Edge] = []
    soft_tall: list[Edge] = []
    for drawing in _outer([d for d in content.drawings if _is_cell(d, content)][:_MOST]):
        box, soft = drawing.box, drawing.filled
        level = [Edge(y, box.left, box.right, soft) for y in (box.top, box.bottom)]
        upright = [Edge(x, box.top, box.bottom, soft) for x in (box.left, box.right)]
        if soft:
            soft_flat += level
            soft_tall += upright
        else:
            flat += level
            tall += upright
    drawn = Edges(_longest(join(flat)), _longest(join(tall)))
    every = Edges(_longest(join(flat + soft_flat)), _longest(join(tall + soft_tall)))
    return drawn, every


def _outer(drawings: list[Drawing]) -> list[Drawing]:
    """Leave out fills within a fill of the same colour: they part nothing."""
    kept: list[Drawing] = []
    by_color: dict[int, list[Box]] = {}
    for drawing in sorted(drawings, key=lambda d: -d.box.area):
        around = by_color.setdefault(drawing.color if drawing.filled else -1, [])
        if drawing.filled and any(drawing.box.inside(box) > 0.98 for box in around[-200:]):
            continue
        around.append(drawing.box)
        kept.append(drawing)
    return kept


def _longest(edges: list[Edge]) -> list[Edge]:
    """Bound what a page of hatching costs: keep the longest edges."""
    if len(edges) <= _MOST:
        return edges
    return sorted(sorted(edges, key=lambda e: -e.length)[:_MOST], key=lambda e: (e.at, e.start))


def _is_cell(drawing: Drawing, content: PageContent) -> bool:
    """Whether a box may be (the background of) a cell, a row or a table."""
    box = drawing.box
    if not drawing.rectangle or drawing.curved or min(box.width, box.height) < 5.0:
        return False
    if drawing.filled and drawing.color & _WHITE == _WHITE:
        return False
    return box.area < 0.9 * content.width * content.height


def join(edges: Iterable[Edge]) -> list[Edge]:
    """Merge pieces of one line, and lines drawn twice; a hard piece makes the whole hard."""
    joined: list[Edge] = []
    for level in levels(edges):
        pieces = sorted(level, key=lambda e: e.start)
        run = [pieces[0]]
        end = pieces[0].end
        for piece in pieces[1:]:
            if piece.start <= end + _GAP:
                run.append(piece)
                end = max(end, piece.end)
            else:
                joined.append(_one(run))
                run, end = [piece], piece.end
        joined.append(_one(run))
    return sorted(joined, key=lambda e: (e.at, e.start))


def _one(run: list[Edge]) -> Edge:
    hard = [e for e in run if not e.soft] or run
    total = sum(e.length for e in hard) or 1.0
    at = sum(e.at * e.length for e in hard) / total if total > 1.0 else hard[0].at
    return Edge(at, min(e.start for e in run), max(e.end for e in run), hard is run and run[0].soft)


def levels(edges: Iterable[Edge], near: float = NEAR) -> list[list[Edge]]:
    """Group edges that lie on one line, in order of place."""
    groups: list[list[Edge]] = []
    for edge in sorted(edges, key=lambda e: e.at):
        if groups and edge.at - groups[-1][0].at <= near:
            groups[-1].append(edge)
        else:
            groups.append([edge])
    return groups


def cluster(values: Iterable[float], near: float) -> list[float]:
    """Means of the groups of values that lie within `near` of their neighbours' first."""
    groups: list[list[float]] = []
    for value in sorted(values):
        if groups and value - groups[-1][0] <= near:
            groups[-1].append(value)
        else:
            groups.append([value])
    return [sum(g) / len(g) for g in groups]
