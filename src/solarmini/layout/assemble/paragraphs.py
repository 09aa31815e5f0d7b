"""Paragraphs: where a chunk of rows is broken by spacing, indents, short lines, style, markers."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from solarmini.layout.assemble.rows import Measures, Row, read_marker

ENDS = tuple(".!?:;…。”\"')]")
DOTS = "....", "…", ". . ."


def split_paragraphs(rows: Sequence[Row], measures: Measures) -> list[list[Row]]:
    """Cut the rows of one chunk (top to bottom) into paragraphs."""
    if not rows:
        return []
    context = _Context(rows, measures)
    groups = [[rows[0]]]
    for at in range(1, len(rows)):
        if context.breaks(groups[-1], at):
            groups.append([])
        groups[-1].append(rows[at])
    return groups


class _Context:
    """What the breaks of one chunk are judged by."""

    def __init__(self, rows: Sequence[Row], measures: Measures) -> None:
        self.rows = rows
        self.measures = measures
        self.step = self._usual_step()
        self.centred = _is_centred(rows)
        self.markers = [read_marker(row.text) for row in rows]

    def _usual_step(self) -> float:
        steps = [
            below.baseline - above.baseline
            for above, below in pairwise(self.rows)
            if self.measures.same_size(above.size, below.size)
        ]
        body = self.measures.same_size(self.rows[0].size, self.measures.size)
        if len(steps) > 2:
            steps.sort()
            usual = steps[(len(steps) - 1) // 2]
            if not body or usual < 1.25 * self.measures.leading:
                return usual
        return self.measures.leading if body else max(steps, default=1.3 * self.rows[0].size)

    def breaks(self, group: Sequence[Row], at: int) -> bool:
        """Whether row `at` begins a new paragraph after `group`."""
        prev, row = self.rows[at - 1], self.rows[at]
        if self._style_changes(prev, row) or self._marker_starts(group, at):
            return True
        step = row.baseline - prev.baseline
        slack = 0.35 if self.measures.fuzzy else 0.18
        if step > self.step * (1 + slack) + 0.5:
            return True
        if is_entry(prev) or (is_entry(row) and ends_in_page(prev.text)):
            return True
        if self.centred or not self._is_text(prev):
            return False
        return self._indent_breaks(group, at) or self._ends_short(at)

    def _is_text(self, row: Row) -> bool:
        return row.size <= self.measures.size * 1.15

    def _style_changes(self, prev: Row, row: Row) -> bool:
        if not self.measures.same_size(prev.size, row.size):
            return True
        if prev.bold > 0.95 and row.bold < 0.5 and not row.words[0].font.bold:
            return True
        if row.bold > 0.95 and prev.bold < 0.5 and not prev.words[-1].font.bold:
            return True
        mixed = _shouts(prev) != _shouts(row)
        if mixed and self.step and min(len(prev.text), len(row.text)) > 6:
            caps, other = (prev, row) if _shouts(prev) else (row, prev)
            return caps.font != other.font or (caps is prev and not prev.text.endswith((",", "-")))
        return prev.color != row.color and prev.font != row.font and not _linked(prev, row)

    def _marker_starts(self, group: Sequence[Row], at: int) -> bool:
        mark, first = self.markers[at], self.rows[at].words[0]
        if first.raised == "superscript" and len(first.text) <= 3:
            return self._stands_left(at)  # the next footnote
        if mark is None:
            return False
        if not mark[1]:
            return mark[0] not in "-–—" or self._stands_left(at)
        return self._stands_left(at) and (
            self.rows[at - 1].text.endswith(ENDS)
            or read_marker(group[0].text) is not None
            or self._ends_short(at)
        )

    def _stands_left(self, at: int) -> bool:
        """Whether the row begins no further right than the text around it."""
        near = self.rows[max(at - 2, 0) : at + 3]
        return (
            self.rows[at].box.left <= min(row.box.left for row in near) + 2.2 * self.measures.size
        )

    def _indent_breaks(self, group: Sequence[Row], at: int) -> bool:
        prev, row = self.rows[at - 1], self.rows[at]
        shift, least = row.box.left - prev.box.left, 0.7 * row.size
        if abs(shift) < least:
            return False
        if len(group) > 1:
            return True
        if shift < 0:  # after a first line with an indent
            return shift < -6 * row.size
        if _is_marked(group[0]):
            return False
        after = self.rows[at + 1] if at + 1 < len(self.rows) else None
        return after is not None and after.box.left < row.box.left - least

    def _ends_short(self, at: int) -> bool:
        """Whether the first word of row `at` would have fitted at the end of the row before."""
        prev, row = self.rows[at - 1], self.rows[at]
        near = self.rows[max(at - 4, 0) : at + 5]
        edge = max(other.box.right for other in near)
        room = edge - prev.box.right
        if prev.text.endswith(("-", "\u00ad", ",")) and prev.text[-2:-1].isalpha():
            return False
        slack = 0.8 if prev.text.endswith(ENDS) else 2.5
        return room > row.first_width + slack * row.size


def _shouts(row: Row) -> bool:
    """Whether a row is set in capitals, not an acronym among numbers."""
    return row.caps and 2 * sum(c.isalpha() for c in row.text) > len(row.text)


def _is_marked(row: Row) -> bool:
    """Whether a row begins with a marker or the number of a note, from which text may hang."""
    raised = bool(row.words[0].raised)
    return raised or len(row.lines) > 1 or read_marker(row.text) is not None


def _linked(prev: Row, row: Row) -> bool:
    return any(word.link or "://" in word.text for word in (prev.words[-1], row.words[0]))


def is_entry(row: Row) -> bool:
    """Whether a row is a line of a table of contents."""
    return row.entry or leads_to_page(row.text)


def leads_to_page(text: str) -> bool:
    """Whether a line is one of a table of contents with dots: text .... 12."""
    return ends_in_page(text) and any(dots in text for dots in DOTS)


def ends_in_page(text: str) -> bool:
    """Whether a line ends in a page number."""
    last = text.rsplit(" ", 1)[-1].strip(".…")
    return 0 < len(last) <= 4 and (last.isdecimal() or set(last) <= set("ivxlc"))


def _is_centred(rows: Sequence[Row]) -> bool:
    """Whether lines of different width have one middle."""
    if len(rows) < 2:
        return False
    lefts = [row.box.left for row in rows]
    middles = [row.box.center[0] for row in rows]
    size = median(row.size for row in rows)
    return max(middles) - min(middles) < 0.6 * size and max(lefts) - min(lefts) > 1.2 * size
