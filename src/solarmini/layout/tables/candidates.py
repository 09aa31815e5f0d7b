"""Places of a page where a table may be: stacks of rules, and text that stands in columns."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from solarmini.layout.primitives import Box, Line, PageContent, union
from solarmini.layout.tables.columns import find_columns
from solarmini.layout.tables.edges import Edge, Edges, levels
from solarmini.layout.tables.text import Chunk, TextRow, chunks_of, font_size, letters, rows_of

CAPTION = re.compile(
    r"^\s*[\[(<【]?\s*(table|tab\.|figure|fig\.|exhibit|chart|box|표|그림|도표)\s*"
    r"[\dIVX가-하A-Z]+[\d.\-–:]*",
    re.IGNORECASE,
)
_LEVEL_GAP = 15.0  # points between rules of one level that still make one bar
_SAME = 6.0  # points by which the ends of bars of one table may differ
_PROSE_WORDS = 6


@dataclass(slots=True)
class Bar:
    """Rules on one level that together run from `start` to `end`."""

    at: float
    start: float
    end: float

    @property
    def length(self) -> float:
        """Points from start to end."""
        return self.end - self.start


@dataclass(slots=True)
class Stack:
    """Bars of one table, top to bottom, and whether text in columns stands between them."""

    bars: list[Bar]
    tabular: int = 0
    start: float = field(init=False)
    end: float = field(init=False)

    def __post_init__(self) -> None:
        self.start, self.end = self.bars[0].start, self.bars[0].end

    @property
    def box(self) -> Box:
        """From the first bar to the last."""
        return Box(self.start, self.bars[0].at, self.end, self.bars[-1].at)


def is_caption(text: str) -> bool:
    """Whether a line begins as captions do: "Table 3", "표 2", "Fig. 1"."""
    return bool(CAPTION.match(text))


def bars(horizontals: Sequence[Edge]) -> list[Bar]:
    """Join the edges of each level that stand close together."""
    found: list[Bar] = []
    for level in levels(horizontals, 3.0):
        pieces = sorted(level, key=lambda e: e.start)
        bar = Bar(pieces[0].at, pieces[0].start, pieces[0].end)
        for piece in pieces[1:]:
            if piece.start - bar.end <= _LEVEL_GAP:
                bar.end = max(bar.end, piece.end)
            else:
                found.append(bar)
                bar = Bar(piece.at, piece.start, piece.end)
        found.append(bar)
    return [b for b in sorted(found, key=lambda b: b.at) if b.length > 20.0]


def stacks(content: PageContent, edges: Edges) -> list[Box]:
    """Boxes between bars of equal ends with text in columns between them."""
    open_stacks: list[Stack] = []
    done: list[Stack] = []
    for bar in bars(edges.horizontal):
        for stack in list(open_stacks):
            if bar.start > stack.end - 5 or bar.end < stack.start + 5:
                continue
            if _same_ends(stack, bar):
                band = Box(stack.start, stack.bars[-1].at, stack.end, bar.at)
                kind = _band(content.lines, edges, band)
                if kind != "other" or (stack.tabular and _narrow(content.lines, band)):
                    stack.bars.append(bar)
                    stack.tabular += kind == "table"
                    break
                open_stacks.remove(stack)
                done.append(stack)
            elif bar.start < stack.start - _SAME or bar.end > stack.end + _SAME:
                open_stacks.remove(stack)  # a longer rule ends what is above it
                done.append(stack)
            else:
                band = Box(bar.start, stack.bars[-1].at, bar.end, bar.at)
                if _band(content.lines, edges, band) != "other":
                    break  # a rule under some of the columns
                open_stacks.remove(stack)
                done.append(stack)
        else:
            open_stacks.append(Stack([bar]))
    return [s.box for s in done + open_stacks if s.tabular and len(s.bars) > 1]


def _same_ends(stack: Stack, bar: Bar) -> bool:
    slack = max(_SAME, 0.02 * (stack.end - stack.start))
    return abs(stack.start - bar.start) <= slack and abs(stack.end - bar.end) <= slack


def _band(lines: Sequence[Line], edges: Edges, band: Box) -> str:
    """What stands between two bars: "table", "empty" (little), or "other"."""
    inside = lines_in(lines, band)
    if not inside:
        return "empty" if band.height < 14 else "other"
    rows = rows_of(chunks_of(inside, edges.within(band).vertical))
    if not rows:
        return "other"
    many = sum(len(row.chunks) > 1 for row in rows)
    if any(len(row.chunks) == 1 and is_caption(row.chunks[0].text) for row in rows):
        return "other"
    running = [_prosaic(row, band.width) for row in rows]
    prose = sum(running)
    if any(a and b for a, b in itertools.pairwise(running)):
        return "other"
    if many and prose <= 0.3 * len(rows):
        return "table"
    if len(rows) <= 2 and not prose and band.height < 6 * rows[0].box.height:
        return "empty"  # a title or a section within the table
    return "other"


def _narrow(lines: Sequence[Line], band: Box) -> bool:
    """Whether a band holds a few lines of one column only: a cell that goes on."""
    inside = lines_in(lines, band)
    return 0 < len(inside) <= 12 and all(
        line.box.width < 0.6 * band.width and not is_caption(line.text) for line in inside
    )


def _prosaic(row: TextRow, width: float) -> bool:
    """Whether a row is a line of running text, however wide its spaces are set."""
    words = [w for chunk in row.chunks for w in chunk.words]
    written = sum(c.box.width for c in row.chunks)
    text = "".join(w.text for w in words)
    return (
        len(words) >= _PROSE_WORDS
        and len(row.chunks) <= 2
        and row.box.width > 0.7 * width
        and written > 0.8 * row.box.width
        and letters(text) > 0.7 * len(text)
    )


def lines_in(lines: Sequence[Line], box: Box) -> list[Line]:
    """Lines whose middle lies in the box."""
    found = []
    for line in lines:
        x, y = line.box.center
        if box.left - 1 <= x <= box.right + 1 and box.top - 1 <= y <= box.bottom + 1:
            found.append(line)
    return found


def prose_lines(lines: Sequence[Line]) -> set[int]:
    """Indexes of lines that are part of running text.

    Long lines set tight under one another with one left edge, or, in narrow columns, four and
    more that have both edges in common.
    """
    flat = [(i, line) for i, line in enumerate(lines) if not line.angle and _wordy(line)]
    flat.sort(key=lambda pair: pair[1].box.top)
    found: set[int] = set()
    justified: dict[int, set[int]] = {}
    for at, (i, above) in enumerate(flat):
        for j, below in flat[at + 1 :]:
            pitch = below.box.center[1] - above.box.center[1]
            if pitch > 2.0 * above.size:
                break
            if pitch < 0.7 * above.size or abs(above.size - below.size) > 0.15 * above.size:
                continue
            start = abs(above.box.left - below.box.left)
            end = abs(above.box.right - below.box.right)
            long = min(above.box.width, below.box.width) > max(
                0.7 * max(above.box.width, below.box.width), 12 * above.size
            )
            words = min(len(above.words), len(below.words)) >= _PROSE_WORDS - 1
            if start < 3 * above.size and long and words and pitch < 1.8 * above.size:
                found.update((i, j))
            if start < 1.5 and end < 1.5 and above.box.width > 7 * above.size:
                block = justified.setdefault(i, {i})
                block.add(j)
                justified[j] = block
    for block in justified.values():
        if len(block) >= 4:
            found |= block
    return found


def _wordy(line: Line) -> bool:
    text = line.text
    return len(line.words) >= 2 and letters(text) > 0.6 * len(text.replace(" ", ""))


def alignments(
    content: PageContent, edges: Edges, free: Sequence[Line]
) -> list[tuple[Box, list[Line]]]:
    """Runs of printed lines with several chunks that stand under one another, among `free` lines.

    Long lines of running text are left out: they end a run.
    """
    prose = prose_lines(free)
    loose = [line for i, line in enumerate(free) if i not in prose and not line.angle]
    solid = [free[i].box for i in prose]
    if len(loose) < 4:
        return []
    size = font_size(loose)
    found = []
    for part in _parts(loose, solid, content.width):
        rows = rows_of(chunks_of(part, edges.vertical))
        for run in _runs(rows, solid, size):
            box = union(row.box for row in run)
            used = sorted({chunk.line for row in run for chunk in row.chunks})
            found.append((box, [part[i] for i in used]))
    return found


def _parts(lines: Sequence[Line], solid: Sequence[Box], width: float) -> list[list[Line]]:
    """Lines left and right of the gutter of a page whose running text stands in two columns."""
    left = [b for b in solid if b.right < 0.54 * width]
    right = [b for b in solid if b.left > 0.46 * width]
    if len(left) < 4 or len(right) < 4 or len(left) + len(right) < 0.8 * len(solid):
        return [list(lines)]
    gutter = (max(b.right for b in left) + min(b.left for b in right)) / 2
    parts: list[list[Line]] = [[], [], []]  # across the page, left, right
    for line in lines:
        middle, y = line.box.center
        if line.box.left < gutter - 5 and line.box.right > gutter + 5:
            parts[0].append(line)
            continue
        beside = right if middle < gutter else left
        slack = 1.5 * line.size
        if any(b.top - slack < y < b.bottom + slack for b in beside):
            parts[1 if middle < gutter else 2].append(line)
        else:  # no running text beside it: what stands there may be one table
            parts[0].append(line)
    return [part for part in parts if part]


def _runs(rows: Sequence[TextRow], solid: Sequence[Box], size: float) -> list[list[TextRow]]:
    """Cut the rows where they stop standing in columns."""
    runs: list[list[TextRow]] = []
    run: list[TextRow] = []
    for row in rows:
        if run and not _follows(run, row, solid, size):
            runs.append(run)
            run = []
        run.append(row)
    if run:
        runs.append(run)
    trimmed = (_trim(_fitting(_trim(run), size)) for run in runs)
    return [run for run in trimmed if sum(len(r.chunks) > 1 for r in run) >= 3]


def _follows(run: Sequence[TextRow], row: TextRow, solid: Sequence[Box], size: float) -> bool:
    last = run[-1]
    gap = row.box.top - last.box.bottom
    if gap > 2.5 * size:
        return False
    single = 0
    for before in reversed(run):
        if len(before.chunks) > 1:
            break
        single += 1
    if single >= 2 and len(row.chunks) == 1:
        return False
    if len(row.chunks) == 1 and is_caption(row.chunks[0].text):
        return False
    between = Box(
        min(last.box.left, row.box.left),
        last.middle,
        max(last.box.right, row.box.right),
        row.middle,
    )
    return not any(b.overlap(between) > 0.3 * b.area for b in solid)


def _trim(run: list[TextRow]) -> list[TextRow]:
    """Drop single chunks at both ends: titles and notes."""
    start, end = 0, len(run)
    while start < end and len(run[start].chunks) < 2:
        start += 1
    while end > start and len(run[end - 1].chunks) < 2:
        end -= 1
    return run[start:end]


def _fitting(run: list[TextRow], size: float) -> list[TextRow]:
    """Drop rows at both ends with text beside the columns of all other rows."""
    while len(run) > 3:
        for rest, end in ((run[1:], run[0]), (run[:-1], run[-1])):
            columns = find_columns(rest, size)
            left, right = columns[0].left - 2 * size, columns[-1].right + 2 * size
            if any(c.box.right < left or c.box.left > right for c in end.chunks):
                run = rest
                break
        else:
            break
    return run


def grow(
    box: Box, lines: Sequence[Line], inside: Sequence[Line], edges: Edges, columns: Sequence[Box]
) -> Box:
    """Take in rows right above and below a ruled box that stand in its columns."""
    if not inside:
        return box
    size = font_size(inside)
    kept = set(map(id, inside))
    near = [
        ln
        for ln in lines
        if id(ln) not in kept
        and ln.box.left > box.left - size
        and ln.box.right < box.right + size
        and box.top - 4 * size < ln.box.center[1] < box.bottom + 4 * size
    ]
    for row in sorted(rows_of(chunks_of(near, edges.vertical)), key=lambda r: -r.middle):
        if row.middle < box.top and box.top - row.box.bottom < 0.8 * size and _fits(row, columns):
            box = Box(box.left, row.box.top - 1, box.right, box.bottom)
    for row in rows_of(chunks_of(near, edges.vertical)):
        if (
            row.middle > box.bottom
            and row.box.top - box.bottom < 0.8 * size
            and _fits(row, columns)
        ):
            box = Box(box.left, box.top, box.right, row.box.bottom + 1)
    return box


def _fits(row: TextRow, columns: Sequence[Box]) -> bool:
    """Whether a row has a chunk in most columns, each in a column of its own."""
    if len(row.chunks) < 2 or len(row.chunks) < 0.6 * len(columns):
        return False
    return all(_in_one(chunk, columns) for chunk in row.chunks)


def _in_one(chunk: Chunk, columns: Sequence[Box]) -> bool:
    return (
        sum(min(c.right, chunk.box.right) - max(c.left, chunk.box.left) > 2.0 for c in columns) == 1
    )


def pitch(rows: Sequence[TextRow]) -> float:
    """Median distance between printed lines."""
    steps = [b.middle - a.middle for a, b in itertools.pairwise(rows)]
    return median(steps) if steps else 0.0
