"""Rows of a table from where its text stands: which printed lines are one row.

Where rules part the lines they decide. Otherwise a line goes on with the row above when its
text stands under text that had no more room, and begins a row when a number stands under a
number, when its text would have fitted above, or when the white above it is that between rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from solarmini.layout.tables.columns import Column, place
from solarmini.layout.tables.edges import Edge, levels
from solarmini.layout.tables.text import Chunk, TextRow

_LOOSE = 1.5  # pitch, in font sizes, that is too wide for the lines of one cell


@dataclass(slots=True)
class Band:
    """Printed lines that make one row of the table, and the edge above it if one is drawn."""

    lines: list[TextRow] = field(default_factory=list)
    ruled: bool = False  # a rule as wide as the table parts it from the band above
    partly: list[Edge] = field(default_factory=list)  # narrower rules above it


@dataclass(frozen=True, slots=True)
class Under:
    """What stands between two printed lines: rules across, narrower ones, a change of fill."""

    ruled: bool
    partly: tuple[Edge, ...]


def group_rows(
    lines: Sequence[TextRow],
    columns: Sequence[Column],
    horizontals: Sequence[Edge],
    size: float,
) -> list[Band]:
    """Group the printed lines of a table into its rows, top to bottom."""
    if not lines:
        return []
    between = [_between(a, b, horizontals, columns) for a, b in pairwise(lines)]
    dense = _dense(between)
    whole = _staggered(lines, between, columns)
    pitches = _pitches(lines, columns, between, size)
    bands = [Band([lines[0]])]
    for number, (line, gap) in enumerate(zip(lines[1:], between, strict=True), 1):
        band = bands[-1]
        if gap.ruled or gap.partly:
            new = True
        elif number in whole:
            new = False
        elif dense:
            new = _separate_values(band, line, columns)
        else:
            new = not _goes_on(band, line, columns, size, pitches)
        if new:
            bands.append(Band([line], gap.ruled, list(gap.partly)))
        else:
            band.lines.append(line)
    return bands


def _between(
    above: TextRow, below: TextRow, horizontals: Sequence[Edge], columns: Sequence[Column]
) -> Under:
    low, high = above.middle, below.middle
    left, right = columns[0].left, columns[-1].right
    across = [e for e in horizontals if low < e.at < high and e.covers(left, right) > 0]
    for level in levels(across, 3.0):
        if all(sum(e.covers(c.left, c.right) for e in level) > 0.5 for c in columns):
            return Under(True, ())
    return Under(False, tuple(across))


def _dense(between: Sequence[Under]) -> bool:
    """Whether rules part (nearly) all rows, so that lines they leave together are one row."""
    runs: list[int] = [1]
    for gap in between:
        if gap.ruled:
            runs.append(1)
        else:
            runs[-1] += 1
    # a rule under the head and one above the total part no rows: there are few, far apart
    body = sorted(runs[1:])
    return len(runs) >= 4 and body[-1] <= max(3 * body[len(body) // 2], 3)


def _staggered(
    lines: Sequence[TextRow], between: Sequence[Under], columns: Sequence[Column]
) -> set[int]:
    """Indexes of lines in bands between rules that are one row, for their texts stand staggered.

    In rows of their own most columns have text on each line; in cells of several lines, set in
    the middle of a row, hardly any two lines of different columns stand on one level.
    """
    if not any(gap.ruled for gap in between):
        return set()
    starts = [0, *(i + 1 for i, gap in enumerate(between) if gap.ruled), len(lines)]
    whole: set[int] = set()
    for start, end in pairwise(starts):
        band = [_at(line, columns) for line in lines[start:end]]
        full = {c for row in band for c in row}
        level = sum(len(row) >= 0.6 * len(full) for row in band)
        stacked = any(
            a[c].numeric and b[c].numeric for a, b in pairwise(band) for c in a.keys() & b.keys()
        )
        partly = any(gap.partly for gap in between[start : end - 1])
        if len(band) > 2 and len(full) > 1 and level <= 1 and not stacked and not partly:
            whole.update(range(start + 1, end))
    return whole


@dataclass(frozen=True, slots=True)
class Pitch:
    """What the distances between printed lines say: from `row` on a new row, below `cell` not."""

    row: float
    cell: float


def _pitches(
    lines: Sequence[TextRow],
    columns: Sequence[Column],
    between: Sequence[Under],
    size: float,
) -> Pitch:
    """Compare the pitch of lines within a column: values under values show that of the rows."""
    gaps: list[float] = []
    values: list[float] = []
    last: dict[int, tuple[int, Chunk]] = {}
    for at, line in enumerate(lines):
        for column, chunk in _at(line, columns).items():
            before = last.get(column)
            last[column] = at, chunk
            if before is None or before[0] != at - 1 or between[at - 1].ruled:
                continue
            step = line.middle - lines[at - 1].middle
            gaps.append(step)
            if chunk.numeric and before[1].numeric:
                values.append(step)
    gaps.sort()
    if values:
        # a rule between groups of rows adds white; the tightest rows tell
        return Pitch(0.93 * sorted(values)[len(values) // 4], 0.0)
    if len(gaps) < 3:
        return Pitch(2.2 * size, 0.0)
    if gaps[0] > _LOOSE * size and gaps[-1] < 1.25 * gaps[0]:
        return Pitch(0.0, 0.0)  # loose and even: every line is a row
    ratio, cut = max((b / max(a, 1.0), i) for i, (a, b) in enumerate(pairwise(gaps)))
    if ratio < 1.18 or cut < 1 or gaps[cut] / max(gaps[0], 1.0) > 1.15:
        return Pitch(2.2 * size, 0.0)
    middle = (gaps[cut] + gaps[cut + 1]) / 2
    return Pitch(middle, middle)


def _at(line: TextRow, columns: Sequence[Column]) -> dict[int, Chunk]:
    """Chunks of a line by column (those that span: by their first)."""
    return {place(columns, chunk)[0]: chunk for chunk in reversed(line.chunks)}


def _last(band: Band, columns: Sequence[Column]) -> dict[int, Chunk]:
    found: dict[int, Chunk] = {}
    for line in band.lines:
        found.update(_at(line, columns))
    return found


def _separate_values(band: Band, line: TextRow, columns: Sequence[Column]) -> bool:
    """Whether a line that no rule parts from the one above is a row all the same."""
    above, here = _at(band.lines[-1], columns), _at(line, columns)
    both = above.keys() & here.keys()
    if len(both) < 2 or above.keys() != here.keys():
        return False
    return sum(above[c].numeric and here[c].numeric for c in both) * 2 >= len(both)


def _goes_on(
    band: Band,
    line: TextRow,
    columns: Sequence[Column],
    size: float,
    pitches: Pitch,
) -> bool:
    """Whether a printed line goes on with the row above it."""
    above, here = _last(band, columns), _at(line, columns)
    both = above.keys() & here.keys()
    pitch = line.middle - band.lines[-1].middle
    if both:  # neighbours may stand half a line higher or lower
        pitch = min(here[c].box.center[1] - above[c].box.center[1] for c in both)
    elif pitch < 0.75 * size:  # set between the lines of a taller neighbour
        return True
    if any(above[c].numeric and here[c].numeric for c in both):
        return False
    if pitch >= pitches.row or pitch < pitches.cell:
        return pitch < pitches.cell
    if any(_would_fit(above[c], here[c], columns[c]) for c in both):
        return False
    if here.keys() <= above.keys():
        return 0 not in here or len(here) < len(above) or len(above) > 1
    # text of a new column begins a row, unless the row above is a label that had no more room
    return bool(both) and len(above) == 1 and 0 in above


def _would_fit(above: Chunk, here: Chunk, column: Column) -> bool:
    """Whether the first word of a line had room at the end of the line above."""
    room = (column.right - column.left) - above.box.width
    word = here.words[0]
    return word.box.width + 0.35 * word.font.size < room - 0.5 * word.font.size
