"""Characters that are read in one direction, in coordinates of their own.

`u` grows the way the text is read, `v` downward from line to line, whatever way the text lies on
the page; so lines are found the same way for upright, turned and slanted text.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solarmini.layout.pdf.characters import Characters

STRAIGHT = 1.0  # degrees off an axis that are taken for none


@dataclass(slots=True)
class Frame:
    """n characters of one direction. All lengths in points.

    `index` leads back into the page's characters; u0, u1 are pen positions, v the baseline.
    """

    angle: int  # 0, 90, 180, 270: clockwise, nearest
    direction: tuple[float, float]
    index: np.ndarray
    u0: np.ndarray
    u1: np.ndarray
    v: np.ndarray
    size: np.ndarray
    style: np.ndarray

    def page_boxes(self, u0: np.ndarray, u1: np.ndarray, top: np.ndarray, bottom: np.ndarray):
        """Return (n, 4) boxes on the page around rectangles given in (u, v)."""
        dx, dy = self.direction
        corners = [(u, v) for u in (u0, u1) for v in (top, bottom)]
        xs = np.stack([u * dx - v * dy for u, v in corners])
        ys = np.stack([u * dy + v * dx for u, v in corners])
        return np.stack([xs.min(0), ys.min(0), xs.max(0), ys.max(0)], axis=1)


def frames(characters: Characters) -> Iterator[Frame]:
    """Split a page's characters by the direction in which they are read, most of them first."""
    if not len(characters):
        return
    turns = np.array([_degrees(style.direction) for style in characters.styles])
    quarter = np.round(turns / 90) * 90
    slanted = np.abs(turns - quarter) > STRAIGHT
    turns = np.where(slanted, np.round(turns), quarter) % 360
    of = turns[characters.style]
    values, counts = np.unique(of, return_counts=True)
    for turn in values[np.argsort(-counts, kind="stable")]:
        yield _frame(characters, np.flatnonzero(of == turn), float(turn))


def _degrees(direction: tuple[float, float]) -> float:
    return math.degrees(math.atan2(direction[1], direction[0])) % 360


def _frame(characters: Characters, index: np.ndarray, turn: float) -> Frame:
    angle = int(round(turn / 90) * 90) % 360
    dx, dy = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    dx, dy = (0.0 if abs(x) < 1e-9 else x for x in (dx, dy))
    style = characters.style[index]
    size = np.array([s.font.size for s in characters.styles])[style]
    high = np.array([s.ascent + s.descent for s in characters.styles])[style]
    origin, cell = characters.origin[index], characters.cell[index]
    u = origin[:, 0] * dx + origin[:, 1] * dy
    v = origin[:, 1] * dx - origin[:, 0] * dy
    wide, tall = cell[:, 2] - cell[:, 0], cell[:, 3] - cell[:, 1]
    # a box w x h turned by t is w|cos t| + h|sin t| wide; solve for w on the safer axis
    if abs(dx) >= abs(dy):
        advance = (wide - high * abs(dy)) / abs(dx)
    else:
        advance = (tall - high * abs(dx)) / abs(dy)
    told = characters.advance[index]
    advance = np.where(np.isnan(told), np.clip(advance, 0.0, 4 * size), told)
    return Frame(angle, (dx, dy), index, u, u + advance, v, size, style)
