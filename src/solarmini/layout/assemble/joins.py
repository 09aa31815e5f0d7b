"""Lines that stand apart on one level but are one row: a marker, a number, or a wide space."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from solarmini.layout.assemble.marks import is_caption_label
from solarmini.layout.assemble.rows import Row, make_row, read_marker
from solarmini.layout.primitives import Box, Line, PageContent, Word, union

# a number that counts sections or notes, printed apart from its text
NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,2}){0,4}|[A-Z]\.\d+(?:\.\d+)*|[*†‡§¶]{1,3}")
STARTS_TEXT = re.compile(r"[“\"'‘(<]?[^\W\d_](?:[^\W\d_]|[ .])")
PAGE = re.compile(r"\d{1,4}|[ivxlc]{1,6}")
EQUATION_NUMBER = re.compile(r"\(\s*[A-Z]?\d+(?:\.\d+)*[a-z]?\s*\)")
FORMULA = re.compile(r"[=<>≤≥≈∈∑∫√±×÷→⇒∝]")


def make_rows(lines: Iterable[Line], content: PageContent) -> list[Row]:
    """Return the rows of a page's free lines."""
    pieces = [piece for line in lines if line.words for piece in split_at_seams(line)]
    rows = [make_row([piece], content.width, content.height) for piece in pieces]
    upright = [row for row in rows if row.angle == 0]
    turned = [row for row in rows if row.angle != 0]
    joiner = _Joiner(upright, content)
    joiner.drop_caps()
    joiner.markers()
    joiner.equation_numbers()
    joiner.page_numbers()
    joiner.wide_spaces()
    joiner.flush()
    return joiner.rows + turned


def split_at_seams(line: Line) -> list[Line]:
    """Cut a line where two texts meet on one level: a large initial, or another type past a gap."""
    if line.angle or len(line.words) < 2:
        return [line]
    words = [_lowered(word, line.size) for word in line.words]
    cuts = [i for i in range(1, len(words)) if _is_seam(words[i - 1], words[i])]
    if not cuts:
        return [line]
    ends = [*cuts, len(words)]
    parts = [tuple(words[a:b]) for a, b in zip([0, *cuts], ends, strict=True)]
    return [replace(line, words=part, box=union(word.box for word in part)) for part in parts]


def _lowered(word: Word, size: float) -> Word:
    """A word as large as its line is not raised, whatever stands beside it."""
    return replace(word, raised="") if word.raised and word.font.size >= size else word


def _is_seam(left: Word, right: Word) -> bool:
    if left.raised or right.raised:
        return False
    small, large = sorted((left.font.size, right.font.size))
    if large > 1.7 * small:
        return True
    gap = right.box.left - left.box.right
    return gap > 0.55 * small and large > 1.09 * small and left.font.name != right.font.name


