"""Nested lists in HTML.

Bullets become <ul>, numbers "1." become <ol> that show the same numbers; any other marker
("(a)", "①", "가.") is kept as text, because HTML has no way to name it that text readers keep.
"""

import re
from collections.abc import Callable
from html import escape

from solarmini.layout.document import ListItem, Span
from solarmini.layout.export.clean import clean

_DECIMAL = re.compile(r"(\d{1,9})\.$")
_BULLET, _NUMBER, _PRINTED = "ul", "ol", "printed"


def list_html(
    items: tuple[ListItem, ...], attributes: str, inline: Callable[[tuple[Span, ...]], str]
) -> str:
    """Return nested lists in one element with `attributes`.

    Several lists of the same level, when kinds of markers change, stand in one <div>.
    """
    parts: list[str] = []
    open_lists: list[tuple[int, str, int]] = []  # level, kind, number of the last item
    outer = 0
    for item in items:
        kind, number = _kind(item)
        while open_lists and (
            open_lists[-1][0] > item.level
            or (open_lists[-1][0] == item.level and open_lists[-1][1] != kind)
        ):
            parts.append(_close(open_lists.pop()))
        if open_lists and open_lists[-1][0] == item.level:
            _, _, before = open_lists[-1]
            value = f' value="{number}"' if kind == _NUMBER and number != before + 1 else ""
            parts.append(f"</li>\n<li{value}>{_text(item, kind, inline)}")
            open_lists[-1] = (item.level, kind, number)
            continue
        outer += not open_lists
        start = f' start="{number}"' if kind == _NUMBER and number != 1 else ""
        parts.append(f"\n<{_tag(kind)}{start}>\n<li>{_text(item, kind, inline)}")
        open_lists.append((item.level, kind, number))
    parts += [_close(opened) for opened in reversed(open_lists)]
    text = "".join(parts).strip("\n")
    if outer == 1:
        end = re.match(r"<[ou]l", text)
        assert end is not None
        return text[: end.end()] + attributes + text[end.end() :]
    return f"<div{attributes}>\n{text}\n</div>"


def _kind(item: ListItem) -> tuple[str, int]:
    marker = clean(item.marker).strip()
    number = _DECIMAL.match(marker)
    if item.ordered and number:
        return _NUMBER, int(number[1])
    if not item.ordered and len(marker) <= 1 and not marker.isalnum():
        return _BULLET, 0
    return _PRINTED, 0


def _tag(kind: str) -> str:
    return 'ul data-markers="printed"' if kind == _PRINTED else kind


def _close(opened: tuple[int, str, int]) -> str:
    return "</li>\n</ol>\n" if opened[1] == _NUMBER else "</li>\n</ul>\n"


def _text(item: ListItem, kind: str, inline: Callable[[tuple[Span, ...]], str]) -> str:
    text = inline(item.spans)
    if kind == _PRINTED:
        return f"{escape(' '.join(clean(item.marker).split()), quote=False)} {text}"
    return text
