"""Whether a page's text layer can be used, or its pixels have to be read instead."""

import unicodedata

from solarmini.layout.document import Problem
from solarmini.layout.pdf.visible import SCAN, picture_share
from solarmini.layout.primitives import PageContent

FEWEST = 20  # characters: below, a verdict on garbage is a guess
MANY = 200  # letters from which their statistics speak
VOWELS = 0.25  # of letters; prose in Latin letters has a third and more
GARBAGE = 0.15  # share of characters without meaning that makes a layer useless


def judge(content: PageContent) -> None:
    """Set `content.scanned` where the text layer is missing or garbage, and say so."""
    text = "".join(word.text for line in content.lines for word in line.words)
    if not text:
        if picture_share(content) >= SCAN or len(content.drawings) > 200:
            content.scanned = True
        return
    if len(text) >= FEWEST and (garbage_share(text) > GARBAGE or scrambled(content)):
        content.scanned = True
        content.problems.append(
            Problem(
                what="the text layer does not say which characters its glyphs are",
                page=content.number,
                mend="recognise the page (OCR)",
            )
        )
        return
    # a stamp or page number over a full-page scan is not the page's text
    if len(text) < 60 and picture_share(content) >= 0.85:
        content.scanned = True


def garbage_share(text: str) -> float:
    """Share of characters that stand for nothing: unmapped, private, control, unassigned."""
    if not text:
        return 0.0
    bad = sum(1 for char in text if _meaningless(char))
    bad += 5 * text.count("(cid:")
    return min(bad / len(text), 1.0)


def scrambled(content: PageContent) -> bool:
    """Whether Latin letters make no words: glyph numbers that were taken for characters."""
    words = [word.text for line in content.lines for word in line.words]
    letters = [char for char in "".join(words).lower() if "a" <= char <= "z"]
    if len(letters) < MANY:
        return False
    return sum(char in "aeiouy" for char in letters) < VOWELS * len(letters)


def _meaningless(char: str) -> bool:
    if char.isascii():
        return char < " " or char == "\x7f"
    return char == "\ufffd" or unicodedata.category(char) in ("Co", "Cn", "Cc", "Cs")
