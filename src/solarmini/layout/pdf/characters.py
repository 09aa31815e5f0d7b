"""The characters of a page's text layer, as arrays, in the order of the file."""

import ctypes
import math
from dataclasses import dataclass, field

import numpy as np

from solarmini.layout.document import Problem
from solarmini.layout.limits import Limits
from solarmini.layout.pdf import native
from solarmini.layout.pdf.fonts import Face, read_face
from solarmini.layout.pdf.space import PageSpace
from solarmini.layout.pdf.symbols import compose, meaning, suspect
from solarmini.layout.primitives import Font, PageContent

SMALLEST, LARGEST = 0.01, 20_000.0  # points of a font as drawn: nothing is divided by less

# white space before a character: none, guessed by PDFium, written, a new line
GENERATED, WRITTEN, BREAK = 1, 2, 4
_WHITE = frozenset([0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x3000, 0x2028, 0x2029])
_WHITE |= frozenset(range(0x2000, 0x200B)) | frozenset([0x202F, 0x205F])
_HYPHENS = frozenset([0x02, 0xAD, 0xFFFE])  # PDFium's mark for a hyphen at a line's end
# no width, no ink: byte order marks, joiners, direction marks
_NOTHING = frozenset([0xFEFF, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060])
_NOTHING |= frozenset(range(0x202A, 0x202F))


@dataclass(slots=True)
class Style:
    """How one text object is drawn. `direction` is a unit vector on the page, y downward."""

    font: Font
    color: int
    direction: tuple[float, float]
    invisible: bool
    ascent: float  # points above the baseline
    descent: float  # points below it, positive
    stretch: float  # width over height of its letters, 1 where they are not scaled
    face: int  # the same for all styles of one font, whatever the size
    white: bool


@dataclass(slots=True)
class Characters:
    """n visible characters; boxes left, top, right, bottom on the page.

    `ink` is what the glyph covers, `cell` its advance by the font's height; `before` says what
    white space stands between a character and the one before it in the file.
    """

    codes: np.ndarray  # (n,) int32
    styles: list[Style]
    style: np.ndarray  # (n,) index into styles: one per text object
    before: np.ndarray  # (n,) uint8
    ink: np.ndarray  # (n, 4)
    cell: np.ndarray  # (n, 4)
    origin: np.ndarray  # (n, 2)
    advance: np.ndarray  # (n,) points along the text; NaN: as wide as the cell
    unmapped: int = 0  # characters whose meaning the file does not say
    dropped: dict[str, int] = field(default_factory=dict)  # reason -> characters left out

    def __len__(self) -> int:
        return len(self.codes)

    def keep(self, mask: np.ndarray, reason: str) -> None:
        """Drop the characters where `mask` is false; the white space before them stays."""
        gone = int(len(mask) - mask.sum())
        if not gone:
            return
        self.dropped[reason] = self.dropped.get(reason, 0) + gone
        carried = np.where(mask, self.before, self.before | GENERATED)
        lost = np.flatnonzero(~mask)
        for index in lost[lost + 1 < len(mask)]:
            carried[index + 1] |= carried[index]
        self.before = carried[mask]
        for name in ("codes", "style", "ink", "cell", "origin", "advance"):
            setattr(self, name, getattr(self, name)[mask])


def read_characters(
    page: int, space: PageSpace, limits: Limits, content: PageContent
) -> Characters:
    """Read the text layer of a page handle; what is too much becomes a Problem of `content`."""
    text = native.text_load(page)
    if not text:
        return _empty()
    try:
        count = max(native.text_count(text), 0)
        if count > limits.max_characters:
            content.problems.append(
                Problem(
                    what=f"{count - limits.max_characters} of {count} characters were left out",
                    page=content.number,
                    mend="raise max_characters",
                )
            )
            count = limits.max_characters
        return _read(text, count, space)
    finally:
        native.text_close(text)


def _empty() -> Characters:
    none = np.zeros(0, dtype=np.int32)
    flat = np.zeros((0, 4))
    return Characters(
        none, [], none, none.astype(np.uint8), flat, flat, np.zeros((0, 2)), np.zeros(0)
    )


