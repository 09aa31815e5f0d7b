"""Throws out what is no text: detections on photographs, rules, specks and the same text twice."""

import unicodedata

from solarmini.layout.ocr.reading import ReadLine

LEAST = 0.55  # confidence below which a line is thrown out
SHORT = 0.75  # ... of one or two letters
SIGNS = 0.85  # ... of signs alone (a rule reads as "-", a frame as "|")
BULLETS = frozenset("•·▪◦●○■□◆◇★☆※-–—*→▶►✓✔")


def sifted(lines: list[ReadLine]) -> list[ReadLine]:
    """Return the lines that are text, each once, from the top down."""
    good = [line for line in lines if _is_text(line)]
    good.sort(key=lambda line: -line.confidence * len(line.text))
    kept: list[ReadLine] = []
    for line in good:
        if not any(_same_place(line, other) for other in kept):
            kept.append(line)
    return kept


def _is_text(line: ReadLine) -> bool:
    text = line.text.replace(" ", "")
    across = line.rect.width if line.angle else line.rect.height
    if not text or across < 4 or line.confidence < LEAST:
        return False
    letters = sum(unicodedata.category(c)[0] in "LN" for c in text)
    if not letters:
        return line.confidence >= (LEAST if text in BULLETS else SIGNS)
    return len(text) > 2 or line.confidence >= SHORT


def _same_place(line: ReadLine, other: ReadLine) -> bool:
    """Whether most of a line's box lies in that of another."""
    a, b = line.rect, other.rect
    wide = min(a.right, b.right) - max(a.left, b.left)
    high = min(a.bottom, b.bottom) - max(a.top, b.top)
    if wide <= 0 or high <= 0:
        return False
    return wide * high > 0.6 * max(a.width * a.height, 1.0)
