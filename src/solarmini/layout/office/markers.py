"""List markers as a word processor prints them: numbers in the formats of OOXML and OWPML."""

_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l")),
    *((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_SYLLABLES = "가나다라마바사아자차카타파하"
_LETTERS = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"
_IDEOGRAPHS = "一二三四五六七八九十"
_SYMBOLS = {  # code points of the Symbol and Wingdings fonts that bullets use
    "\uf0b7": "•",
    "\uf0a7": "▪",
    "\uf0d8": "➢",
    "\uf0fc": "✓",
    "\uf076": "❖",
    "\uf0a8": "◻",
    "\uf06c": "●",
    "\uf06e": "■",
    "\uf0e0": "→",
    "\uf0ae": "→",
}


def number_text(number: int, kind: str) -> str:
    """Return a number as `kind` (an OOXML numFmt or an OWPML numFormat, in lower case) shows it."""
    kind = kind.lower().replace("_", "")
    if kind in ("decimalzero",):
        return f"{number:02}"
    if kind in ("lowerletter", "latinsmall"):
        return _alphabet(number, "abcdefghijklmnopqrstuvwxyz")
    if kind in ("upperletter", "latincapital"):
        return _alphabet(number, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if kind in ("lowerroman", "romansmall"):
        return roman(number)
    if kind in ("upperroman", "romancapital"):
        return roman(number).upper()
    if kind in ("ganada", "hangulsyllable"):
        return _alphabet(number, _SYLLABLES)
    if kind in ("chosung", "hanguljamo"):
        return _alphabet(number, _LETTERS)
    if kind in ("ideographdigital", "chinesecounting", "japanesecounting", "ideograph"):
        return _IDEOGRAPHS[number - 1] if 1 <= number <= 10 else str(number)
    if kind in ("decimalenclosedcircle", "circleddigit") and 1 <= number <= 20:
        return chr(0x2460 + number - 1)
    if kind in ("circledlatinsmall",) and 1 <= number <= 26:
        return chr(0x24D0 + number - 1)
    if kind in ("circledhangulsyllable",) and 1 <= number <= 14:
        return chr(0x326E + number - 1)
    return str(number)


def roman(number: int) -> str:
    """Return a number from 1 to 3999 in Roman numerals, lower case; others in digits."""
    if not 0 < number < 4000:
        return str(number)
    text = ""
    for value, sign in _ROMAN:
        count, number = divmod(number, value)
        text += sign * count
    return text


def bullet(text: str) -> str:
    """Return a bullet of a symbol font as the character it looks like."""
    shown = "".join(_SYMBOLS.get(character, character) for character in text).strip()
    private = any("\ue000" <= character <= "\uf8ff" for character in shown)
    return "•" if not shown or private or shown == "o" else shown


def _alphabet(number: int, letters: str) -> str:
    """a … z, then aa … zz as Word counts: the letter repeated."""
    if not 0 < number <= 50 * len(letters):
        return str(number)
    turns, place = divmod(number - 1, len(letters))
    return letters[place] * (turns + 1)
