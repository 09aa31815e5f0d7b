"""Figures and charts of a page: pictures, and clusters of drawings that are not cells of a table.

Drawings and rules that stand close together are one cluster. A cluster counts as drawn matter when
it has bars (boxes that share a base line and end at different heights), curves, slanted paths or
boxes strewn about; frames around text, backgrounds and decoration do not.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from solarmini.layout.primitives import (
    Box,
    Drawing,
    FoundFigure,
    FoundTable,
    Line,
    PageContent,
    Region,
    Rule,
    union,
)
from solarmini.layout.values import is_value

_WHITE = 0xFFFFFF
_NEAR = 6.0  # points between drawings of one cluster
_MOST = 1500  # drawings looked at on a page
_SMALLEST = 24.0  # points, width and height of a figure
_BACKGROUND = 0.55  # share of the page from which a drawing is paper, not content
_DPI = 72.0  # at which pictures are looked at
_FULL = 0.3  # share of a box that text takes, from which it is text
_BACKED = 0.15  # share of a model's figure that ink must fill on a scan
_REGION = 0.5  # score from which a model's figure is believed


@dataclass(slots=True)
class Cluster:
    """Drawings and rules close together, and the box around them."""

    box: Box
    drawings: list[Drawing] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)


def find_figures(
    content: PageContent, tables: Sequence[FoundTable], regions: Sequence[Region] = ()
) -> list[FoundFigure]:
    """Return figures and charts, top to bottom, each with the lines printed in it.

    None overlaps a table. A page that is itself a picture (a scan) has figures only where a layout
    model saw some. Every line is in one figure at most.
    """
    taken = [table.box for table in tables]
    used = {id(line) for table in tables for line in table.lines}
    lines = [line for line in content.lines if id(line) not in used]
    found: list[tuple[Box, bool]] = []
    if content.marked or not content.scanned:
        found += [(box, False) for box in _pictures(content, lines)]
        found += [(c.box, True) for c in clusters(content) if is_drawn(c, lines)]
    found = _merge(found)
    found += _seen(content, regions, [box for box, _ in found])
    figures: list[FoundFigure] = []
    for box, drawn in found:
        if any(box.overlap(t) > 0.3 * min(box.area, t.area) for t in taken):
            continue
        wide = _with_labels(box, lines, taken) if drawn else box
        figures.append(FoundFigure(wide, False, [], 0.9 if drawn else 0.95))
    figures = [f for f in figures if f.box.width >= _SMALLEST and f.box.height >= _SMALLEST]
    figures = _disjoint(figures)
    _share_out(figures, lines)
    plotted = _plotted(content, [f.box for f in figures if not _vector(f.box, content)])
    for figure in figures:
        figure.chart = is_chart(figure, content) or figure.box in plotted
    return sorted(figures, key=lambda f: (f.box.top, f.box.left))


def chart_zones(content: PageContent) -> list[Box]:
    """Boxes of what is drawn with bars or curves: tables are not looked for there."""
    zones = [
        c.box for c in clusters(content) if _bars(c.drawings) or len(_slanted(c.drawings)) >= 2
    ]
    return zones + _bars_apart(content) if content.marked else zones


def _bars_apart(content: PageContent) -> list[Box]:
    """Boxes around bars of one colour on a scan that stand too far apart for a cluster."""
    fills = [d for d in content.drawings if d.filled and d.rectangle]
    bars = [d for d in fills if not any(ln.box.inside(d.box) > 0.6 for ln in content.lines)]
    found = []
    for color in {d.color for d in bars}:
        own = [d.box for d in bars if d.color == color]
        for ends in ([(b.left, b.right) for b in own], [(-b.bottom, -b.top) for b in own]):
            base = max(ends, key=lambda e: sum(abs(o[0] - e[0]) < 2 for o in ends))[0]
            on = [(e[1], b) for e, b in zip(ends, own, strict=True) if abs(e[0] - base) < 2]
            if len({round(tip / 2) for tip, _ in on}) >= 3 and len(on) >= 4:
                found.append(union(b for _, b in on))
    return found


def drawn_zones(content: PageContent, regions: Sequence[Region]) -> list[Box]:
    """Boxes of drawings on a scan, by their strokes or by what a model saw around some."""
    drawn = [c.box for c in clusters(content) if is_drawn(c, content.lines)]
    seen = (r.box for r in regions if r.label == "figure" and r.score >= _REGION)
    return drawn + [box for box in seen if _is_backed(box, content)]


def _is_backed(box: Box, content: PageContent) -> bool:
    """Whether strokes, photographs, or fills without text take a good part of a box of a scan.

    Where the pixels were not looked at, what a model saw is believed.
    """
    if not content.marked:
        return True
    lines = [line.box for line in content.lines if line.box.overlap(box) > 0]
    shapes = [
        d.box
        for d in content.drawings
        if not d.rectangle or not any(line.inside(d.box) > 0.5 for line in lines)
    ]
    shapes += [p.box for p in content.pictures]
    return sum(shape.overlap(box) for shape in shapes) > _BACKED * box.area


def clusters(content: PageContent) -> list[Cluster]:
    """Group drawings and rules that stand close together; only groups with drawings."""
    page = content.width * content.height
    marks = [d for d in content.drawings if _is_mark(d) and d.box.area < _BACKGROUND * page]
    if not marks:
        return []
    marks = sorted(marks, key=lambda d: -d.box.area)[:_MOST]
    rules = [r for r in content.rules if r.box.width < 0.9 * content.width][:_MOST]
    boxes = np.array([d.box for d in marks] + [r.box for r in rules])
    groups: dict[int, Cluster] = {}
    for at, root in enumerate(_components(boxes, _NEAR)):
        item = marks[at] if at < len(marks) else rules[at - len(marks)]
        group = groups.setdefault(root, Cluster(item.box))
        group.box = union((group.box, item.box))
        if isinstance(item, Drawing):
            group.drawings.append(item)
        else:
            group.rules.append(item)
    return [g for g in groups.values() if g.drawings]


def _components(boxes: np.ndarray, near: float) -> list[int]:
    """Label (n, 4) boxes: those within `near` of one another share a label."""
    parent = list(range(len(boxes)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for at in range(len(boxes) - 1):
        rest = boxes[at + 1 :]
        box = boxes[at]
        close = (rest[:, 0] <= box[2] + near) & (rest[:, 2] >= box[0] - near)
        close &= (rest[:, 1] <= box[3] + near) & (rest[:, 3] >= box[1] - near)
        for other in np.flatnonzero(close):
            parent[root(at)] = root(at + 1 + int(other))
    return [root(at) for at in range(len(boxes))]


def _is_mark(drawing: Drawing) -> bool:
    """Whether a drawing can be seen and is more than a speck."""
    if drawing.filled and drawing.color & _WHITE == _WHITE:
        return False
    return max(drawing.box.width, drawing.box.height) >= 1.5


def _slanted(drawings: Iterable[Drawing]) -> list[Drawing]:
    """Curves and slanted strokes, larger than letters."""
    return [d for d in drawings if not d.rectangle and min(d.box.width, d.box.height) >= 22.0]


def _bars(drawings: Sequence[Drawing]) -> bool:
    """Whether filled boxes are bars: on one base line, with ends that differ."""
    boxes = [
        d.box
        for d in drawings
        if d.rectangle and d.filled and min(d.box.width, d.box.height) >= 2.0
    ]
    if len(boxes) < 3:
        return False
    upright = [(b.left, b.right, b.top, b.bottom) for b in boxes]
    lying = [(b.top, b.bottom, b.left, b.right) for b in boxes]
    return _is_bar_chart(upright) or _is_bar_chart(lying)


def _is_bar_chart(spans: Sequence[tuple[float, float, float, float]]) -> bool:
    """`spans`: (side, side, low, high); bars are groups of equal sides, parted by white or not."""
    groups: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for a, b, low, high in spans:
        groups.setdefault((round(a / 2), round(b / 2)), []).append((low, high))
    if len(groups) < 3 or _overlapping(list(groups)):
        return False
    stacks = list(groups.values())
    ends = [e for g in stacks for pair in g for e in pair]
    base = max(set(map(round, ends)), key=lambda y: _touching(stacks, y))
    standing = [g for g in stacks if any(abs(e - base) <= 1.5 for pair in g for e in pair)]
    if len(standing) < max(3, 0.5 * len(stacks)):
        return False
    tips = {round(e) for g in standing for pair in g for e in pair if abs(e - base) > 1.5}
    shared = [_touching(standing, tip) / len(standing) for tip in tips]
    # cells of a table share their edges, the ends of bars are where the values are
    return len(tips) >= 2 and sum(shared) <= 0.4 * len(shared)


def _overlapping(sides: Sequence[tuple[int, int]]) -> bool:
    """Whether boxes of different width stand over one another: cells that span, not bars."""
    ordered = sorted(sides)
    for (a, b), (c, d) in itertools.pairwise(ordered):
        shared = min(b, d) - max(a, c)
        narrow, wide = sorted((b - a, d - c))
        if shared > 0.3 * max(narrow, 1) and narrow < 0.8 * wide and shared > 3:
            return True
    return False


def _touching(stacks: Sequence[Sequence[tuple[float, float]]], place: float) -> int:
    return sum(any(abs(e - place) <= 1.5 for pair in g for e in pair) for g in stacks)


def is_drawn(cluster: Cluster, lines: Sequence[Line]) -> bool:
    """Whether a cluster is a drawing to be shown, not decoration, a frame or a background."""
    box = cluster.box
    if box.width < 1.5 * _SMALLEST or box.height < 1.5 * _SMALLEST:
        return False
    inside = [line for line in lines if line.box.inside(box) > 0.7]
    prose = sum(len(line.words) >= 7 for line in inside)
    if prose > 4 and prose > 0.4 * len(inside):
        return False
    if _bars(cluster.drawings):
        return True
    slanted = _slanted(cluster.drawings)
    paths = [d for d in cluster.drawings if not d.rectangle]
    sketch = any(min(d.box.width, d.box.height) >= 3 * _SMALLEST for d in slanted)
    if (
        len(slanted) >= 2
        or (sketch and not prose)
        or (slanted and len(cluster.drawings) + len(cluster.rules) >= 6)
    ):
        return True
    if len(paths) >= 12 and min(box.width, box.height) >= 2.5 * _SMALLEST:
        return True
    boxes = [d for d in cluster.drawings if d.rectangle and min(d.box.width, d.box.height) > 8]
    strewn = len({(round(d.box.left / 3), round(d.box.top / 3)) for d in boxes})
    return strewn >= 4 and len(paths) >= 3 and not prose


def _pictures(content: PageContent, lines: Sequence[Line]) -> list[Box]:
    """Pictures that are content: no backgrounds, no specks, no logos in the margins."""
    page = content.width * content.height
    kept: list[Box] = []
    for picture in content.pictures:
        box = _on_page(picture.box, content)
        if min(box.width, box.height) < _SMALLEST or min(picture.pixels) < 16:
            continue
        if box.area > _BACKGROUND * page and sum(ln.box.inside(box) > 0.7 for ln in lines) > 5:
            continue
        margin = box.bottom < 0.11 * content.height or box.top > 0.9 * content.height
        if margin and box.area < 0.03 * page:
            continue
        if box.area < 0.004 * page:
            continue
        prose = sum(ln.box.inside(box) > 0.7 and len(ln.words) >= 7 for ln in lines)
        if prose > 6:
            continue  # a background to text
        kept.append(box)
    return kept


def _on_page(box: Box, content: PageContent) -> Box:
    return Box(
        max(box.left, 0.0),
        max(box.top, 0.0),
        min(box.right, content.width),
        min(box.bottom, content.height),
    )


def _merge(found: Sequence[tuple[Box, bool]]) -> list[tuple[Box, bool]]:
    """Join boxes that overlap or are tiles of one picture."""
    merged: list[tuple[Box, bool]] = []
    for box, drawn in sorted(found, key=lambda f: -f[0].area):
        for at, (other, also) in enumerate(merged):
            shared = box.overlap(other)
            if shared > 0.3 * min(box.area, other.area) or _tiles(box, other):
                merged[at] = (union((box, other)), drawn and also)
                break
        else:
            merged.append((box, drawn))
    return merged if len(merged) == len(found) else _merge(merged)


def _tiles(a: Box, b: Box) -> bool:
    """Whether two boxes are stacked or side by side without a seam, with equal ends."""
    across = abs(a.left - b.left) < 2 and abs(a.right - b.right) < 2
    down = abs(a.top - b.top) < 2 and abs(a.bottom - b.bottom) < 2
    apart_y = max(a.top, b.top) - min(a.bottom, b.bottom)
    apart_x = max(a.left, b.left) - min(a.right, b.right)
    return (across and apart_y < 2) or (down and apart_x < 2)


def _seen(
    content: PageContent, regions: Sequence[Region], known: Sequence[Box]
) -> list[tuple[Box, bool]]:
    """Figures only the model saw: where something is drawn, or anywhere on a scan."""
    added = []
    for region in regions:
        if region.label != "figure" or region.score < _REGION:
            continue
        if any(region.box.overlap(b) > 0.2 * min(region.box.area, b.area) for b in known):
            continue
        drawn = [d.box for d in content.drawings if _is_mark(d) and d.box.inside(region.box) > 0.8]
        inside = [ln for ln in content.lines if ln.box.inside(region.box) > 0.7]
        if sum(len(ln.words) >= 7 for ln in inside) > max(2, 0.2 * len(inside)):
            continue  # boxed text
        if len(inside) >= 8 and sum(ln.box.area for ln in inside) > _FULL * region.box.area:
            continue  # columns of text
        if len(drawn) >= 3 or (content.scanned and _is_backed(region.box, content)):
            added.append((_on_page(region.box, content), False))
    return added


def _with_labels(box: Box, lines: Sequence[Line], taken: Sequence[Box]) -> Box:
    """Take in the labels of axes and legends: short lines right beside the drawing."""
    for _ in range(3):
        before = box
        for line in lines:
            reach = 1.3 * line.size
            near = line.box.overlap(box.grown(reach)) > 0.3 * line.box.area
            if not near or line.box.inside(box) > 0.9 or not _is_label(line, box):
                continue
            wider = union((box, line.box))
            if not any(wider.overlap(t) > box.overlap(t) + 1 for t in taken):
                box = wider
        if box == before:
            break
    return box


def _is_label(line: Line, box: Box) -> bool:
    if line.bold and line.box.width > 0.5 * box.width:
        return False
    text = line.text
    if is_value(text):
        return True
    first = text.split(" ", 1)[0].lower().rstrip(".:")
    if first in ("figure", "fig", "table", "chart", "diagram", "source", "note", "notes", "그림"):
        return False
    inset = line.box.left >= box.left - 2 and line.box.right <= box.right + 2
    return len(line.words) <= 6 and line.box.width < (0.8 if inset else 0.35) * box.width


def _vector(box: Box, content: PageContent) -> bool:
    return not any(box.overlap(p.box) > 0.5 * box.area for p in content.pictures)


def _plotted(content: PageContent, boxes: Sequence[Box]) -> set[Box]:
    """Boxes of pictures that look like plots; the page is drawn coarsely, once, if there are any.

    Small pictures are marks and icons.
    """
    least = 0.02 * content.width * content.height
    boxes = [box for box in boxes if box.area >= least]
    if content.render is None or not boxes:
        return set()
    from solarmini.layout.tables.pixels import looks_plotted

    image = content.render(_DPI)
    scale = image.shape[1] / content.width
    crops = (
        image[
            int(b.top * scale) : int(b.bottom * scale), int(b.left * scale) : int(b.right * scale)
        ]
        for b in boxes
    )
    return {box for box, crop in zip(boxes, crops, strict=True) if looks_plotted(crop)}


def _disjoint(figures: list[FoundFigure]) -> list[FoundFigure]:
    kept: list[FoundFigure] = []
    for figure in sorted(figures, key=lambda f: -f.box.area):
        for other in kept:
            if figure.box.overlap(other.box) > 0.5 * figure.box.area:
                break
        else:
            kept.append(figure)
    return kept


def _share_out(figures: Sequence[FoundFigure], lines: Sequence[Line]) -> None:
    """Give each line to the smallest figure it stands in, in reading order."""
    for line in lines:
        x, y = line.box.center
        holders = [
            f
            for f in figures
            if f.box.left - 1 <= x <= f.box.right + 1 and f.box.top - 1 <= y <= f.box.bottom + 1
        ]
        if holders:
            min(holders, key=lambda f: f.box.area).lines.append(line)
    for figure in figures:
        figure.lines = reading_order(figure.lines)


def reading_order(lines: Sequence[Line]) -> list[Line]:
    """Lines by printed row, top to bottom, each row from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda ln: ln.box.center[1]):
        last = rows[-1][0].box if rows else None
        box = line.box
        if last is not None:
            shared = min(last.bottom, box.bottom) - max(last.top, box.top)
            if shared > 0.5 * min(last.height, box.height):
                rows[-1].append(line)
                continue
        rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda ln: ln.box.left)]


