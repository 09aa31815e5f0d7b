"""From spots of text to pieces that one reading of a recogniser takes: merged, cut, upright."""

from dataclasses import dataclass

import numpy as np

from solarmini.layout.ocr.detect import Spot
from solarmini.layout.ocr.ink import Ink, gaps, ink_of
from solarmini.layout.ocr.pixels import Rect, cut, cut_slanted, quarter_turned

# Ratios to the height of a piece (about 1.3 font sizes).
JOIN_GAP = 0.30  # boxes (grown) of one line are joined over this gap
CUT_GAP = 1.30  # ink is cut where it leaves more than this empty
GUTTER_GAP = 0.60  # ... or this, where lines above and below leave the same strip empty
GUTTER_LINES = 3  # ... at least so many of them
UPRIGHT = 1.6  # taller than this times its width: text read downward or upward


@dataclass(slots=True)
class Piece:
    """Part of a picture that holds one line: `crop` is upright RGB, `ink` that of the crop.

    `rect` is its place on the picture; `angle` the direction of reading there: 0, 90 or 270, or
    `slanted`, when the crop was cut along a slope.
    """

    rect: Rect
    crop: np.ndarray
    ink: Ink | None
    angle: int = 0
    slanted: bool = False

    def place(self, left: float, top: float, right: float, bottom: float) -> Rect:
        """Return the box on the picture of a box in the crop."""
        if self.slanted:
            return self._place_slanted(left, right)
        x, y = self.rect.left, self.rect.top
        high, wide = self.crop.shape[:2]  # of the crop: turned pieces lie the other way
        if self.angle == 90:  # crop was turned counter-clockwise: its x is downward
            return Rect(x + high - bottom, y + left, x + high - top, y + right)
        if self.angle == 270:
            return Rect(x + top, y + wide - right, x + bottom, y + wide - left)
        return Rect(x + left, y + top, x + right, y + bottom)

    def _place_slanted(self, left: float, right: float) -> Rect:
        wide = max(self.crop.shape[1], 1)
        start, end = self.rect.left, self.rect.width
        return Rect(
            start + end * left / wide, self.rect.top, start + end * right / wide, self.rect.bottom
        )


def pieces_of(image: np.ndarray, spots: list[Spot]) -> list[Piece]:
    """Return the pieces of a picture to read, from `spots` found on it."""
    high, wide = image.shape[:2]
    level, other = [], []
    for spot in spots:
        rect = _clipped(spot.rect, wide, high)
        if rect.width < 4 or rect.height < 4:
            continue
        if spot.angle:
            crop = cut_slanted(image, spot.center, spot.size, spot.angle)
            other.append(Piece(rect, crop, ink_of(crop), slanted=True))
        elif rect.height > UPRIGHT * rect.width and rect.height > 24:
            other.append(Piece(rect, quarter_turned(cut(image, rect), 1), None, angle=270))
        else:
            level.append(rect)
    return _divided(image, _joined(level)) + other


def turned_over(piece: Piece) -> Piece:
    """Return the piece to be read in the opposite direction."""
    angle = {270: 90, 90: 270}.get(piece.angle, piece.angle)
    return Piece(piece.rect, quarter_turned(piece.crop, 2), None, angle, piece.slanted)


def _clipped(rect: Rect, wide: int, high: int) -> Rect:
    left, top = max(np.floor(rect.left), 0), max(np.floor(rect.top), 0)
    return Rect(left, top, min(np.ceil(rect.right), wide), min(np.ceil(rect.bottom), high))


def _joined(rects: list[Rect]) -> list[Rect]:
    """Join boxes of the same height that follow one another on a line."""
    order = sorted(rects, key=lambda r: r.left)
    lines: list[Rect] = []
    for rect in order:
        best = None
        for index, line in enumerate(lines):
            gap = rect.left - line.right
            small, large = sorted((rect.height, line.height))
            shared = min(rect.bottom, line.bottom) - max(rect.top, line.top)
            if gap > JOIN_GAP * small or shared < 0.7 * small or large > 1.35 * small:
                continue
            if gap < -large:  # one over the other: not a sequence
                continue
            if best is None or line.right > lines[best].right:
                best = index
        if best is None:
            lines.append(rect)
            continue
        line = lines[best]
        lines[best] = Rect(
            line.left,
            min(line.top, rect.top),
            max(line.right, rect.right),
            max(line.bottom, rect.bottom),
        )
    return sorted(lines, key=lambda r: (r.top, r.left))


def _divided(image: np.ndarray, rects: list[Rect]) -> list[Piece]:
    """Cut lines that bridge columns, at wide gaps and along gutters."""
    pieces = []
    for rect in rects:
        crop = cut(image, rect)
        pieces.append(Piece(rect, crop, ink_of(crop)))
    spaces = [_spaces(piece) for piece in pieces]
    divided = []
    for piece, own in zip(pieces, spaces, strict=True):
        cuts = [
            (a, b)
            for a, b in own
            if b - a > CUT_GAP * piece.rect.height or _gutter(piece, (a, b), pieces, spaces)
        ]
        divided += _cut_at(piece, cuts)
    return divided


def _spaces(piece: Piece) -> list[tuple[int, int]]:
    """Empty strips inside a piece wide enough for a gutter, in columns of its crop."""
    if piece.ink is None:
        return []
    return gaps(piece.ink.columns(), GUTTER_GAP * piece.rect.height)


def _gutter(
    piece: Piece,
    space: tuple[int, int],
    pieces: list[Piece],
    spaces: list[list[tuple[int, int]]],
) -> bool:
    """Whether lines near this one leave the strip empty too, and none runs through it."""
    start, end = space[0] + piece.rect.left, space[1] + piece.rect.left
    middle = (piece.rect.top + piece.rect.bottom) / 2
    near = 6 * piece.rect.height
    beside = 0
    for other, own in zip(pieces, spaces, strict=True):
        distance = (other.rect.top + other.rect.bottom) / 2 - middle
        if other is piece or abs(distance) > near:
            continue
        if other.rect.right <= start + 2 or other.rect.left >= end - 2:
            # text that ends or begins at the strip shows an edge of a column
            edge = min(abs(other.rect.right - start), abs(other.rect.left - end))
            beside += edge < piece.rect.height
            continue
        x = other.rect.left
        shared = [min(b + x, end) - max(a + x, start) for a, b in own]
        if max(shared, default=0) < 0.5 * (end - start):
            return False
        beside += 1
    return beside >= GUTTER_LINES


def _cut_at(piece: Piece, cuts: list[tuple[int, int]]) -> list[Piece]:
    if not cuts:
        return [piece]
    margin = max(int(piece.rect.height * 0.15), 1)
    bounds = [0, *(v for a, b in cuts for v in (a + margin, b - margin)), piece.crop.shape[1]]
    parts = []
    for left, right in zip(bounds[::2], bounds[1::2], strict=True):
        rect = Rect(
            piece.rect.left + left, piece.rect.top, piece.rect.left + right, piece.rect.bottom
        )
        crop = piece.crop[:, left:right]
        if crop.shape[1] >= 4:
            parts.append(Piece(rect, crop, ink_of(crop)))
    return parts
