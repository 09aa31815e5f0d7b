"""What glyphs of symbol fonts mean where the file says something else, or nothing."""

import re
import unicodedata

import numpy as np

# Typesetting systems that give operators the codes of Latin letters (ð1 þ xÞ ¼ 2)
_OPERATORS = re.compile(
    r"^(advp[0-9a-z]|advmath|advsym|texcmmath|mathematicalpi|mathpi|mtsy)", re.I
)
_AS_OPERATORS = str.maketrans("ðÞþ¼½", "()+=[")
# The encodings of the Symbol and Wingdings fonts, which writers shift to U+F000 + code
_SYMBOL = dict(
    zip(
        range(0x61, 0x7B),
        "αβχδεφγηιϕκλμνοπθρστυϖωξψζ",
        strict=True,
    )
)
_SYMBOL |= dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True))
_SYMBOL |= {0x2D: "−", 0xA2: "′", 0xA3: "≤", 0xA5: "∞", 0xA9: "♥", 0xAE: "→", 0xAC: "←", 0xAD: "↑"}
_SYMBOL |= {0xAF: "↓", 0xB0: "°", 0xB1: "±", 0xB3: "≥", 0xB4: "×", 0xB6: "∂", 0xB7: "•", 0xB8: "÷"}
_SYMBOL |= {0xB9: "≠", 0xBA: "≡", 0xBB: "≈", 0xC5: "⊕", 0xC6: "∅", 0xC7: "∩", 0xC8: "∪", 0xCE: "∈"}
_SYMBOL |= {0xD1: "∇", 0xD2: "®", 0xD3: "©", 0xD4: "™", 0xD5: "∏", 0xD6: "√", 0xD7: "⋅", 0xDE: "⇒"}
_SYMBOL |= {0xE5: "∑", 0xF2: "∫", 0x22: "∀", 0x24: "∃", 0x40: "≅", 0x5E: "⊥", 0x7E: "∼"}
_WINGDINGS = {
    0x6C: "●",
    0x6E: "■",
    0x6F: "□",
    0x71: "❑",
    0x72: "❒",
    0x75: "◆",
    0x76: "❖",
    0x77: "◆",
}
_WINGDINGS |= {
    0x9F: "•",
    0xA1: "○",
    0xA7: "▪",
    0xA8: "◻",
    0xB7: "•",
    0xD8: "➢",
    0xE0: "→",
    0xE8: "➔",
}
_WINGDINGS |= {0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑", 0x2D: "−"}
# The extension font of TeX: brackets and operators in sizes, none of which has a Unicode name
_EXTENSION = dict(zip(range(0x10, 0x1A), "()()[]⌊⌋⌈⌉", strict=True))
_EXTENSION |= dict(zip(range(0x1A, 0x20), "{}⟨⟩/\\", strict=True))
_EXTENSION |= dict(zip(range(0x21, 0x2E), ")[]⌊⌋⌈⌉{}⟨⟩/\\", strict=True))
_EXTENSION |= dict(zip(range(0x48, 0x62), "∮∮⊙⊙⊕⊕⊗⊗∑∏∫⋃⋂⊎⋀⋁∑∏∫⋃⋂⊎⋀⋁∐∐", strict=True))
_EXTENSION |= dict.fromkeys(range(0x70, 0x74), "√")
_EXTENSION |= {
    0x00: "(",
    0x01: ")",
    0x02: "[",
    0x03: "]",
    0x04: "⌊",
    0x05: "⌋",
    0x06: "⌈",
    0x07: "⌉",
}
_EXTENSION |= {0x08: "{", 0x0E: "/", 0x0F: "\\"}

UNKNOWN = 0xFFFD  # stands for what the file does not say

# spacing accents, as TeX sets them over letters → combining ones
_ACCENTS = dict(zip("`´ˆ˜¯˘˙¨˚˝ˇ¸˛", "̧̨̀́̂̃̄̆̇̈̊̋̌", strict=True))
ACCENTS = frozenset(map(ord, _ACCENTS))


def meaning(code: int, font: str, unmapped: bool) -> int:
    """Return what `code` of a font of that name stands for; mostly `code` itself."""
    if unmapped and suspect(font):
        return ord(_EXTENSION.get(code, chr(UNKNOWN)))
    if code < 0x20 or 0x7F <= code < 0xA0 or code & 0xFFFE == 0xFFFE or code > 0x10FFFF:
        return UNKNOWN
    if 0xF000 <= code <= 0xF0FF:
        low = code - 0xF000
        table = _WINGDINGS if "wing" in font.lower() else _SYMBOL
        plain = chr(low) if 0x20 < low < 0x40 and table is _SYMBOL else None
        known = table.get(low) or plain
        return ord(known) if known else code
    if code in (0xF0, 0xDE, 0xFE, 0xBC, 0xBD) and _OPERATORS.match(font):
        return ord(chr(code).translate(_AS_OPERATORS))
    return code


def suspect(font: str) -> bool:
    """Whether characters of a font of that name have to be asked for being unmapped."""
    return font.lower().startswith(("cmex", "lmex", "txex", "pxex"))


def compose(codes: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Put accents that are drawn over a neighbour on it: changes `codes`, returns what stays.

    `ink` are boxes (n, 4) of upright text in the order of the file.
    """
    stays = np.ones(len(codes), dtype=bool)
    for at in np.flatnonzero(np.isin(codes, list(ACCENTS))).tolist():
        left, top, right, bottom = ink[at]
        for near in (at + 1, at - 1):
            if not 0 <= near < len(codes) or not stays[near]:
                continue
            shared = min(right, ink[near, 2]) - max(left, ink[near, 0])
            tall = ink[near, 3] - ink[near, 1]
            over = abs((top + bottom) - (ink[near, 1] + ink[near, 3])) < 2.2 * tall
            letter = chr(int(codes[near]))
            if not (letter.isalpha() and over and shared >= 0.6 * max(right - left, 0.01)):
                continue
            base = {"ı": "i", "ȷ": "j"}.get(letter, letter)
            whole = unicodedata.normalize("NFC", base + _ACCENTS[chr(int(codes[at]))])
            if len(whole) == 1:
                codes[near] = ord(whole)
                stays[at] = False
                break
    return stays