class _Joiner:
    """Joins rows of one level; each step sees what the steps before it made."""

    def __init__(self, rows: Sequence[Row], content: PageContent) -> None:
        self._keep(rows)
        self.content = content
        self.initials: list[Box] = []

    def _keep(self, rows: Iterable[Row]) -> None:
        self.rows = sorted(rows, key=lambda row: (row.box.top, row.box.left))
        self._tops = [row.box.top for row in self.rows]
        self._tallest = max((row.box.height for row in self.rows), default=0.0)

    def _near(self, row: Row, reach: float = 0.0) -> list[Row]:
        """Rows that may stand on a level with a row, or `reach` points above or below it."""
        first = bisect_left(self._tops, row.box.top - self._tallest - reach)
        last = bisect_right(self._tops, row.box.bottom + reach)
        return self.rows[first:last]

    def _apply(self, pairs: Iterable[tuple[Row, Row]]) -> None:
        """Join (left, right) pairs; chains become one row."""
        after: dict[int, Row] = {}
        taken: set[int] = set()
        for left, right in pairs:
            if id(left) not in after and id(right) not in taken:
                after[id(left)] = right
                taken.add(id(right))
        if not after:
            return
        joined = []
        for row in self.rows:
            if id(row) in taken:
                continue
            lines, at = list(row.lines), row
            while id(at) in after:
                at = after[id(at)]
                lines += at.lines
            changed = len(lines) > len(row.lines)
            joined.append(self._made(lines) if changed else row)
        self._keep(joined)

    def _made(self, lines: list[Line]) -> Row:
        return make_row(lines, self.content.width, self.content.height)

    def _right_of(self, row: Row, reach: float) -> Row | None:
        """The nearest row on the same level, no further than `reach` to the right."""
        best: Row | None = None
        for other in self._near(row):
            gap = other.box.left - row.box.right
            if other is not row and -1 < gap < reach and _level(row, other):
                best = other if best is None or other.box.left < best.box.left else best
        return best

    def drop_caps(self) -> None:
        """A large first letter belongs to the first of the lines beside it."""
        for cap in [row for row in self.rows if len(row.text) == 1 and row.text.isalpha()]:
            beside = [
                row
                for row in self._near(cap)
                if 0 <= row.box.left - cap.box.right + 2 < 0.6 * cap.size
                and cap.size > 1.9 * row.size
                and min(row.box.bottom, cap.box.bottom) - max(row.box.top, cap.box.top)
                > 0.4 * row.box.height
            ]
            if len(beside) < 2:
                continue
            first = min(beside, key=lambda row: row.box.top)
            self._add_initial(cap, first)
            self.initials.append(cap.box)

    def _add_initial(self, cap: Row, first: Row) -> None:
        line = first.lines[0]
        spaced = first.text[:1].isupper() and not first.caps  # "A Harbour", "I Went"
        words = (replace(line.words[0], space=spaced), *line.words[1:])
        words = (*cap.words, *words)
        first.lines[0] = replace(line, words=words, box=union(word.box for word in words))
        first.text = cap.text + (" " if spaced else "") + first.text
        self._keep(row for row in self.rows if row is not cap)

    def flush(self) -> None:
        """Lines beside a large initial begin where those below it do."""
        for cap in self.initials:
            for row in self.rows:
                first, *others = row.words
                if first.box == cap and others:
                    row.box = union(word.box for word in others)._replace(left=cap.left)
                high = min(row.box.bottom, cap.bottom) - max(row.box.top, cap.top)
                if 0 < row.box.left - cap.right + 2 < 0.6 * cap.height and high > 0.4 * row.size:
                    row.box = row.box._replace(left=cap.left)

    def markers(self) -> None:
        """Bullets, numbers of items, sections and notes, and the text that they stand before."""
        pairs = []
        for row in self.rows:
            if len(row.text) > 14:
                continue
            listed = _is_bare_marker(row.text) or is_caption_label(row.text)
            if not listed and not NUMBER.fullmatch(row.text):
                continue
            right = self._right_of(row, (4.5 if listed else 3.0) * max(row.size, row.box.height))
            if right is None or _is_bare_marker(right.text) or row.size > 1.5 * right.size:
                continue
            if listed or STARTS_TEXT.match(right.text):
                pairs.append((row, right))
        self._apply(pairs)

    def equation_numbers(self) -> None:
        """A number in brackets at the end of a displayed formula."""
        pairs = []
        for row in self.rows:
            if EQUATION_NUMBER.fullmatch(row.text):
                left = self._left_of(row)
                if left is not None and FORMULA.search(left.text):
                    pairs.append((left, row))
        self._apply(pairs)

    def _left_of(self, row: Row) -> Row | None:
        left = [r for r in self._near(row) if r.box.right < row.box.left + 1 and _level(r, row)]
        return max(left, key=lambda other: other.box.right) if left else None

    def page_numbers(self) -> None:
        """Page numbers of a table of contents, which stand below each other at the right."""
        pairs = []
        for near in _stacks([row for row in self.rows if PAGE.fullmatch(_page(row))]):
            found = [(left, row) for row in near if (left := self._left_of(row)) is not None]
            found = [(left, row) for left, row in found if STARTS_TEXT.search(left.text)]
            numbers = [int(_page(row)) for _, row in found if _page(row).isdecimal()]
            falls = sum(a > b for a, b in pairwise(numbers))
            enough = len(found) >= 3 and len(found) >= 0.7 * len(near)
            if enough and falls <= 0.15 * len(numbers) and len(set(numbers)) * 2 >= len(numbers):
                pairs += found
        before = {id(row) for row in self.rows}
        self._apply(pairs)
        for row in self.rows:
            row.entry = row.entry or id(row) not in before

    def wide_spaces(self) -> None:
        """Words set far apart to fill a line: text above or below runs across the gap."""
        for _ in range(4):  # a row made whole is a bridge for the next
            before = len(self.rows)
            self._apply(self._wide_pairs())
            if len(self.rows) == before:
                return

    def _wide_pairs(self) -> list[tuple[Row, Row]]:
        pairs = []
        for row in self.rows:
            right = self._right_of(row, 12 * row.size)
            if right is None or not 0.9 < row.size / max(right.size, 0.1) < 1.1:
                continue
            if abs(row.baseline - right.baseline) < 0.2 * row.size and self._is_bridged(row, right):
                pairs.append((row, right))
        return pairs

    def _is_bridged(self, left: Row, right: Row) -> bool:
        """Whether a line of the same paragraph covers the gap: one of this size, close by."""
        size, start, end = left.size, left.box.right - 1, right.box.left + 1
        return any(
            row.box.left < start
            and row.box.right > end
            and 0.5 * size < abs(row.baseline - left.baseline) < 1.75 * size
            and 0.92 < row.size / size < 1.09
            for row in self._near(left, 2 * size)
        )


def _page(row: Row) -> str:
    """The text of a row without the dots that lead to a page number."""
    return row.text.lstrip(" .…·")


def _stacks(rows: Iterable[Row]) -> list[list[Row]]:
    """Group rows that stand below each other, by their right ends; top to bottom."""
    stacks: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: row.box.right):
        if stacks and row.box.right - stacks[-1][0].box.right < 1.2 * row.size:
            stacks[-1].append(row)
        else:
            stacks.append([row])
    return [sorted(stack, key=lambda row: row.box.top) for stack in stacks]


def _is_bare_marker(text: str) -> bool:
    mark = read_marker(text)
    return mark is not None and mark[0] == text


def _level(row: Row, other: Row) -> bool:
    shared = min(row.box.bottom, other.box.bottom) - max(row.box.top, other.box.top)
    return shared > 0.5 * min(row.box.height, other.box.height)
