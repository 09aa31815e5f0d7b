"""From read lines in pixels to Lines in points: font sizes and weights evened out, in order."""

from collections.abc import Sequence

import numpy as np

from solarmini.layout.ocr.pixels import Rect
from solarmini.layout.ocr.reading import ReadLine
from solarmini.layout.primitives import Box, Font, Line, Word, union

ALIKE = 0.16  # sizes of neighbouring lines that differ less (log) are those of one block
SNAP = 0.07  # blocks whose sizes differ less (log) share one size
# Strokes in pixels are about SOFT + a share of the font size: the edges of letters are soft, and
# small letters run together. The share is .05 for regular faces and .11 for bold ones.
SOFT = 1.6
REGULAR = 0.055
HEAVY = 0.095
BOLD = 1.27  # strokes this much heavier than the page's usual are bold
BODY = 0.30  # log distance from the usual size in which strokes show the usual weight
LETTERS = 4  # fewer letters (page numbers, labels of axes) do not show a weight


def lines_of(
    read: Sequence[ReadLine], scale: tuple[float, float], corner: tuple[float, float] = (0.0, 0.0)
) -> list[Line]:
    """Return Lines in points; `scale` is points per pixel (x, y), `corner` the picture's place."""
    ordered = sorted(read, key=lambda line: (line.rect.top + line.rect.bottom) / 2)
    sizes = even_sizes(ordered)
    weights = _weights(ordered, sizes)
    found = []
    for order, (line, size, weight) in enumerate(zip(ordered, sizes, weights, strict=True)):
        across = scale[0] if line.angle else scale[1]
        font = Font("", round(float(size) * across, 2), weight)
        baseline = line.baseline * across + corner[0 if line.angle else 1]
        words = tuple(
            Word(
                word.text,
                _box(word.rect, scale, corner),
                font,
                baseline,
                color=line.color,
                confidence=min(max(word.confidence, 0.0), 1.0),
            )
            for word in line.words
        )
        found.append(Line(words, union(w.box for w in words), line.angle, order))
    return found


def _box(rect: Rect, scale: tuple[float, float], corner: tuple[float, float]) -> Box:
    x, y = corner
    return Box(
        x + rect.left * scale[0],
        y + rect.top * scale[1],
        x + rect.right * scale[0],
        y + rect.bottom * scale[1],
    )


def even_sizes(lines: Sequence[ReadLine]) -> np.ndarray:
    """Return the font size of each line in pixels, one size in a block, one for like blocks.

    A single line's ink tells its size to some ten percent: it depends on which letters it holds.
    """
    raw = np.array([max(line.size, 1.0) for line in lines])
    if not len(raw):
        return raw
    block = _blocks(lines, np.log(raw))
    sizes, letters = [], []
    for number in range(block.max() + 1):
        own = np.flatnonzero(block == number)
        lengths = np.array([len(lines[i].text) for i in own], dtype=np.float64)
        sizes.append(_median(raw[own], lengths))
        letters.append(lengths.sum())
    return _snapped(np.array(sizes), np.array(letters))[block]


def _blocks(lines: Sequence[ReadLine], logs: np.ndarray) -> np.ndarray:
    """Number the lines by block: lines close below one another, of like size and weight."""
    parent = list(range(len(lines)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, line in enumerate(lines):
        for j in range(i + 1, len(lines)):
            other = lines[j]
            if other.rect.top > line.rect.bottom + 1.2 * line.size:
                if other.rect.top > line.rect.bottom + 4 * line.size:
                    break
                continue
            shared = min(line.rect.right, other.rect.right) - max(line.rect.left, other.rect.left)
            if shared < 0.3 * min(line.rect.width, other.rect.width):
                continue
            heavier = abs(np.log((line.stroke + 0.01) / (other.stroke + 0.01)))
            if line.angle == other.angle and abs(logs[i] - logs[j]) < ALIKE and heavier < 0.3:
                parent[root(j)] = root(i)
    return np.unique([root(i) for i in range(len(lines))], return_inverse=True)[1]


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    half = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(half, half[-1] / 2)])


def _snapped(sizes: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """Give blocks the size of a larger block (in letters) that is almost the same."""
    snapped = sizes.copy()
    taken: list[float] = []
    for i in np.argsort(-letters):
        near = [size for size in taken if abs(np.log(sizes[i] / size)) < SNAP]
        if near:
            snapped[i] = min(near, key=lambda size: abs(np.log(sizes[i] / size)))
        else:
            taken.append(float(sizes[i]))
    return snapped


def _weights(lines: Sequence[ReadLine], sizes: np.ndarray) -> list[int]:
    """Return 700 for lines whose strokes are clearly heavier than the page's body, else 400."""
    letters = np.array([sum(c.isalpha() for c in line.text) for line in lines], dtype=np.float64)
    strokes = np.array([line.stroke * line.size for line in lines])
    known = (strokes > 0) & (letters >= LETTERS)
    if not known.any():
        return [400] * len(lines)
    body = _median(sizes[known], letters[known])
    near = known & (np.abs(np.log(sizes / body)) < BODY)
    usual = _median(strokes[near], letters[near])
    if usual > SOFT + HEAVY * body:  # most of the page is bold
        usual = SOFT + REGULAR * body
    expected = np.maximum(usual + REGULAR * (sizes - body), 1.0)
    bold = known & (strokes > BOLD * expected)
    return [700 if heavy else 400 for heavy in bold]
