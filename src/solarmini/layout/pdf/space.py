"""From PDF user space (y upward, boxes anywhere, /Rotate) to the page as it is seen."""

import ctypes
from dataclasses import dataclass

import numpy as np

from solarmini.errors import DocumentError
from solarmini.layout.pdf import native
from solarmini.layout.primitives import Box

Matrix = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f): x' = a x + c y + e, y' = b x + d y + f."""

IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
LARGEST = 200_000.0  # points; far beyond what the format allows (14,400)


def after(first: Matrix, then: Matrix) -> Matrix:
    """Return the matrix that does `first`, `then` the other."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )


def mapped(matrix: Matrix, left: float, bottom: float, right: float, top: float) -> Box:
    """Return the box around a rectangle after `matrix`."""
    a, b, c, d, e, f = matrix
    xs = (a * left, a * right), (c * bottom, c * top)
    ys = (b * left, b * right), (d * bottom, d * top)
    return Box(
        min(xs[0]) + min(xs[1]) + e,
        min(ys[0]) + min(ys[1]) + f,
        max(xs[0]) + max(xs[1]) + e,
        max(ys[0]) + max(ys[1]) + f,
    )


@dataclass(frozen=True, slots=True)
class PageSpace:
    """Size in points of the page as it is seen, and the way there from user space."""

    width: float
    height: float
    matrix: Matrix

    def points(self, xy: np.ndarray) -> np.ndarray:
        """Map (n, 2) points of user space."""
        a, b, c, d, e, f = self.matrix
        return xy @ np.array([[a, b], [c, d]]) + np.array([e, f])

    def boxes(self, ltrb: np.ndarray) -> np.ndarray:
        """Map (n, 4) boxes left, bottom, right, top to left, top, right, bottom."""
        first, second = self.points(ltrb[:, :2]), self.points(ltrb[:, 2:])
        return np.hstack([np.minimum(first, second), np.maximum(first, second)])

    def box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Map one rectangle."""
        return mapped(self.matrix, left, bottom, right, top)


def page_space(page: int) -> PageSpace:
    """Read the visible box (CropBox within MediaBox) and the rotation of a page handle."""
    out = (ctypes.c_float * 4)()  # left, top, right, bottom
    if not native.page_box(page, ctypes.addressof(out)):
        raise DocumentError("the page has no box")
    left, top, right, bottom = out
    wide, high = right - left, top - bottom
    if not (0 < wide < LARGEST and 0 < high < LARGEST):
        raise DocumentError(f"the page has an impossible size: {wide:g} x {high:g} points")
    turn = native.page_rotation(page) % 4
    if turn == 1:
        return PageSpace(high, wide, (0.0, 1.0, 1.0, 0.0, -bottom, -left))
    if turn == 2:
        return PageSpace(wide, high, (-1.0, 0.0, 0.0, 1.0, right, -bottom))
    if turn == 3:
        return PageSpace(high, wide, (0.0, -1.0, -1.0, 0.0, top, right))
    return PageSpace(wide, high, (1.0, 0.0, 0.0, -1.0, -left, top))
