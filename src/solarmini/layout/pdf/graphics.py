"""The page's drawings and pictures: every object, those inside form objects too."""

import ctypes
import math
from dataclasses import dataclass, field

from solarmini.layout.document import Problem
from solarmini.layout.limits import Limits
from solarmini.layout.pdf import native
from solarmini.layout.pdf.paths import Paint, sort_path, subpaths
from solarmini.layout.pdf.rules import THIN, Piece, merge, piece_of
from solarmini.layout.pdf.space import Matrix, PageSpace, after, mapped
from solarmini.layout.primitives import Box, Drawing, PageContent, Picture, union

DEEPEST = 16  # forms inside forms
MOST_SEGMENTS = 120_000  # of all paths of a page; beyond, a path is only its box
LONGEST_PATH = 6_000  # segments of one path that are looked at one by one
WHITE = 0xF8  # every channel at least this: no contrast to paper
COVERS = 0.95  # of the page: a ground, not a drawing


@dataclass(slots=True)
class Graphics:
    """What was found; `grounds` are painted areas that light text can be read on."""

    pieces: list[Piece] = field(default_factory=list)
    light: list[Piece] = field(default_factory=list)  # white ones: rules on coloured ground only
    drawings: list[Drawing] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    grounds: list[Box] = field(default_factory=list)


def read_graphics(page: int, space: PageSpace, limits: Limits, content: PageContent) -> Graphics:
    """Read the objects of a page handle into `content`; what is too much becomes a Problem."""
    walk = _Walk(space, limits.max_objects)
    walk.objects(page, native.page_objects(page), native.page_object, space.matrix, 0)
    found = walk.found
    content.rules = merge([*found.pieces, *_on_colour(found)])
    content.drawings = found.drawings
    content.pictures = _whole(found.pictures)
    if walk.left_out:
        content.problems.append(
            Problem(
                what=f"{walk.left_out} drawings and pictures were left out",
                page=content.number,
                mend="raise max_objects",
            )
        )
    return found


