"""What a font's name, flags and descriptor tell: weight, slant, fixed pitch."""

import ctypes
import re
from dataclasses import dataclass

from solarmini.layout.pdf import native

_SUBSET = re.compile(r"^[A-Z]{6}\+")
_WEIGHTS = (
    (re.compile(r"extra.?light|ultra.?light"), 200),
    (re.compile(r"semi.?bold|demi|smbd|sembd"), 600),
    (re.compile(r"extra.?bold|ultra.?bold|extrabd|xbold"), 800),
    (re.compile(r"black|heavy|ultra|poster"), 900),
    (re.compile(r"bold|\bbd\b|(?<=[-,_])b(?=$|[,i_-])|(?<=[a-z])bd(mt|it)?$"), 700),
    (re.compile(r"hairline|thin"), 100),
    (re.compile(r"light|\blt\b"), 300),
    (re.compile(r"medium|\bmd\b"), 500),
    (re.compile(r"regular|roman|book|normal"), 400),
)
# Computer Modern and its children say bold by "bx" or "b"; Nimbus and Utopia by "Medi"
_TEX_BOLD = re.compile(r"^(cm|sf|ec|la|lm|pl)(ss)?bx|^cmb\d|^cmmib|^cmbsy|^eurb|^(rsf|ms)bm?b")
_TEX_ITALIC = re.compile(
    r"^(cm|sf|ec|pl)(bx)?(ti|sl|mi|ssi|itt)\d?|^cmmib|^cmsltt|^lm.*(italic|obl)"
)
_MEDI_IS_BOLD = re.compile(r"^(nimbus|n0?2|utopia|ptm|urwbookman|bookman)")
_ITALIC = re.compile(
    r"(?<!cap)(?<!dig)ital(?=ic|$|[-,_\d])|obliq|slant|kursiv"
    r"|(?<=[-,_])(bold)?it?(?=$|mt)|(?<=bold)it$"
)
_MONO = re.compile(
    r"courier|\bmono(?!type)|mono\b|consol|typewriter|^(cm|sf|ec|lm|pl)\w{0,3}tt|menlo|monaco|"
    r"inconsolata|sourcecode|firacode|cascadia|lucidacons|andalemo|ocr-?[ab]\b|letter.?gothic|"
    r"d2coding|nanumgothiccoding"
)
_FIXED, _ITALIC_FLAG, _FORCE_BOLD = 1 << 0, 1 << 6, 1 << 18


@dataclass(frozen=True, slots=True)
class Face:
    """A font apart from its size."""

    name: str
    weight: int
    italic: bool
    mono: bool


def face(name: str, flags: int = 0, stem_weight: int = 0, slant: int = 0) -> Face:
    """Judge a font by its PostScript name first; descriptors are often wrong.

    `flags` are those of the font descriptor (ISO 32000-1 table 123), `stem_weight` a weight
    guessed from stem width (0 unknown), `slant` its italic angle in degrees.
    """
    plain = _SUBSET.sub("", name)
    low = plain.lower().replace(" ", "-")
    weight = _weight(low, plain)
    if weight is None:
        forced = flags & _FORCE_BOLD or stem_weight >= 700
        weight = 700 if forced else 400
    italic = bool(_ITALIC.search(low) or _TEX_ITALIC.search(low))
    italic = italic or bool(flags & _ITALIC_FLAG) or 3 <= abs(slant) <= 45
    mono = bool(_MONO.search(low))
    return Face(plain, weight, italic, mono)


def _weight(low: str, plain: str) -> int | None:
    if _TEX_BOLD.search(low):
        return 700
    if "medi" in low and _MEDI_IS_BOLD.search(low):
        return 700
    # split CamelCase so that word bounds work: "GothamBd" → "gotham-bd"
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", plain).lower()
    for pattern, weight in _WEIGHTS:
        if pattern.search(low) or pattern.search(spaced):
            return weight
    return None


def read_face(font: int) -> Face:
    """Read a font handle."""
    out = ctypes.create_string_buffer(256)
    size = native.font_name(font, ctypes.addressof(out), 256)
    raw = out.raw[: max(min(size, 256) - 1, 0)].split(b"\0")[0]
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        # Korean producers write the name in their code page
        name = raw.decode("cp949", "replace")
    angle = ctypes.c_int(0)
    native.font_italic(font, ctypes.addressof(angle))
    return face(name, native.font_flags(font), native.font_weight(font), angle.value)
