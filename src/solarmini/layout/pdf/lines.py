"""Characters → words → lines."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import numpy as np

from solarmini.layout.pdf.characters import GENERATED, WRITTEN, Characters
from solarmini.layout.pdf.frame import Frame, frames
from solarmini.layout.pdf.gutters import cuts
from solarmini.layout.pdf.links import Link
from solarmini.layout.pdf.rows import LOWERED, RAISED, find_rows
from solarmini.layout.pdf.smallcaps import small_capitals
from solarmini.layout.pdf.visible import drop_unseen
from solarmini.layout.primitives import Box, Line, PageContent, Rule, Word, union

_RAISED: dict[int, Literal["", "superscript", "subscript"]]
_RAISED = {0: "", RAISED: "superscript", LOWERED: "subscript"}
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl"}
_LIGATURES |= {0xFB05: "st", 0xFB06: "st"}
SPACE = 0.16  # sizes: a gap that is a space where the file writes none
LIKELY = 0.09  # where PDFium, which knows how wide the font's own space is, sees one too
INITIAL = 2.2  # times larger than the text it begins
OVERLAP = -0.35  # sizes: a written space that is taken back by more than this is none


def build_lines(
    characters: Characters, links: Sequence[Link], content: PageContent, grounds: list[Box]
) -> list[Line]:
    """Return the lines of a page in the order of the file; drops what cannot be seen."""
    drop_unseen(characters, content, grounds)
    lines: list[Line] = []
    for frame in frames(characters):
        lines += _Builder(characters, frame, links, content.rules).lines()
    lines.sort(key=lambda line: line.order)
    return lines


class _Builder:
    """The characters of one frame, sorted by row and place; then cut into words and lines."""

    def __init__(
        self, characters: Characters, frame: Frame, links: Sequence[Link], rules: list[Rule]
    ) -> None:
        row, raised = find_rows(frame)
        order = np.lexsort((np.arange(len(row)), frame.u0, row))
        order = order[~_doubled(characters, frame, row, order)]
        self.characters, self.frame, self.rules = characters, frame, rules
        self.index = frame.index[order]
        self.row, self.raised = row[order], raised[order]
        self.u0, self.u1, self.v = frame.u0[order], frame.u1[order], frame.v[order]
        self.size, self.style = frame.size[order], frame.style[order]
        self.reach = _reach(self.row, self.u1)
        self.codes = characters.codes[self.index].tolist()
        self.link = _linked(characters.ink[self.index], links)
        self.links = links

    def lines(self) -> list[Line]:
        spaces = self._spaces()
        text = "".join(map(chr, self.codes))
        cut = cuts(self.row, self.reach, self.u0, self.v, self.size, text)
        cut[0] = True
        cut[1:] |= self.row[1:] != self.row[:-1]
        # a large initial stands on the level of some line, but is not part of it
        ratio = self.size[1:] / self.size[:-1]
        level = (self.raised[1:] == 0) & (self.raised[:-1] == 0)
        cut[1:] |= level & ((ratio > INITIAL) | (ratio < 1 / INITIAL))
        if self.frame.angle == 0:
            cut |= self._ruled()
        words, starts = self._words(spaces, cut)
        found = []
        bounds = [*np.flatnonzero(cut[starts]).tolist(), len(words)]
        firsts = np.minimum.reduceat(self.index, np.flatnonzero(cut)).tolist()
        for (first, last), order in zip(pairwise(bounds), firsts, strict=True):
            part = tuple(words[first:last])
            box = union([word.box for word in part])
            if _leftward(part):
                part = _turned(part)
            found.append(Line(part, box, self.frame.angle, order))
        return found

    def _spaces(self) -> np.ndarray:
        """Whether white space stands before each character: bool (n,)."""
        n = len(self.row)
        space = np.ones(n, dtype=bool)
        if n < 2:
            return space
        gap = self.u0[1:] - self.reach[1:]
        em = np.minimum(self.size[1:], self.size[:-1])
        gap = gap / em
        follows = self.index[1:] == self.index[:-1] + 1
        before = self.characters.before[self.index[1:]]
        written = follows & ((before & WRITTEN) > 0)
        same = self.row[1:] == self.row[:-1]
        # letters set apart: only what stands out from the row's own tracking is a space
        tracking = _tracking(self.row, gap, same & ~written)
        least = np.where(follows & ((before & GENERATED) > 0), LIKELY, SPACE)
        space[1:] = np.where(written, gap > OVERLAP, gap > least + tracking) | ~same
        return space

    def _ruled(self) -> np.ndarray:
        """Where a vertical rule passes between two characters of a row."""
        cut = np.zeros(len(self.row), dtype=bool)
        upright = [rule.box for rule in self.rules if not rule.horizontal]
        if not upright or len(cut) < 2:
            return cut
        gaps = np.flatnonzero(
            (self.row[1:] == self.row[:-1]) & (self.u0[1:] - self.reach[1:] > 0.05 * self.size[1:])
        )
        gaps += 1
        if not len(gaps):
            return cut
        boxes = np.array(upright)
        left, right = self.reach[gaps, None], self.u0[gaps, None]
        middle = (boxes[:, 0] + boxes[:, 2]) / 2
        baseline, size = self.v[gaps, None], self.size[gaps, None]
        through = (middle > left - 0.1 * size) & (middle < right + 0.1 * size)
        through &= (boxes[:, 1] < baseline - 0.5 * size) & (boxes[:, 3] > baseline - 0.1 * size)
        cut[gaps] = through.any(1)
        return cut

    def _words(self, spaces: np.ndarray, cut: np.ndarray) -> tuple[list[Word], np.ndarray]:
        styles = self.characters.styles
        fonts: dict[tuple, int] = {}
        look = np.array(
            [fonts.setdefault((id(s.font), s.color), len(fonts)) for s in styles], dtype=np.int64
        )[self.style]
        begin = spaces | cut
        begin[1:] |= (look[1:] != look[:-1]) | (self.raised[1:] != self.raised[:-1])
        begin[1:] |= self.link[1:] != self.link[:-1]
        # the parts of one glyph stay together
        starts = np.flatnonzero(begin)
        boxes = self._boxes(starts).tolist()
        capital = self._capitals(starts)
        ends = [*starts[1:].tolist(), len(self.codes)]
        words = []
        for at, end, box in zip(starts.tolist(), ends, boxes, strict=True):
            style = styles[self.style[at]]
            target = int(self.link[at])
            words.append(
                Word(
                    text=_text(self.codes[at:end], capital[at:end]),
                    box=Box(*box),
                    font=style.font,
                    baseline=self._baseline(at),
                    space=bool(spaces[at] or cut[at]),
                    color=style.color,
                    raised=_RAISED[int(self.raised[at])],
                    link=self.links[target].target if target >= 0 else None,
                )
            )
        return words, starts

    def _capitals(self, starts: np.ndarray) -> list[bool]:
        dx, dy = self.frame.direction
        if dy != 0 or dx <= 0:
            return [False] * len(self.codes)
        ink, size = self.characters.ink[self.index], self.size
        line = self.characters.origin[self.index, 1]
        fonts: dict[int, int] = {}
        face = [fonts.setdefault(s.face, len(fonts)) for s in self.characters.styles]
        return small_capitals(
            np.array(self.codes),
            self.u0,
            (line - ink[:, 1]) / size,
            (ink[:, 3] - line) / size,
            np.array(face)[self.style],
            starts,
        ).tolist()

    def _baseline(self, at: int) -> float:
        # on the page: y of upright text, x of text that runs up or down
        origin = self.characters.origin[self.index[at]]
        return float(origin[0] if self.frame.angle in (90, 270) else origin[1])

    def _boxes(self, starts: np.ndarray) -> np.ndarray:
        """Boxes of words on the page: as wide as the ink, as high as the font."""
        styles = self.characters.styles
        ascent = np.array([s.ascent for s in styles])[self.style]
        descent = np.array([s.descent for s in styles])[self.style]
        cells = self.frame.page_boxes(self.u0, self.u1, self.v - ascent, self.v + descent)
        ink = self.characters.ink[self.index]
        inked = (ink[:, 2] - ink[:, 0] > 0.01) & (ink[:, 3] - ink[:, 1] > 0.01)
        dx, dy = self.frame.direction
        if dx == 0 or dy == 0:
            # along the text the ink counts, across it the font
            along = (0, 2) if dy == 0 else (1, 3)
            for side in along:
                cells[:, side] = np.where(inked, ink[:, side], cells[:, side])
            across = (1, 3) if dy == 0 else (0, 2)
            # a sign that hangs far off its baseline (large operators): where its ink is
            over = np.minimum(ink[:, across[1]], cells[:, across[1]]) - np.maximum(
                ink[:, across[0]], cells[:, across[0]]
            )
            high = ink[:, across[1]] - ink[:, across[0]]
            off = inked & (over < 0.3 * high)
            for side in across:
                cells[:, side] = np.where(off, ink[:, side], cells[:, side])
        low = np.minimum.reduceat(cells[:, :2], starts, axis=0)
        return np.hstack([low, np.maximum.reduceat(cells[:, 2:], starts, axis=0)])


def _reach(row: np.ndarray, u1: np.ndarray) -> np.ndarray:
    """How far to the right the row's text reaches before each character."""
    if not len(row):
        return u1
    lift = row.astype(np.float64) * 1e6  # rows do not see each other
    reach = np.maximum.accumulate(u1 + lift) - lift
    return np.concatenate([[u1[0]], reach[:-1]])


