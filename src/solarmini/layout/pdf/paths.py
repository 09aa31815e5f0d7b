"""One vector path → pieces of rules and boxes of drawings."""

import ctypes
import math
from dataclasses import dataclass
from itertools import pairwise

from solarmini.layout.pdf import native
from solarmini.layout.pdf.rules import SLENDER, THIN, Piece, piece_of
from solarmini.layout.pdf.space import Matrix
from solarmini.layout.primitives import Box, Drawing, union

STRAIGHT = 0.02  # slope up to which a stroke counts as horizontal or vertical
Point = tuple[float, float]


@dataclass(slots=True)
class Subpath:
    """A run of points on the page; `curved` where some of it is a Bézier curve."""

    points: list[Point]
    curved: bool = False
    closed: bool = False

    @property
    def box(self) -> Box:
        """The box around its points (control points included)."""
        xs, ys = zip(*self.points, strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))

    @property
    def rectangle(self) -> bool:
        """Whether it is an upright rectangle."""
        points = self.points
        if len(points) == 5 and _near(points[0], points[-1]):
            points = points[:4]
        if self.curved or len(points) != 4:
            return False
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
        across = max(abs(bx - ax), abs(cx - bx), abs(by - ay), abs(cy - by), 1.0) * STRAIGHT
        first = abs(ay - by) <= across and abs(bx - cx) <= across and abs(cy - dy) <= across
        other = abs(ax - bx) <= across and abs(by - cy) <= across and abs(cx - dx) <= across
        return (first and abs(dx - ax) <= across) or (other and abs(dy - ay) <= across)


@dataclass(frozen=True, slots=True)
class Paint:
    """How a path is painted; `width` of the stroke in points on the page."""

    filled: bool
    stroked: bool
    width: float
    color: int


def subpaths(handle: int, matrix: Matrix, count: int) -> list[Subpath]:
    """Read `count` segments of a path handle."""
    a, b, c, d, e, f = matrix
    xy = (ctypes.c_float * 2)()
    at_x = ctypes.addressof(xy)
    at_y = at_x + 4
    found: list[Subpath] = []
    now: Subpath | None = None
    for index in range(count):
        segment = native.path_segment(handle, index)
        native.segment_point(segment, at_x, at_y)
        x, y = xy
        kind = native.segment_type(segment)
        point = (a * x + c * y + e, b * x + d * y + f)
        if kind == native.MOVE_TO or now is None:
            now = Subpath([point])
            found.append(now)
        else:
            now.points.append(point)
            now.curved |= kind == native.CURVE_TO
        if native.segment_close(segment):
            now.closed = True
    return [path for path in found if len(path.points) > 1]


def sort_path(
    paths: list[Subpath], paint: Paint, pieces: list[Piece], drawings: list[Drawing]
) -> None:
    """Add the rules and drawings that `paths` paint."""
    rest: list[Subpath] = []
    for path in paths:
        if path.rectangle:
            _rectangle(path.box, paint, pieces, drawings)
            continue
        whole = path.curved or (paint.filled and len(path.points) > 2)
        strokes = None if whole else _straight(path)
        if strokes is not None and (paint.stroked or len(path.points) == 2):
            # a line that is only filled leaves a hair at most
            pieces += [_piece(one, paint.width if paint.stroked else 0.0) for one in strokes]
        else:
            rest.append(path)
    if rest:
        _shape(rest, paint, pieces, drawings)


def _rectangle(box: Box, paint: Paint, pieces: list[Piece], drawings: list[Drawing]) -> None:
    thin, long = sorted((box.width, box.height))
    if thin <= THIN and (long >= SLENDER * thin or long <= THIN):
        pieces.append(piece_of(box.grown(paint.width / 2) if paint.stroked and thin < 0.5 else box))
        return
    drawings.append(Drawing(box, paint.filled, True, False, paint.color))
    if paint.stroked and paint.width <= THIN:
        left, top, right, bottom = box
        pieces.append(Piece(True, left, right, top, paint.width))
        pieces.append(Piece(True, left, right, bottom, paint.width))
        pieces.append(Piece(False, top, bottom, left, paint.width))
        pieces.append(Piece(False, top, bottom, right, paint.width))


def _shape(
    paths: list[Subpath], paint: Paint, pieces: list[Piece], drawings: list[Drawing]
) -> None:
    box = union([path.box for path in paths])
    curved = any(path.curved for path in paths)
    thin, long = sorted((box.width, box.height))
    if len(paths) == 1 and thin <= THIN and long >= 4 * SLENDER * max(thin, 0.1) and long > 8:
        # a bar with round or pointed ends is a rule to the eye
        pieces.append(piece_of(box))
        return
    drawings.append(Drawing(box, paint.filled, False, curved, paint.color))


def _straight(path: Subpath) -> list[tuple[Point, Point]] | None:
    """The strokes of a path all of which are horizontal or vertical, else None."""
    points = [*path.points, path.points[0]] if path.closed else path.points
    strokes = []
    for first, second in pairwise(points):
        wide, high = abs(first[0] - second[0]), abs(first[1] - second[1])
        if wide < 1e-3 and high < 1e-3:
            continue
        if min(wide, high) > max(STRAIGHT * max(wide, high), 0.05):
            return None
        strokes.append((first, second))
    return strokes


def _piece(stroke: tuple[Point, Point], width: float) -> Piece:
    (ax, ay), (bx, by) = stroke
    if abs(ax - bx) >= abs(ay - by):
        return Piece(True, min(ax, bx), max(ax, bx), (ay + by) / 2, width)
    return Piece(False, min(ay, by), max(ay, by), (ax + bx) / 2, width)


def _near(first: Point, second: Point) -> bool:
    return math.dist(first, second) < 0.05
