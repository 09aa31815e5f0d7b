"""Characters of one frame → rows: what stands on one baseline, raised and lowered parts too."""

from dataclasses import dataclass

import numpy as np

from solarmini.layout.pdf.frame import Frame

SAME = 0.2  # of the size: how far baselines of one row may be apart
MOST_SCRIPT = 24  # characters of a superscript or subscript
LONGEST_NOTE = 4  # characters of a note's number; what it belongs to has more
RAISED, LOWERED = 1, 2


@dataclass(slots=True)
class Segments:
    """Runs of neighbours in the file: m runs over n characters."""

    of: np.ndarray  # (n,) run of each character
    first: np.ndarray  # (m,) first character
    count: np.ndarray
    u0: np.ndarray
    u1: np.ndarray
    v: np.ndarray
    size: np.ndarray


def find_rows(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Return for each character its row number (top to bottom) and 0, RAISED or LOWERED."""
    runs = _segments(frame)
    row = _cluster(runs)
    raised = _scripts(runs, row)
    names, row = np.unique(row, return_inverse=True)
    top = np.full(len(names), np.inf)
    np.minimum.at(top, row, runs.v)
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.argsort(top, kind="stable")] = np.arange(len(names))
    return rank[row][runs.of], raised[runs.of]


def _segments(frame: Frame) -> Segments:
    u0, u1, v, size = frame.u0, frame.u1, frame.v, frame.size
    n = len(u0)
    cut = np.ones(n, dtype=bool)
    if n > 1:
        small = np.minimum(size[1:], size[:-1])
        large = np.maximum(size[1:], size[:-1])
        gap = u0[1:] - u1[:-1]
        # the parts of an expanded ligature share one place: u0 does not move
        moved = np.abs(u0[1:] - u0[:-1]) > 1e-3
        cut[1:] = (
            (np.abs(v[1:] - v[:-1]) > 0.04 * small)
            | (large > 1.05 * small)
            | (moved & (gap < -0.6 * large) & (u0[1:] < u0[:-1]))
            | (gap > 1.0 * small)
        )
    first = np.flatnonzero(cut)
    return Segments(
        of=np.cumsum(cut) - 1,
        first=first,
        count=np.diff(np.append(first, n)),
        u0=np.minimum.reduceat(u0, first),
        u1=np.maximum.reduceat(u1, first),
        v=v[first],
        size=np.maximum.reduceat(size, first),
    )


def _cluster(runs: Segments) -> np.ndarray:
    """Group runs by baseline; returns a row name for each run."""
    order = np.lexsort((runs.u0, runs.v))
    row = np.zeros(len(order), dtype=np.int64)
    open_rows: list[list[float]] = []  # [name, baseline, size], newest last
    v, size = runs.v.tolist(), runs.size.tolist()
    names = 0
    for index in order.tolist():
        best, near = None, None
        for known in open_rows[-4:]:
            apart = abs(v[index] - known[1])
            if apart <= SAME * min(size[index], known[2]) and (near is None or apart < near):
                best, near = known, apart
        if best is None:
            best = [names, v[index], size[index]]
            names += 1
            open_rows.append(best)
        elif size[index] > best[2]:
            best[2] = size[index]
        row[index] = best[0]
    return row


def _scripts(runs: Segments, row: np.ndarray) -> np.ndarray:
    """Move raised and lowered runs into the row of what they belong to (changes `row`)."""
    raised = np.zeros(len(row), dtype=np.uint8)
    largest = runs.size.max()
    small = np.flatnonzero((runs.size < 0.9 * largest) & (runs.count <= MOST_SCRIPT))
    if not len(small):
        return raised
    for part in np.array_split(small, len(small) // 256 + 1):
        base = _bases(runs, part)
        found = base >= 0
        for index, on in zip(part[found].tolist(), base[found].tolist(), strict=True):
            drop = runs.v[index] - runs.v[on]
            if abs(drop) >= 0.06 * runs.size[on]:
                raised[index] = RAISED if drop < 0 else LOWERED
                row[index] = row[on]
    return raised


def _bases(runs: Segments, part: np.ndarray) -> np.ndarray:
    """Return for each run of `part` the larger run it hangs on, or -1."""
    size = runs.size[None, :]
    before = runs.u0[part, None] - runs.u1[None, :]  # gap to a base on the left
    after = runs.u0[None, :] - runs.u1[part, None]  # gap to a base on the right
    drop = runs.v[part, None] - runs.v[None, :]
    near = np.where(np.abs(before) < np.abs(after), before, after)
    fits = (runs.size[part, None] < 0.87 * size) & (drop > -0.62 * size) & (drop < 0.4 * size)
    # the raised number of a note may stand off its text, as a marker does
    note = (near == after) & (drop < -0.15 * size) & (runs.size[part, None] < 0.8 * size)
    note &= (runs.count[part, None] <= LONGEST_NOTE) & (runs.count[None, :] > LONGEST_NOTE)
    reach = np.where(note, 1.8 * size, 0.35 * size)
    fits &= (near > -0.25 * size) & (near < reach)
    # words do not hang on a single sign
    fits &= (runs.count[part, None] <= LONGEST_NOTE) | (runs.count[None, :] > 1)
    # a mark hangs on text, not on a sign in the margin that is far larger
    fits &= size < 3.0 * runs.size[part, None]
    cost = np.where(fits, np.abs(near) / size + 0.3 * (near == after), np.inf)
    best = cost.argmin(1)
    return np.where(np.isfinite(cost[np.arange(len(part)), best]), best, -1)
