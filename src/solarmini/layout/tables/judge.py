"""Is it a table, and does its grid fit what is printed? Two scores between 0 and 1."""

import itertools
import re
from collections.abc import Sequence
from itertools import pairwise

from solarmini.layout.tables.grid import Grid, Piece
from solarmini.layout.tables.text import Chunk, rows_of
from solarmini.layout.values import is_value

_LEADER = re.compile(r"(\.\s?){4,}|…{2,}|·{4,}|_{4,}")
_PLAIN = re.compile(r"^-?\d[\d,]*(\.\d+)?$")
_MARKER = re.compile(r"^([•▪■◦‣●○∙\-–—*]|\(?[\da-zA-Zivx가-하]{1,4}[.)]|\[\d+\]|\d{1,2})$")
_SECTION = re.compile(r"^\d{1,2}(\.\d{1,2}){1,3}\.?$")
_MATH = set("=+−×÷∑∫∏√≤≥≈∈∀∃∂∇→⇒∞αβγδεθλμπρστφχψωΓΔΘΛΣΦΨΩ{}^")


def consistency(grid: Grid) -> float:
    """How well the grid parts its text: 1 when no cell holds what looks like two.

    Counted against it: text side by side with a wide gap in one cell, numbers under one another
    in one cell, text that runs over the edge of its cell, empty places.
    """
    chunks = [(p, c) for p in grid.pieces for c in p.chunks]
    if not chunks:
        return 0.0
    cost = 0.0
    for piece in grid.pieces:
        cost += _crowded(piece)
    for piece, chunk in chunks:
        box = grid.piece_box(piece)
        out = max(box.left - chunk.box.left, chunk.box.right - box.right)
        cost += out > 0.25 * max(chunk.box.width, 1.0) and out > 3.0
    empty = sum(not p.chunks for p in grid.pieces)
    cost += 0.25 * empty
    return max(0.0, 1.0 - cost / len(chunks))


def _crowded(piece: Piece) -> float:
    if len(piece.chunks) < 2:
        return 0.0
    rows = rows_of(piece.chunks)
    beside = sum(
        _wide_gap(a, b) for r in rows for a, b in zip(r.chunks, r.chunks[1:], strict=False)
    )
    values = sum(all(c.numeric for c in r.chunks) for r in rows)
    return beside + (values - 1 if values > 1 else 0)


def _wide_gap(left: Chunk, right: Chunk) -> bool:
    gap = right.box.left - left.box.right
    return gap > 1.2 * max(left.words[-1].font.size, 1.0)