class _Walk:
    def __init__(self, space: PageSpace, budget: int) -> None:
        self.found = Graphics()
        self.page = Box(0.0, 0.0, space.width, space.height)
        self.budget = budget
        self.segments = MOST_SEGMENTS
        self.left_out = 0
        self._six = (ctypes.c_float * 6)()
        self._four = (ctypes.c_float * 4)()
        self._whole = (ctypes.c_uint * 4)()

    def objects(self, holder: int, count: int, get, matrix: Matrix, depth: int) -> None:
        for index in range(count):
            handle = get(holder, index)
            kind = native.object_type(handle) if handle else 0
            if kind == native.TEXT or kind == 0:
                continue
            if self.budget <= 0:
                self.left_out += 1
                continue
            self.budget -= 1
            if kind == native.PATH:
                self._path(handle, matrix)
            elif kind == native.IMAGE:
                self._image(handle, matrix)
            elif kind == native.SHADING:
                self._shading(handle, matrix)
            elif kind == native.FORM and depth < DEEPEST:
                inner = after(self._matrix(handle), matrix)
                self.objects(
                    handle, native.form_objects(handle), native.form_object, inner, depth + 1
                )

    def _matrix(self, handle: int) -> Matrix:
        if not native.object_matrix(handle, ctypes.addressof(self._six)):
            return (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
        a, b, c, d, e, f = self._six
        return (a, b, c, d, e, f)

    def _bounds(self, handle: int, matrix: Matrix) -> Box | None:
        at = ctypes.addressof(self._four)
        if not native.object_bounds(handle, at, at + 4, at + 8, at + 12):
            return None
        left, bottom, right, top = self._four
        box = mapped(matrix, left, bottom, right, top)
        return box if all(map(math.isfinite, box)) else None

    def _clipped(self, handle: int, matrix: Matrix, box: Box) -> Box | None:
        """Cut `box` to the object's clip (the boxes of its paths) and to the page."""
        seen = _cut(box, self.page)
        clip = native.object_clip(handle)
        count = native.clip_paths(clip) if clip else 0
        for path in range(min(max(count, 0), 16)):
            if seen is None:
                return None
            shape = self._clip_box(clip, path, matrix)
            seen = _cut(seen, shape) if shape else seen
        return seen

    def _clip_box(self, clip: int, path: int, matrix: Matrix) -> Box | None:
        a, b, c, d, e, f = matrix
        at = ctypes.addressof(self._four)
        xs, ys = [], []
        for index in range(min(max(native.clip_segments(clip, path), 0), 400)):
            native.segment_point(native.clip_segment(clip, path, index), at, at + 4)
            x, y = self._four[0], self._four[1]
            xs.append(a * x + c * y + e)
            ys.append(b * x + d * y + f)
        return Box(min(xs), min(ys), max(xs), max(ys)) if xs else None

    def _image(self, handle: int, matrix: Matrix) -> None:
        box = self._bounds(handle, matrix)
        box = self._clipped(handle, matrix, box) if box else None
        if box is None:
            return
        at = ctypes.addressof(self._whole)
        native.image_pixels(handle, at, at + 4)
        if min(box.width, box.height) <= THIN / 2 and max(box.width, box.height) > 4 * THIN:
            self.found.pieces.append(piece_of(box))
            return
        self.found.pictures.append(Picture(box, (self._whole[0], self._whole[1])))
        self.found.grounds.append(box)

    def _shading(self, handle: int, matrix: Matrix) -> None:
        box = self._bounds(handle, matrix)
        box = self._clipped(handle, matrix, box) if box else None
        if box is None:
            return
        self.found.grounds.append(box)
        if not self._covers(box):
            self.found.drawings.append(Drawing(box, True, False, False, 0x808080))

    def _path(self, handle: int, matrix: Matrix) -> None:
        own = after(self._matrix(handle), matrix)
        paint = self._paint(handle, own)
        if paint is None:
            self._white(handle, matrix)
            return
        box = self._bounds(handle, matrix)
        if box is None or _cut(box.grown(1.0), self.page) is None:
            return
        if paint.filled and (self._covers(box) or box.area > 0.02 * self.page.area):
            box = self._clipped(handle, matrix, box)
            if box is None:
                return
            if self._covers(box):
                self.found.grounds.append(box)
                return
        pieces: list[Piece] = []
        drawings: list[Drawing] = []
        count = native.path_segments(handle)
        if 0 < count <= min(LONGEST_PATH, self.segments):
            self.segments -= count
            sort_path(subpaths(handle, own, count), paint, pieces, drawings)
        else:
            drawings.append(Drawing(box, paint.filled, False, True, paint.color))
        self.found.pieces += pieces
        for drawing in drawings:
            seen = _cut(drawing.box, self.page)
            if seen is None:
                continue
            self.found.drawings.append(
                Drawing(seen, drawing.filled, drawing.rectangle, drawing.curved, drawing.color)
            )
            if drawing.filled:
                self.found.grounds.append(seen)

    def _white(self, handle: int, matrix: Matrix) -> None:
        """Note a white path if it is as thin as the rules of tables with coloured cells are."""
        box = self._bounds(handle, matrix)
        if box and box.width > 0 and box.height > 0 and box.overlap(self.page) > 0:
            thin, long = sorted((box.width, box.height))
            at = ctypes.addressof(self._whole)
            painted = native.path_mode(handle, at, at + 4) and (self._whole[0] or self._whole[1])
            if painted and thin <= THIN and long >= 4 * THIN:
                self.found.light.append(piece_of(box))

    def _covers(self, box: Box) -> bool:
        return box.overlap(self.page) >= COVERS * self.page.area

    def _paint(self, handle: int, own: Matrix) -> Paint | None:
        """How a path is painted, or None where that leaves nothing to be seen on paper."""
        at = ctypes.addressof(self._whole)
        if not native.path_mode(handle, at, at + 4):
            return None
        filled, stroked = self._whole[0] != 0, (self._whole[1] & 0xFFFFFFFF) != 0
        color = 0
        if filled:
            tint = self._color(native.object_fill, handle)
            filled = tint is not None
            color = tint or 0
        width = 0.0
        if stroked:
            tint = self._color(native.object_stroke, handle)
            stroked = tint is not None
            color = color if filled else tint or 0
            native.object_width(handle, ctypes.addressof(self._four))
            a, b, c, d = own[:4]
            width = self._four[0] * math.sqrt(abs(a * d - b * c))
            width = width if math.isfinite(width) else 0.0
        return Paint(filled, stroked, width, color) if filled or stroked else None

    def _color(self, get, handle: int) -> int | None:
        """Colour that shows on white paper, else None."""
        at = ctypes.addressof(self._whole)
        if not get(handle, at, at + 4, at + 8, at + 12):
            return 0x808080  # a pattern
        red, green, blue, alpha = (value & 255 for value in self._whole)
        if alpha == 0 or min(red, green, blue) >= WHITE:
            return None
        return red << 16 | green << 8 | blue


def _on_colour(found: Graphics) -> list[Piece]:
    """White pieces that stand out from what is painted under or beside them."""
    grounds = [d.box.grown(1.0) for d in found.drawings if d.filled and d.rectangle]
    shown = []
    for piece in found.light if len(grounds) <= 2_000 else ():
        middle = (piece.start + piece.end) / 2
        x, y = (middle, piece.at) if piece.horizontal else (piece.at, middle)
        if any(g.left <= x <= g.right and g.top <= y <= g.bottom for g in grounds):
            shown.append(piece)
    return shown


def _whole(pictures: list[Picture]) -> list[Picture]:
    """Put together pictures that are cut into strips, one below or beside the other."""
    found: list[Picture] = []
    for picture in pictures:
        last = found[-1] if found else None
        joined = _joined(last, picture) if last else None
        if joined:
            found[-1] = joined
        else:
            found.append(picture)
    return found


def _joined(first: Picture, second: Picture) -> Picture | None:
    a, b = first.box, second.box
    (wide, high), (more_wide, more_high) = first.pixels, second.pixels
    level = abs(a.top - b.top) < 0.5 and abs(a.bottom - b.bottom) < 0.5
    upright = abs(a.left - b.left) < 0.5 and abs(a.right - b.right) < 0.5
    below = min(abs(a.bottom - b.top), abs(b.bottom - a.top)) < 0.5
    beside = min(abs(a.right - b.left), abs(b.right - a.left)) < 0.5
    if wide == more_wide and upright and below:
        return Picture(union([a, b]), (wide, high + more_high))
    if high == more_high and level and beside:
        return Picture(union([a, b]), (wide + more_wide, high))
    return None


def _cut(box: Box, to: Box) -> Box | None:
    """The part of `box` inside `to`; None where there is none."""
    left, top = max(box.left, to.left), max(box.top, to.top)
    right, bottom = min(box.right, to.right), min(box.bottom, to.bottom)
    return Box(left, top, right, bottom) if right >= left and bottom >= top else None
