"""Pieces of straight strokes → rules: collinear pieces that touch, and dashes, become one."""

from collections.abc import Iterable
from dataclasses import dataclass

from solarmini.layout.primitives import Box, Rule

THIN = 4.0  # points: a longer filled box this thin is a rule
SHORTEST = 3.0  # points: what is shorter after merging is a dot
SLENDER = 3.0  # times longer than thick
TOGETHER = 1.0  # points across within which pieces are one rule


@dataclass(frozen=True, slots=True)
class Piece:
    """One straight stroke: from `start` to `end` along its axis, centred on `at` across it."""

    horizontal: bool
    start: float
    end: float
    at: float
    thickness: float


def piece_of(box: Box) -> Piece:
    """Return a thin box as a piece along its longer side."""
    if box.width >= box.height:
        return Piece(True, box.left, box.right, (box.top + box.bottom) / 2, box.height)
    return Piece(False, box.top, box.bottom, (box.left + box.right) / 2, box.width)


def merge(pieces: Iterable[Piece]) -> list[Rule]:
    """Join what touches in line; drop what stays shorter than a rule. Sorted by place."""
    found: list[Rule] = []
    dots: list[Piece] = []
    for horizontal in (True, False):
        along = [piece for piece in pieces if piece.horizontal is horizontal]
        along += [_turned(dot) for dot in dots]
        dots = []
        for piece in _joined(along):
            long = piece.end - piece.start
            if long >= SHORTEST and long >= SLENDER * piece.thickness:
                found.append(_rule(piece))
            elif horizontal and long < 2 * max(piece.thickness, 0.5):
                dots.append(piece)
    found.sort(key=lambda rule: (rule.box.top, rule.box.left))
    return found


def _turned(dot: Piece) -> Piece:
    """A dot belongs to a dotted line of either direction."""
    half = max(dot.thickness, 0.1) / 2
    middle = (dot.start + dot.end) / 2
    return Piece(not dot.horizontal, dot.at - half, dot.at + half, middle, dot.end - dot.start)


def _joined(pieces: list[Piece]) -> Iterable[Piece]:
    pieces.sort(key=lambda piece: piece.at)
    band: list[Piece] = []
    for piece in pieces:
        if band and piece.at - band[0].at > TOGETHER:
            yield from _in_line(band)
            band = []
        band.append(piece)
    if band:
        yield from _in_line(band)


def _in_line(band: list[Piece]) -> Iterable[Piece]:
    band.sort(key=lambda piece: piece.start)
    now = band[0]
    for piece in band[1:]:
        # dashes are parted by a few times their own thickness
        reach = max(1.0, min(3.0 * max(now.thickness, piece.thickness), 4.0))
        if piece.start <= now.end + reach:
            longer = now if now.end - now.start >= piece.end - piece.start else piece
            now = Piece(
                now.horizontal,
                now.start,
                max(now.end, piece.end),
                longer.at,
                max(now.thickness, piece.thickness),
            )
        else:
            yield now
            now = piece
    yield now


def _rule(piece: Piece) -> Rule:
    half = piece.thickness / 2
    if piece.horizontal:
        box = Box(piece.start, piece.at - half, piece.end, piece.at + half)
    else:
        box = Box(piece.at - half, piece.start, piece.at + half, piece.end)
    return Rule(box, piece.horizontal, piece.thickness)
