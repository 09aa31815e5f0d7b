"""CommonMark escaping that touches as few characters as possible.

A backslash is set only where the text would otherwise be read as markup: `2 * 3`, `snake_case`,
`a|b` and `[1]` stay as they are. (CommonMark 0.31: 2.4 backslash escapes, 4 leaf blocks,
6.2 emphasis; GitHub's tables and strikethrough.)
"""

import re
import unicodedata
from html.entities import html5

_MARKUP = re.compile(r"\\(?=[!-/:-@\[-`{-~]|$)|`|<(?=[A-Za-z/!?])|(?<=\])\((?!\s)|~(?=~)|(?<=~)~")
_ENTITY = re.compile(r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z0-9]{2,32});")
_RUN = re.compile(r"\*+|_+")
_RULE = re.compile(r"([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_UNDERLINE = re.compile(r"(=+|-+)[ \t]*$")
_TABLE_LINE = re.compile(r"[|:\- \t]*-[|:\- \t]*$")
_LINE_START = re.compile(r"#{1,6}(?=\s|$)|[-+*](?=\s|$)|>|\[(?=[^\]]+\]:)|~~~")
ORDERED = re.compile(r"(\d{1,9})([.)])(?=\s|$)")


def escape_inline(text: str, *, marked: bool = False) -> str:
    """Return `text` so that nothing inside a line is markup; line starts are not looked at.

    `marked` says that marks of ours will stand beside it, which any mark of its own could join.
    """
    places = {found.start() for found in _MARKUP.finditer(text)}
    for found in _ENTITY.finditer(text):
        if found[1][0] == "#" or f"{found[1]};" in html5:
            places.add(found.start())
    for mark in "*_":
        if mark in text:
            places |= _emphasis(text, mark, every=marked)
    if marked and text.endswith("!"):  # before a link it would make a picture
        places.add(len(text) - 1)
    if not places:
        return text
    return "".join(f"\\{c}" if at in places else c for at, c in enumerate(text))


def escape_lines(text: str, *, number: bool = False) -> str:
    """Return an inline-escaped block so that no line of it starts a heading, list, quote or rule.

    A line that starts with a number ("1. ") is left as it is, because it reads the same as a
    list's item, unless it is the first one and `number` asks for it, or it would break into the
    paragraph (only 1 may).
    """
    lines = []
    for index, raw in enumerate(text.split("\n")):
        line = raw.strip(" \t")
        ordered = ORDERED.match(line)
        if ordered:
            if number if index == 0 else int(ordered[1]) == 1:
                line = f"{ordered[1]}\\{line[ordered.end(1) :]}"
        elif _starts_block(line, index):
            line = "\\" + line
        lines.append(line)
    return "\n".join(lines)


def _starts_block(line: str, index: int) -> bool:
    if _LINE_START.match(line) or _RULE.match(line):
        return True
    return index > 0 and bool(_UNDERLINE.match(line) or _TABLE_LINE.match(line))


def _emphasis(text: str, mark: str, *, every: bool) -> set[int]:
    """Return where runs of `mark` stand, if one could open emphasis and a later one close it."""
    places: set[int] = set()
    opened = paired = False
    for found in _RUN.finditer(text):
        if found[0][0] != mark:
            continue
        opens, closes = flanking(text, found.start(), found.end(), mark)
        paired |= opened and closes
        opened |= opens
        if opens or closes or every:
            places.update(range(found.start(), found.end()))
    return places if paired or every else set()


def flanking(text: str, start: int, end: int, mark: str) -> tuple[bool, bool]:
    """Return whether the run text[start:end] of `mark` can open and can close emphasis."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    space_before, space_after = before.isspace(), after.isspace()
    sign_before, sign_after = _is_sign(before), _is_sign(after)
    left = not space_after and (not sign_after or space_before or sign_before)
    right = not space_before and (not sign_before or space_after or sign_after)
    if mark == "_":
        return left and (not right or sign_before), right and (not left or sign_after)
    return left, right


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