def _read(text: int, count: int, space: PageSpace) -> Characters:
    code_of, object_of = native.text_code, native.text_object
    box_of, loose_of, origin_of = native.text_box, native.text_loose, native.text_origin
    ink = np.zeros((count, 4))
    loose = np.zeros((count, 4), dtype=np.float32)
    origin = np.zeros((count, 2))
    at_ink, at_loose, at_origin = ink.ctypes.data, loose.ctypes.data, origin.ctypes.data
    codes: list[int] = []
    style: list[int] = []
    before: list[int] = []
    reader = _Styles(text, space)
    white = BREAK
    kept = 0
    for index in range(count):
        code = code_of(text, index)
        if code in _WHITE:
            if code in (0x0A, 0x0D):
                white |= BREAK
            else:
                white |= GENERATED if native.text_generated(text, index) == 1 else WRITTEN
            continue
        if code in _NOTHING:
            continue
        handle = object_of(text, index)
        if not handle:
            continue
        address = at_ink + 32 * kept
        box_of(text, index, address, address + 16, address + 8, address + 24)
        loose_of(text, index, at_loose + 16 * kept)
        origin_of(text, index, at_origin + 16 * kept, at_origin + 16 * kept + 8)
        number = reader.style(handle, index)
        if code in _HYPHENS:
            code = 0x2D
        elif code >= 0x7F or code < 0x20 or reader.suspect[number]:
            unmapped = reader.suspect[number] and native.text_unmapped(text, index) == 1
            code = meaning(code, reader.styles[number].font.name, unmapped)
        codes.append(code)
        style.append(number)
        before.append(white)
        white = 0
        kept += 1
    if not kept:
        return _empty()
    found = Characters(
        codes=np.array(codes, dtype=np.int32),
        styles=reader.styles,
        style=np.array(style, dtype=np.int32),
        before=np.array(before, dtype=np.uint8),
        ink=space.boxes(ink[:kept]),
        cell=space.boxes(loose[:kept, [0, 3, 2, 1]].astype(np.float64)),
        origin=space.points(origin[:kept]),
        advance=np.full(kept, np.nan),
    )
    return _mended(found)


def _mended(found: Characters) -> Characters:
    """Put accents on their letters, measure overhanging glyphs, drop places beyond measure."""
    stays = compose(found.codes, found.ink)
    if not stays.all():
        found.keep(stays, "")
        found.dropped.pop("")  # they live on in their letters
    _overhangs(found)
    places = np.hstack([found.ink, found.cell, found.origin])
    sound = (np.isfinite(places) & (np.abs(places) < 1e6)).all(axis=1)
    found.keep(sound, "outside the page")
    return found


def _overhangs(found: Characters) -> None:
    """Ask the font for the advance of glyphs that reach beyond it: their cells do not tell."""
    reach = np.abs(found.ink[:, [0, 2]] - found.cell[:, [0, 2]]) < 1e-3
    upright = np.array([abs(style.direction[0]) > 0.999 for style in found.styles])
    out = ctypes.c_float(0)
    known: dict[tuple[int, int], float] = {}  # in sizes, by meaning
    steps: dict[tuple[int, int, float], float] = {}  # least way to a next letter, by glyph
    x, style_of, before = found.origin[:, 0], found.style, found.before
    piece = np.zeros(len(x), dtype=bool)  # parts of a ligature share its place and its cell
    piece[1:] = (np.abs(np.diff(x)) < 1e-3) & (style_of[1:] == style_of[:-1])
    piece[:-1] |= piece[1:]
    chosen = np.flatnonzero(reach.any(1) & upright[style_of] & ~piece).tolist()
    wide = found.cell[:, 2] - found.cell[:, 0]
    keys = []
    for index in chosen:
        style, code = found.styles[style_of[index]], int(found.codes[index])
        if (style.face, code) not in known:
            told = style.face and native.font_advance(style.face, code, 1.0, ctypes.addressof(out))
            known[style.face, code] = out.value * style.stretch if told else 0.0
        # glyphs of one meaning (small capitals) are told apart by their width
        key = (style.face, code, round(float(wide[index]) / style.font.size, 2))
        keys.append(key)
        after = index + 1
        if after < len(x) and style_of[after] == style_of[index] and not before[after]:
            step = abs(float(x[after] - x[index])) / style.font.size
            steps[key] = min(steps.get(key, step), step)
    for index, key in zip(chosen, keys, strict=True):
        size, told = found.styles[style_of[index]].font.size, known[key[:2]]
        # asked by meaning, the font may have answered for another glyph
        if 0.4 * wide[index] <= told * size < wide[index] and steps.get(key, told) <= 1.1 * told:
            found.advance[index] = told * size