def _tracking(row: np.ndarray, gap: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """Usual gap (in sizes) between the letters of each gap's row, where they are set apart.

    The lower quartile: of a short row the spaces are a large part.
    """
    found = np.zeros(len(gap))
    inside = np.flatnonzero(letters & (gap > -0.3) & (gap < 1.0))
    if not len(inside):
        return found
    rows = row[inside + 1]
    wide = np.zeros(int(row[-1]) + 1)
    order = np.lexsort((gap[inside], rows))
    names, first, count = np.unique(rows[order], return_index=True, return_counts=True)
    low = gap[inside][order][first + count // 4]
    wide[names] = np.where((low > 0.06) & (count >= 4), low, 0.0)
    return wide[row[1:]]


def _doubled(
    characters: Characters, frame: Frame, row: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """Which of the sorted characters repeat a neighbour at the same place (fake bold, shadow)."""
    double = np.zeros(len(order), dtype=bool)
    codes, u0, v = characters.codes[frame.index][order], frame.u0[order], frame.v[order]
    size, style, rows = frame.size[order], frame.style[order], row[order]
    wide = frame.u1[order] - u0
    for back in (1, 2):
        if len(order) <= back:
            break
        near = (u0[back:] - u0[:-back]) < np.minimum(0.12 * size[back:], 0.4 * wide[back:])
        near &= np.abs(v[back:] - v[:-back]) < 0.12 * size[back:]
        near &= (codes[back:] == codes[:-back]) & (rows[back:] == rows[:-back])
        # the parts of a ligature lie in one place too, but in one text object
        near &= style[back:] != style[:-back]
        near &= np.abs(size[back:] - size[:-back]) < 0.05 * size[back:]
        double[back:] |= near
    return double


def _leftward(words: Sequence[Word]) -> bool:
    """Whether most letters are of a script that is read from right to left."""
    letters = [char for word in words for char in word.text if not char.isascii()]
    if not letters or max(letters) < "\u0590":
        return False
    right = sum(unicodedata.bidirectional(char) in ("R", "AL") for char in letters)
    return right * 2 > sum(char.isalpha() for word in words for char in word.text)


def _turned(words: Sequence[Word]) -> tuple[Word, ...]:
    """Bring words and letters from the order seen to the order read."""
    turned = []
    for at in range(len(words) - 1, -1, -1):
        word = words[at]
        text = word.text
        if any(unicodedata.bidirectional(char) in ("R", "AL") for char in text):
            # marks follow their letters in the file; shapes of letters are the letters
            text = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text)[::-1])
        space = words[at + 1].space if at + 1 < len(words) else True
        turned.append(replace(word, text=text, space=space))
    return tuple(turned)


def _linked(ink: np.ndarray, links: Sequence[Link]) -> np.ndarray:
    """Index of the link that each character's middle lies in, or -1."""
    of = np.full(len(ink), -1, dtype=np.int64)
    x, y = (ink[:, 0] + ink[:, 2]) / 2, (ink[:, 1] + ink[:, 3]) / 2
    for number, link in enumerate(links):
        for box in link.boxes:
            inside = (x >= box.left) & (x <= box.right) & (y >= box.top) & (y <= box.bottom)
            of[inside] = number
    return of


def _text(codes: list[int], capital: list[bool]) -> str:
    if any(capital):
        codes = [ord(chr(c).upper()[0]) if up else c for c, up in zip(codes, capital, strict=True)]
    text = "".join([_LIGATURES.get(code) or chr(code) for code in codes])
    if text.isascii():
        return text
    if any(0xD800 <= code < 0xE000 for code in codes):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return unicodedata.normalize("NFC", text)
