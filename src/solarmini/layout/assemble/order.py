"""Reading order: recursive cuts along white space, with columns kept together.

A set of boxes is cut into horizontal bands. Neighbouring bands that one vertical gap runs through
are one set of columns and are read column by column; the rest is read top to bottom. Where no cut
goes through, boxes are sorted by the partial order of Breuel (2003), "High performance document
layout analysis": above goes first where two boxes share width, left goes first where nothing
between them spans both.

The result is always a permutation of the boxes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from solarmini.layout.primitives import Box, union

MOST = 250  # boxes that are compared each with each


@dataclass(frozen=True, slots=True)
class Item:
    """A box to order; `rows` is how many printed lines it holds, 0 for a picture or a table."""

    box: Box
    rows: int = 1


def reading_order(items: Sequence[Item], line: float) -> list[int]:
    """Return the indices of `items` in reading order; `line` is the usual height of a line."""
    order: list[int] = []
    stack: list[list[int]] = [list(range(len(items)))]
    while stack:
        group = stack.pop()
        parts = [group] if len(group) < 2 else _split([(i, items[i]) for i in group], line)
        if len(parts) == 1:
            order += parts[0]
        else:
            stack += reversed(parts)
    return order


Members = list[tuple[int, Item]]


def _split(members: Members, line: float) -> list[list[int]]:
    """Cut once; a single part comes back when it is in its final order."""
    bands = _runs(members, vertical=True, least=-0.15 * line)
    gutters = _gutters(members, line)
    if len(bands) == 1:
        columns = _columns(members, line)
        if len(columns) > 1:
            return [_ids(column) for column in columns]
        return [[i] for i in _partial_order(members)] if len(members) > 1 else [_ids(members)]
    groups = [members] if gutters and _is_columns(bands, gutters) else _join_bands(bands, line)
    if len(groups) > 1:
        return [_ids(group) for group in groups]
    if _reads_across(bands, line):
        return [_ids(band) for band in bands]
    columns = _columns(members, line)
    return [_ids(part) for part in (columns if len(columns) > 1 else bands)]


def _ids(members: Members) -> list[int]:
    return [i for i, _ in members]


def _runs(members: Members, *, vertical: bool, least: float) -> list[Members]:
    """Cut where the projection on an axis has a gap wider than `least` (may be negative)."""
    low, high = (1, 3) if vertical else (0, 2)
    runs: list[Members] = []
    end = float("-inf")
    for member in sorted(members, key=lambda member: (member[1].box[low], member[1].box[high])):
        box = member[1].box
        # a small box must not be torn from one that it mostly overlaps
        allowed = max(least, -0.3 * (box[high] - box[low]))
        if runs and box[low] - end < allowed:
            runs[-1].append(member)
        else:
            runs.append([member])
        end = max(end, box[high])
    return runs


def _gutters(members: Members, line: float) -> list[float]:
    """Middles of the vertical gaps that run through all members."""
    runs = _runs(members, vertical=False, least=0.2 * line)
    edges = [
        (max(item.box.right for _, item in run), min(item.box.left for _, item in after))
        for run, after in pairwise(runs)
    ]
    return [(left + right) / 2 for left, right in edges]


def _columns(members: Members, line: float) -> list[Members]:
    return _runs(members, vertical=False, least=0.2 * line)


def _sides(band: Members, gutter: float) -> tuple[int, int]:
    left = sum(item.box.right <= gutter + 0.01 for _, item in band)
    return left, len(band) - left


def _is_columns(bands: Sequence[Members], gutters: Sequence[float]) -> bool:
    """Whether some band has text on both sides of a gutter."""
    return any(min(_sides(band, gutter)) > 0 for band in bands for gutter in gutters)


def _join_bands(bands: Sequence[Members], line: float) -> list[Members]:
    """Join neighbouring bands that share columns."""
    groups: list[list[Members]] = []
    for band in bands:
        if groups:
            joined = [*groups[-1], band]
            flat = [member for part in joined for member in part]
            if _is_columns(joined, _gutters(flat, line)) and _belong(groups[-1], band, line):
                groups[-1] = joined
                continue
        groups.append([band])
    return [[member for part in group for member in part] for group in groups]


def _belong(group: Sequence[Members], band: Members, line: float) -> bool:
    """Whether a band may be read as a part of the columns above it."""
    above = union(item.box for part in group for _, item in part)
    here = union(item.box for _, item in band)
    # far apart, and one of them has no columns of its own: not the same columns
    alone = not _gutters(band, line) or not any(_gutters(part, line) for part in group)
    return not (alone and here.top - above.bottom > 4 * line)


def _reads_across(bands: Sequence[Members], line: float) -> bool:
    """Whether columns are labels and values, or a grid of cards: read band by band."""
    if len(bands) < 2 or not all(_aligned(band, line) for band in bands):
        return False
    grid = [_columns(band, line) for band in bands]
    if len(bands) > 2 and all(len(columns) == 2 and _is_label(columns[0]) for columns in grid):
        return True
    if len({len(columns) for columns in grid}) > 1 or _least_gap(bands) < 1.2 * line:
        return False
    return all(_is_card(column) for columns in grid for column in columns)


def _is_label(column: Members) -> bool:
    return len(column) == 1 and column[0][1].rows == 1


def _is_card(column: Members) -> bool:
    """Whether a place in a grid holds a picture, or more than one piece of text."""
    return len(column) > 1 or column[0][1].rows == 0


def _aligned(band: Members, line: float) -> bool:
    tops = [min(item.box.top for _, item in column) for column in _columns(band, line)]
    return len(tops) > 1 and max(tops) - min(tops) < 0.5 * line


def _least_gap(bands: Sequence[Members]) -> float:
    return min(
        min(item.box.top for _, item in below) - max(item.box.bottom for _, item in above)
        for above, below in pairwise(bands)
    )


def _partial_order(members: Members) -> list[int]:
    """Sort by "above, where width is shared; else left, where nothing spans between"."""
    boxes = np.array([item.box for _, item in members])
    left, top, _, bottom = boxes.T
    rank = np.lexsort((left, top))
    if len(members) > MOST:
        level = np.round((top + bottom) / 2 / max(np.median(bottom - top), 1e-6))
        return [members[i][0] for i in np.lexsort((left, level))]
    before = _before(boxes)
    seen: set[int] = set()
    order: list[int] = []
    for root in rank:
        stack = [(int(root), False)]
        while stack:
            at, done = stack.pop()
            if done:
                order.append(at)
            elif at not in seen:
                seen.add(at)
                stack.append((at, True))
                earlier = rank[before[rank, at]]
                stack += [(int(i), False) for i in earlier[::-1] if int(i) not in seen]
    return [members[i][0] for i in order]


def _before(boxes: np.ndarray) -> np.ndarray:
    """Return [a, b]: whether box a is read before box b; boxes (n, 4)."""
    left, top, right, bottom = boxes.T
    middle, height = (left + right) / 2, (top + bottom) / 2
    wide = right - left
    overlap = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    shared = overlap > 0.1 * np.minimum(wide[:, None], wide)  # more than a tenth of the smaller
    np.fill_diagonal(shared, False)
    above = height[:, None] < height
    result = shared & above
    for a in range(len(boxes)):
        low, high = np.minimum(height[a], height), np.maximum(height[a], height)
        between = (height[:, None] > low) & (height[:, None] < high)  # [c, b]
        spans = (shared[a][:, None] & shared & between).any(axis=0)
        result[a] |= ~shared[a] & (middle[a] < middle) & ~spans
    return result
