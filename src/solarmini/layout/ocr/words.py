"""From a recognised piece to a line of words: spaces where the ink leaves them, tight boxes."""

import numpy as np

from solarmini.layout.ocr.ink import Ink, Metrics, gaps, measure
from solarmini.layout.ocr.pieces import Piece
from solarmini.layout.ocr.reading import ReadLine, ReadWord
from solarmini.layout.ocr.recogniser import RecognisedLine

# Empty strips between letters that are spaces, though none was read:
SPACE = 0.32  # of the font size, on a line without spaces
LEAST_SPACE = 0.20  # of the font size, on a line with spaces...
LIKE_SPACE = 0.75  # ...of the width that those have
NARROW_SPACE = 0.50  # of the font size, between digits or strokes: "1" and "l" stand far apart
NARROW = frozenset("0123456789lI|i")
DOTS = "·ㆍ・"  # stand in the middle of their width between letters
OPENING = "([{<“‘"
CLOSING = ")]}>”’.,;:!?%"


def line_of(piece: Piece, read: RecognisedLine) -> ReadLine | None:
    """Return the line that `read` says stands in `piece`; None where it says nothing."""
    if not read.text.strip():
        return None
    wide, high = piece.crop.shape[1], piece.crop.shape[0]
    found = measure(piece.ink, read.text) if piece.ink is not None else None
    metrics = found or Metrics(high * 0.75, high * 0.8, high * 0.1, high * 0.9, 0.0)
    spots = [position * wide for position in read.positions]
    sure = read.confidences or (read.confidence,) * len(read.text)
    strips = gaps(piece.ink.columns(), 1) if piece.ink is not None else []
    text, spots, sure = _spaced(read.text, spots, list(sure), strips, metrics.size)
    words = []
    for start, end in _ranges(text):
        left = _edge(text, spots, start - 1, start, strips, piece.ink, right_side=True)
        right = _edge(text, spots, end - 1, end, strips, piece.ink, right_side=False)
        if right <= left:
            right = left + 1.0
        rect = piece.place(left, metrics.top, right, metrics.bottom)
        mean = float(np.mean(sure[start:end]))
        words.append(ReadWord(text[start:end], rect, mean))
    rects = [word.rect for word in words]
    box = type(rects[0])(
        min(r.left for r in rects),
        min(r.top for r in rects),
        max(r.right for r in rects),
        max(r.bottom for r in rects),
    )
    at = piece.place(0, metrics.baseline, 0, metrics.baseline)
    baseline = at.left if piece.angle else at.top
    color = piece.ink.color if piece.ink is not None else 0
    return ReadLine(
        tuple(words),
        box,
        read.confidence,
        metrics.size,
        baseline,
        piece.angle,
        metrics.stroke,
        color,
    )


def _ranges(text: str) -> list[tuple[int, int]]:
    """Start and end of the words of a text."""
    found, start = [], None
    for index, letter in enumerate([*text, " "]):
        if letter == " ":
            if start is not None:
                found.append((start, index))
            start = None
        elif start is None:
            start = index
    return found


def _spaced(
    text: str,
    spots: list[float],
    sure: list[float],
    strips: list[tuple[int, int]],
    size: float,
) -> tuple[str, list[float], list[float]]:
    """Put a space where the ink leaves a strip between two letters and none was read."""
    least = _least_space(text, spots, strips, size)
    letters, places, certain = list(text), list(spots), list(sure)
    for a, b in reversed(strips):
        if b - a < least:
            continue
        after = next((i for i, x in enumerate(places) if x > (a + b) / 2), None)
        if not after or " " in (letters[after - 1], letters[after]):
            continue
        # both letters must lie off the strip, else the place is not certain
        if places[after - 1] > a + size * 0.1 or places[after] < b - size * 0.1:
            continue
        if letters[after] in CLOSING or letters[after - 1] in OPENING:
            continue
        if (letters[after - 1] in DOTS and after > 1) or letters[after] in DOTS:
            continue
        if NARROW.issuperset(letters[after - 1 : after + 1]) and b - a < NARROW_SPACE * size:
            continue
        letters.insert(after, " ")
        places.insert(after, (a + b) / 2)
        certain.insert(after, min(certain[after - 1], certain[after]))
    return "".join(letters), places, certain


def _least_space(
    text: str, spots: list[float], strips: list[tuple[int, int]], size: float
) -> float:
    """Least width of an empty strip of this line that is a space."""
    read = []  # widths of the strips at spaces that were read
    for index, letter in enumerate(text):
        if letter == " " and 0 < index < len(text) - 1:
            near = [b - a for a, b in strips if a < spots[index + 1] and b > spots[index - 1]]
            read += [max(near)] if near else []
    wide = sorted(b - a for a, b in strips)
    usual = 2.0 * wide[len(wide) // 2] if len(wide) >= 4 else 0.0
    if not read:
        return max(SPACE * size, usual)
    return max(LEAST_SPACE * size, LIKE_SPACE * float(np.median(read)), min(usual, SPACE * size))


def _edge(
    text: str,
    spots: list[float],
    before: int,
    after: int,
    strips: list[tuple[int, int]],
    ink: Ink | None,
    right_side: bool,
) -> float:
    """Where a word begins (`right_side` of the strip before it) or ends (left side of the next).

    `before` and `after` index the letters on either side of the edge; spaces are passed over.
    """
    while before >= 0 and text[before] == " ":
        before -= 1
    while after < len(text) and text[after] == " ":
        after += 1
    if ink is not None and (before < 0 or after >= len(text)):
        inked = np.flatnonzero(ink.columns())
        if len(inked):
            return float(inked[0] if before < 0 else inked[-1] + 1)
    if before < 0 or after >= len(text):
        return 0.0 if before < 0 else float(spots[-1])
    left, right = spots[before], spots[after]
    inside = [(a, b) for a, b in strips if a < right and b > left]
    if not inside:
        return (left + right) / 2
    a, b = max(inside, key=lambda strip: strip[1] - strip[0])
    return float(b if right_side else a)