def is_chart(figure: FoundFigure, content: PageContent) -> bool:
    """Whether a figure shows numbers: bars or curves with values at axes or points."""
    values = sum(is_value(word.text) for line in figure.lines for word in line.words)
    marks = [d for d in content.drawings if _is_mark(d) and d.box.inside(figure.box) > 0.9]
    if values < 3 or values < 0.25 * sum(len(line.words) for line in figure.lines):
        return False
    if not marks:  # a picture whose text was read
        return values >= 6 and (_has_axis(figure.lines) or _has_shares(figure.lines))
    axes = sum(
        max(r.box.width, r.box.height) > 0.4 * min(figure.box.width, figure.box.height)
        for r in content.rules
        if r.box.inside(figure.box.grown(1)) > 0.9
    )
    return _bars(marks) or axes >= 2 or sum(d.curved for d in marks) >= 2 or len(marks) >= 8


def _has_axis(lines: Sequence[Line]) -> bool:
    """Whether three numbers or more rise, or fall, along a level or an upright."""
    spots = [
        (word.box.center, number)
        for line in lines
        for word in line.words
        if is_value(word.text) and (number := _number(word.text)) is not None
    ]
    reach = 0.4 * max((line.size for line in lines), default=0.0)
    for across, along in ((0, 1), (1, 0)):
        for place, _ in spots:
            rank = sorted(
                (at[along], n) for at, n in spots if abs(at[across] - place[across]) <= 2 * reach
            )
            steps = [b[1] - a[1] for a, b in itertools.pairwise(rank)]
            if len(steps) >= 2 and (min(steps) > 0 or max(steps) < 0):
                return True
    return False


def _has_shares(lines: Sequence[Line]) -> bool:
    """Whether three shares of a whole, or more, are printed."""
    return sum(word.text.endswith("%") for line in lines for word in line.words) >= 3


def _number(text: str) -> float | None:
    try:
        return float(text.strip("%$€£₩()").replace(",", "").replace("−", "-").replace("–", "-"))
    except ValueError:
        return None