def confidence(grid: Grid, *, drawn: bool, ruled: bool, seen: bool) -> float:
    """How sure it is that this is a table at all.

    `drawn`: rules part its cells both ways; `ruled`: rules run across it; `seen`: a layout model
    says table. Without these, text alone has to show it: rows enough, values or short texts,
    columns that line up.
    """
    filled = [p for p in grid.pieces if p.chunks]
    if grid.rows < 2 or grid.columns < 2 or len(filled) < 4:
        return 0.0
    side_by_side = sum(sum(bool(p.chunks) for p in row) > 1 for row in grid.by_row())
    if _contents(grid) or side_by_side < max(2, 0.3 * grid.rows):
        return 0.0
    if not drawn and _axis(grid):
        return 0.0
    if drawn:
        return 1.0 - 0.5 * (len(filled) < 0.3 * len(grid.pieces))
    if _leaders(grid) or _list(grid) or _headed(grid):
        return 0.0
    share = len(filled) / max(len(grid.pieces), 1)
    words = sorted(sum(len(c.words) for c in p.chunks) for p in filled)
    typical = words[len(words) // 2]
    values = sum(is_value(p.text) for p in filled) / len(filled)
    score = 0.25 + 0.3 * ruled + 0.35 * seen
    score += 0.25 * min(values / 0.4, 1.0)
    score += 0.2 * lined_up(grid)
    score += 0.1 * (share > 0.6) - 0.35 * (share < 0.4)
    score += 0.05 * min(grid.rows, 5) - 0.15 * (grid.columns == 2 and not ruled)
    if typical > 12:
        score -= 0.4 if not ruled else 0.15
    elif typical > 6:
        score -= 0.25 if not (ruled or seen) else 0.0
    if values < 0.1 and not (ruled or seen):
        score -= 0.2
    if _running(grid):
        score -= 0.6
    score -= 0.5 * (_formulas(filled) or _numbered(grid))
    return max(0.0, min(score, 1.0))


def lined_up(grid: Grid) -> float:
    """Share of columns whose texts share their left edge, right edge or middle."""
    good = total = 0
    for column in range(grid.columns):
        boxes = [
            c.box
            for p in grid.pieces
            if p.column == column and p.column_span == 1 and p.row >= grid.header_rows
            for c in p.chunks
        ]
        if len(boxes) < 2:
            continue
        total += 1
        places = (
            [b.left for b in boxes],
            [b.right for b in boxes],
            [(b.left + b.right) / 2 for b in boxes],
        )
        good += any(_together(values) for values in places)
    return good / total if total else 0.0


def _together(values: Sequence[float]) -> bool:
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return sum(abs(v - middle) <= 2.5 for v in ordered) >= 0.75 * len(ordered)


def _leaders(grid: Grid) -> bool:
    """Dot leaders: a table of contents."""
    texts = [p.text for p in grid.pieces if p.chunks]
    return sum(bool(_LEADER.search(t)) for t in texts) >= max(2, grid.rows // 3)


def _contents(grid: Grid) -> bool:
    """Titles with page numbers that rise to the end: a table of contents."""
    last = [p.text.strip() for p in grid.pieces if p.column == grid.columns - 1 and p.chunks]
    if grid.columns > 3 or len(last) < 3 or not all(t.isdigit() and len(t) < 5 for t in last):
        return False
    pages = [int(t) for t in last]
    rises = all(a <= b for a, b in itertools.pairwise(pages))
    before = [p.text for p in grid.pieces if p.column == grid.columns - 2 and p.chunks]
    named = sum(not is_value(t) for t in before)
    return rises and len(set(pages)) > 2 and pages[-1] > len(pages) and named >= 0.8 * len(before)


def _axis(grid: Grid) -> bool:
    """A column of even steps down to the end, "30 20 10 0": the scale of a chart."""
    for column in {0, grid.columns - 1}:
        texts = [p.text.strip().rstrip("%") for p in grid.pieces if p.column == column and p.chunks]
        numbers = [float(t.replace(",", "")) for t in texts if _PLAIN.match(t)]
        if len(numbers) < 4 or len(numbers) < 0.6 * len(texts):
            continue
        steps = {round(a - b, 6) for a, b in pairwise(numbers)}
        if len(steps) == 1 and (step := steps.pop()) > 0 and (step != 1 or numbers[-1] == 0):
            return True
    return False


def _list(grid: Grid) -> bool:
    """Two columns of which the first holds only markers: a list."""
    if grid.columns != 2:
        return False
    first = [p.text.strip() for p in grid.pieces if p.column == 0 and p.chunks]
    second = [p.text.strip() for p in grid.pieces if p.column == 1 and p.chunks]
    marked = sum(bool(_MARKER.match(t)) for t in first)
    if any(not t[:1].isalnum() for t in first):  # bullets below the number of their section
        marked += sum(bool(_SECTION.match(t)) for t in first)
    prose = sum(not is_value(t) for t in second)
    return bool(first) and marked >= 0.8 * len(first) and prose >= 0.7 * max(len(second), 1)


def _headed(grid: Grid) -> bool:
    """Whether the first row is the heading of a section, its number set apart: larger type."""
    rows = grid.by_row()
    first = [p for p in rows[0] if p.chunks]
    if not first or not _SECTION.match(first[0].text.strip()):
        return False
    sizes = [w.font.size for row in rows[1:] for p in row for c in p.chunks for w in c.words]
    own = [w.font.size for p in first for c in p.chunks for w in c.words]
    return bool(sizes) and min(own) > 1.12 * sorted(sizes)[len(sizes) // 2]


def _running(grid: Grid) -> bool:
    """Columns of running text: long lines in nearly every cell, each going on below."""
    lines = [c for p in grid.pieces for r in rows_of(p.chunks) for c in r.chunks]
    long = sum(len(c.words) >= 5 for c in lines)
    ends = sum(c.text.rstrip().endswith((",", "-")) or c.text[-1:].islower() for c in lines)
    return len(lines) >= 6 and long > 0.6 * len(lines) and ends > 0.6 * len(lines)


def _numbered(grid: Grid) -> bool:
    """Whether it is a displayed equation with its number at the right: "(13)"."""
    last = [p.text.strip() for p in grid.pieces if p.column == grid.columns - 1 and p.chunks]
    return grid.rows <= 4 and len(last) == 1 and bool(re.fullmatch(r"\(\d[\d.]*[a-z]?\)", last[0]))


def _formulas(filled: Sequence[Piece]) -> bool:
    texts = [p.text for p in filled]
    mathy = sum(sum(ch in _MATH for ch in t) >= 2 for t in texts)
    return mathy > 0.4 * len(texts)