class _Styles:
    """Styles by text object, faces by font: asked of PDFium once each."""

    def __init__(self, text: int, space: PageSpace) -> None:
        self.styles: list[Style] = []
        self.suspect: list[bool] = []  # of each style: its codes may mean nothing
        self._text = text
        self._space = space
        self._by_object: dict[int, int] = {}
        self._faces: dict[int, tuple[Face, float, float]] = {}
        self._fonts: dict[tuple, Font] = {}
        self._six = (ctypes.c_float * 6)()
        self._four = (ctypes.c_uint * 4)()

    def style(self, handle: int, index: int) -> int:
        known = self._by_object.get(handle)
        if known is None:
            known = self._by_object[handle] = len(self.styles)
            self.styles.append(self._read(handle, index))
            self.suspect.append(suspect(self.styles[-1].font.name))
        return known

    def _read(self, handle: int, index: int) -> Style:
        font_handle = native.object_font(handle) or 0
        face, ascent, descent = self._face(font_handle)
        native.text_matrix(self._text, index, ctypes.addressof(self._six))
        a, b, c, d = self._six[:4]
        size = native.text_size(self._text, index)
        ga, gb, gc, gd = self._space.matrix[:4]
        # the way of reading and the way up, on the page
        right = (a * ga + b * gc, a * gb + b * gd)
        up = (c * ga + d * gc, c * gb + d * gd)
        length, height = math.hypot(*right), math.hypot(*up)
        sign = -1.0 if size < 0 else 1.0
        direction = (
            (sign * right[0] / length, sign * right[1] / length) if length > 1e-9 else (1.0, 0.0)
        )
        drawn = abs(size) * height
        drawn = min(max(drawn, SMALLEST), LARGEST) if math.isfinite(drawn) else 1.0
        mode = native.object_mode(handle)
        # a sheared matrix is how producers fake italics
        cosine = (right[0] * up[0] + right[1] * up[1]) / (length * height) if length * height else 0
        color, alpha = self._color(index)
        key = (face, round(drawn, 2), mode == 2, 0.1 < abs(cosine) < 0.5)
        font = self._fonts.get(key)
        if font is None:
            weight = max(face.weight, 700) if key[2] else face.weight
            font = Font(face.name, key[1], weight, face.italic or key[3], face.mono)
            self._fonts[key] = font
        return Style(
            font=font,
            color=color,
            direction=direction,
            invisible=mode in (native.INVISIBLE, native.CLIP_ONLY) or alpha == 0,
            ascent=ascent * drawn,
            descent=descent * drawn,
            stretch=length / height if height > 1e-9 else 1.0,
            face=font_handle,
            white=min(color >> 16, color >> 8 & 255, color & 255) >= 0xF5,
        )

    def _color(self, index: int) -> tuple[int, int]:
        at = ctypes.addressof(self._four)
        if not native.text_fill(self._text, index, at, at + 4, at + 8, at + 12):
            return 0, 255
        red, green, blue, alpha = self._four
        return (red & 255) << 16 | (green & 255) << 8 | (blue & 255), alpha

    def _face(self, font: int) -> tuple[Face, float, float]:
        known = self._faces.get(font)
        if known is None:
            known = (Face("", 400, False, False), 0.8, 0.2)
            if font:
                out = ctypes.c_float(0)
                ascent = descent = 0.0
                if native.font_ascent(font, 1.0, ctypes.addressof(out)):
                    ascent = out.value
                if native.font_descent(font, 1.0, ctypes.addressof(out)):
                    descent = -out.value
                # descriptors lie; a line is about one size high whatever they say
                ascent = ascent if 0.5 <= ascent <= 1.1 else 0.8
                descent = descent if 0.1 <= descent <= 0.4 else 0.2
                known = (read_face(font), ascent, descent)
            self._faces[font] = known
        return known
