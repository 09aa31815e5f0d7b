"""Chunks: rows that run on directly below each other, the units whose order is looked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solarmini.layout.assemble.rows import Measures, Row
from solarmini.layout.primitives import Box, union

MOST = 600  # rows that are compared each with each


@dataclass(slots=True, eq=False)
class Chunk:
    """Rows of one column without a larger gap, top to bottom."""

    rows: list[Row]
    box: Box


def chunk_rows(rows: Sequence[Row], measures: Measures, obstacles: Sequence[Box]) -> list[Chunk]:
    """Group the rows of one direction; `obstacles` (figures, tables) keep them apart."""
    if not rows:
        return []
    rows = sorted(rows, key=lambda row: (row.box.top, row.box.left))
    if len(rows) > MOST:  # a map, a directory: in slices, for time and memory
        slices = (rows[at : at + MOST] for at in range(0, len(rows), MOST))
        return [chunk for part in slices for chunk in chunk_rows(part, measures, obstacles)]
    follower = _followers(rows, measures)
    blocked = np.array([*(row.box for row in rows), *obstacles], dtype=float).reshape(-1, 4)
    blocked += np.array([0.6, 0.6, -0.6, -0.6])  # touching is not crossing
    starts = set(range(len(rows))) - set(follower.values())
    chunks = []
    for start in sorted(starts):
        chain = [start]
        while chain[-1] in follower:
            chain.append(follower[chain[-1]])
        chunks += _cut_chain([rows[i] for i in chain], chain, blocked)
    return chunks


def _followers(rows: Sequence[Row], measures: Measures) -> dict[int, int]:
    """Return row -> the row that continues it, where both have no other choice."""
    boxes = np.array([row.box for row in rows], dtype=float)
    sizes = np.array([row.size for row in rows])
    left, top, right, bottom = boxes.T
    middle = (top + bottom) / 2
    high = bottom - top
    shared = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    under = (shared > 0.5) & (
        middle[None, :] > middle[:, None] + 0.35 * np.minimum(high[:, None], high)
    )
    gap = np.where(under, top[None, :] - bottom[:, None], np.inf)
    below, above = gap.argmin(axis=1), gap.argmin(axis=0)
    slack = 0.5 * measures.leading
    rivals_below = (gap < gap.min(axis=1, keepdims=True) + slack).sum(axis=1)
    rivals_above = (gap < gap.min(axis=0, keepdims=True) + slack).sum(axis=0)
    found: dict[int, int] = {}
    for i, j in enumerate(below):
        distance = gap[i, j]
        if not np.isfinite(distance) or above[j] != i or rivals_below[i] > 1 or rivals_above[j] > 1:
            continue
        room = 0.75 * max(measures.leading, sizes[i], sizes[j])
        ratio = max(sizes[i], sizes[j]) / max(min(sizes[i], sizes[j]), 0.1)
        if distance <= room and ratio < (1.8 if measures.fuzzy else 1.4):
            found[i] = int(j)
    return found


def _cut_chain(rows: list[Row], chain: list[int], blocked: np.ndarray) -> list[Chunk]:
    """Cut a chain where its box would cross a foreign row, figure or table."""
    others = np.ones(len(blocked), dtype=bool)
    others[chain] = False
    foreign = blocked[others]
    chunks: list[Chunk] = []
    for row in rows:
        if chunks:
            grown = union([chunks[-1].box, row.box])
            if not _crosses(grown, foreign) or _crosses(chunks[-1].box, foreign):
                chunks[-1].rows.append(row)
                chunks[-1].box = grown
                continue
        chunks.append(Chunk([row], row.box))
    return chunks


def _crosses(box: Box, foreign: np.ndarray) -> bool:
    if not len(foreign):
        return False
    wide = np.minimum(box.right, foreign[:, 2]) - np.maximum(box.left, foreign[:, 0])
    tall = np.minimum(box.bottom, foreign[:, 3]) - np.maximum(box.top, foreign[:, 1])
    return bool(((wide > 0) & (tall > 0)).any())
