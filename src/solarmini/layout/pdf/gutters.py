"""Where a row is cut into lines: at gutters of columns and tables, never within a sentence."""

import re
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

WIDE = 2.2  # sizes: a gap this wide parts lines by itself
MIDDLING = 0.9  # needs three rows that leave the same place free
NARROW = 0.55  # needs five
SPREAD = 1.7  # times the usual space of a row
MARKER_REACH = 4.5  # sizes between a list's marker and its text
_BULLET = re.compile(r"^[•◦▪▫●○■□◆◇►▶‣∙·✓✔➢➤❖※☐☑①-⑳ⓐ-ⓩ㉠-㉭]$")
_NUMBER = re.compile(
    r"^(?:[(\[]?(?:\d{1,3}|[A-Za-z]|[ivxlIVXL]{1,5}|[가-힣])[.)\]:]"
    r"|\d{1,2}(?:\.\d{1,2}){1,4}\.?|[*–—\-])$"
)


def _marks(text: str, follows: str) -> bool:
    """Whether `text` is a list's marker or a heading's number, and not a figure in a table."""
    if _BULLET.match(text):
        return True
    # a table goes on with figures, a list with words
    return bool(_NUMBER.match(text)) and (follows.isalpha() or follows in "\"'“‘(「『")


@dataclass(slots=True)
class Gap:
    """Free space inside a row between characters `at - 1` and `at` (in row order)."""

    row: int
    at: int
    left: float
    right: float
    size: float

    @property
    def wide(self) -> float:
        """Width in sizes of the text around."""
        return (self.right - self.left) / self.size


def cuts(
    row: np.ndarray, reach: np.ndarray, u0: np.ndarray, v: np.ndarray, size: np.ndarray, texts: str
) -> np.ndarray:
    """Return where lines begin within rows: bool (n,), for characters sorted by row and u.

    `reach` is how far the row's text reaches before each character, `texts` the characters.
    """
    n = len(row)
    cut = np.zeros(n, dtype=bool)
    if n < 2:
        return cut
    same = row[1:] == row[:-1]
    small = np.minimum(size[1:], size[:-1])
    wide = np.flatnonzero(same & (u0[1:] - reach[1:] >= NARROW * small)) + 1
    if not len(wide):
        return cut
    page = _Page(row, reach, u0, v, size, wide)
    usual = _usual_gaps(row, (u0[1:] - reach[1:]) / small, same)
    start, last_row = 0, -1
    for gap in page.gaps:
        if gap.row != last_row:
            start, last_row = int(page.begins[gap.row]), gap.row
        if gap.wide < MARKER_REACH and _marks(texts[start : gap.at], texts[gap.at]):
            continue
        # in a row that is spread out, a space is no wider than the others
        spread = gap.wide < SPREAD * usual[gap.row]
        need = 3 if gap.wide >= MIDDLING and not spread else 5
        if gap.wide >= WIDE or page.support(gap) >= need:
            cut[gap.at] = True
            start = gap.at
    return cut


def _usual_gaps(row: np.ndarray, gap: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Median width of the spaces of each row with three or more, else 0; in sizes."""
    usual = np.zeros(int(row[-1]) + 1)
    spaces = np.flatnonzero(same & (gap > 0.12))
    if len(spaces):
        rows = row[spaces + 1]
        order = np.lexsort((gap[spaces], rows))
        names, first, count = np.unique(rows[order], return_index=True, return_counts=True)
        middle = gap[spaces][order][first + (count - 1) // 2]
        usual[names] = np.where(count > 2, middle, 0.0)
    return usual


class _Page:
    """The rows of a frame as pieces of text with the gaps between them."""

    def __init__(
        self,
        row: np.ndarray,
        reach: np.ndarray,
        u0: np.ndarray,
        v: np.ndarray,
        size: np.ndarray,
        wide: np.ndarray,
    ) -> None:
        rows = int(row[-1]) + 1
        self.begins = np.searchsorted(row, np.arange(rows))
        self.ends = np.append(self.begins[1:], len(row))
        self.v = v[self.begins].tolist()
        self.size = np.maximum.reduceat(size, self.begins).tolist()
        self.gaps = [
            Gap(r, at, left, right, s)
            for r, at, left, right, s in zip(
                row[wide].tolist(),
                wide.tolist(),
                reach[wide].tolist(),
                u0[wide].tolist(),
                np.minimum(size[wide], size[wide - 1]).tolist(),
                strict=True,
            )
        ]
        # pieces of every row: [left edges], [right edges]
        self.lefts = [[left] for left in u0[self.begins].tolist()]
        ends = np.maximum(reach[self.ends - 1], u0[self.ends - 1] + size[self.ends - 1] * 0.3)
        self.rights: list[list[float]] = [[] for _ in range(rows)]
        for gap in self.gaps:
            self.lefts[gap.row].append(gap.right)
            self.rights[gap.row].append(gap.left)
        for r, end in enumerate(ends.tolist()):
            self.rights[r].append(end)

    def support(self, gap: Gap) -> int:
        """Count the rows in a stretch around `gap` that leave (part of) the same place free."""
        found = 1
        for step in (-1, 1):
            left, right = gap.left, gap.right
            at, last = gap.row + step, self.v[gap.row]
            while 0 <= at < len(self.v) and found < 8:
                if abs(self.v[at] - last) > 3.2 * max(gap.size, self.size[at]):
                    break
                free = self._free(at, left, right)
                if free is None:
                    break
                left, right, sides = free
                if right - left < 0.45 * gap.size:
                    break
                if sides:
                    found += 1
                last = self.v[at]
                at += step
        return found

    def _free(self, at: int, left: float, right: float) -> tuple[float, float, bool] | None:
        """Return what row `at` leaves free of an interval, and whether text is on both sides."""
        lefts, rights = self.lefts[at], self.rights[at]
        middle = (left + right) / 2
        after = bisect_left(lefts, middle)
        before = rights[after - 1] if after else -np.inf
        following = lefts[after] if after < len(lefts) else np.inf
        if before > middle:
            return None
        sides = after > 0 and after < len(lefts)
        return max(left, before), min(right, following), sides
