"""Words of a page as a table sees them: chunks parted by gaps, rows of chunks, kinds of content."""

import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from solarmini.layout.primitives import Box, Line, Word, union
from solarmini.layout.tables.edges import Edge
from solarmini.layout.values import is_value

# white between two words, in font sizes, that parts them into two chunks
GAP = 0.62
_NUMBER_GAP = 0.4  # the same between two numbers, which have no other reason to stand apart


@dataclass(frozen=True, slots=True)
class Chunk:
    """Words side by side without a gap as wide as one between columns."""

    words: tuple[Word, ...]
    box: Box
    line: int  # index of the Line it is part of

    @property
    def text(self) -> str:
        """The words with their spaces."""
        return "".join((" " if w.space and i else "") + w.text for i, w in enumerate(self.words))

    @property
    def numeric(self) -> bool:
        """Whether it reads as a value: a number, a share, a range, a mark."""
        return is_value(self.text)


@dataclass(slots=True)
class TextRow:
    """Chunks that stand on one line across the page, from left to right."""

    chunks: list[Chunk]
    box: Box = field(init=False)

    def __post_init__(self) -> None:
        self.chunks.sort(key=lambda c: c.box.left)
        self.box = union(c.box for c in self.chunks)

    @property
    def middle(self) -> float:
        """y of the middle of its text."""
        return median((c.box.top + c.box.bottom) / 2 for c in self.chunks)


def font_size(lines: Sequence[Line]) -> float:
    """Median font size of the lines' characters, 10 when there are none."""
    sizes = sorted((line.size, len(line.words)) for line in lines)
    half, seen = sum(n for _, n in sizes) / 2, 0
    for size, count in sizes:
        seen += count
        if seen >= half:
            return max(size, 1.0)
    return 10.0


def chunks_of(lines: Sequence[Line], verticals: Sequence[Edge] = ()) -> list[Chunk]:
    """Part the lines (those read from left to right) into chunks at wide gaps and at rules.

    `verticals` are vertical edges; one between two words parts them however close they are.
    """
    chunks: list[Chunk] = []
    for index, line in enumerate(lines):
        if line.angle or not line.words:
            continue
        crossing = [
            e.at for e in verticals if e.start < line.box.bottom - 1 and e.end > line.box.top + 1
        ]
        words = sorted(line.words, key=lambda w: w.box.left)
        run: list[Word] = [words[0]]
        wide = _stretched(words)
        for word in words[1:]:
            if _parts(run[-1], word, crossing, wide):
                chunks.append(_chunk(run, index))
                run = []
            run.append(word)
        chunks.append(_chunk(run, index))
    return chunks


def _chunk(words: list[Word], line: int) -> Chunk:
    return Chunk(tuple(words), union(w.box for w in words), line)


def _stretched(words: Sequence[Word]) -> float:
    """Gap (points) up to which the words of a justified line belong together, 0 for other lines."""
    if len(words) < 4 or letters("".join(w.text for w in words)) < 0.6 * sum(
        len(w.text) for w in words
    ):
        return 0.0
    gaps = [b.box.left - a.box.right for a, b in itertools.pairwise(words)]
    # wider than this no printer stretches a space: the words are cells
    size = max(words[0].font.size, 1.0)
    return 1.5 * median(gaps) if median(gaps) < 0.8 * size else 0.0


def _parts(left: Word, right: Word, crossing: Sequence[float], wide: float) -> bool:
    gap = right.box.left - left.box.right
    size = max(min(left.font.size, right.font.size), 1.0)
    if gap > max(GAP * size, wide):
        return True
    middle = (left.box.right + right.box.left) / 2
    if any(abs(x - middle) <= max(gap, 1.0) / 2 + 1.0 for x in crossing):
        return True
    return gap > _NUMBER_GAP * size and _digits(left.text) and _digits(right.text)


def _digits(text: str) -> bool:
    return sum(c.isdigit() for c in text) * 2 > len(text)


def rows_of(chunks: Iterable[Chunk]) -> list[TextRow]:
    """Group chunks whose middles lie on one line, top to bottom."""
    rows: list[list[Chunk]] = []
    spans: list[tuple[float, float]] = []  # top and bottom of the row's first chunk
    for chunk in sorted(chunks, key=lambda c: c.box.top + c.box.bottom):
        box = chunk.box
        best = -1
        for at in range(len(rows) - 1, max(len(rows) - 4, -1), -1):
            top, bottom = spans[at]
            shared = min(bottom, box.bottom) - max(top, box.top)
            if shared > 0.5 * min(bottom - top, box.height) and not _collides(rows[at], box):
                best = at
                break
        if best < 0:
            rows.append([chunk])
            spans.append((box.top, box.bottom))
        else:
            rows[best].append(chunk)
            top, bottom = spans[best]
            spans[best] = (
                (max(top, box.top), min(bottom, box.bottom))
                if (min(bottom, box.bottom) - max(top, box.top) > 1.0)
                else (top, bottom)
            )
    return sorted((TextRow(row) for row in rows), key=lambda r: r.middle)


def _collides(row: list[Chunk], box: Box) -> bool:
    """Whether `box` stands over or under a chunk of the row, so that it is another line."""
    for chunk in row:
        shared = min(chunk.box.right, box.right) - max(chunk.box.left, box.left)
        if shared > 0.25 * min(chunk.box.width, box.width) and shared > 1.0:
            return True
    return False


def letters(text: str) -> int:
    """Number of letters of any script."""
    return sum(unicodedata.category(c).startswith("L") for c in text)
