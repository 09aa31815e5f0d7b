"""What reads as a value: in a cell of a table, at an axis of a chart."""

import re

_NUMBER = re.compile(
    r"^[(\[<>≤≥~≈±+\-−–—$€£¥₩%]*\d[\d.,:/'’\s%‰°()\[\]*†‡+\-−–—±×x^eE$€£¥₩원개명년]*[a-zA-Z]{0,3}[*†‡]*$"
)
_EMPTY_MARK = re.compile(r"^([-−–—*.·]{1,3}|[nN]/?[aA]\.?|[xXoO✓✗✔✘✕√●○])$")


def is_value(text: str) -> bool:
    """Whether a text is a number (with signs, units, brackets) or a mark that stands for one."""
    text = text.strip()
    return bool(_NUMBER.match(text) or _EMPTY_MARK.match(text))
