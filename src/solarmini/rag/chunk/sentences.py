"""Where sentences end, in English and Korean text."""

import re
from collections.abc import Iterator

_ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:Dr|Mr|Mrs|Ms|Prof|St|vs|etc|e\.g|i\.e|cf|al|Fig|Figs|Eq|No|Vol|pp|Inc|Ltd|Co|"
    r"Jr|Sr|U\.S|U\.K|[A-Z])\.$"
)
_END = re.compile(r"[.!?。！？…]+[\"'”’)\]]*(?=\s)|\n+")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of every sentence; together they cover all but white space between.

    A line break ends a sentence: in our text it stands only where it means something. A full
    stop after an initial, a common abbreviation or inside a number does not.
    """
    start = 0
    for found in _END.finditer(text):
        end = found.end()
        if found[0][0] == "." and _ABBREVIATED.search(text[start:end]):
            continue
        yield from _trimmed(text, start, end)
        start = end
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        yield start, end
