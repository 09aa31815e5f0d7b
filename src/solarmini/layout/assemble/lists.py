"""Lists: paragraphs with markers that follow each other, with their nesting."""

import re
from collections.abc import Sequence

from solarmini.layout.assemble.parts import Part
from solarmini.layout.assemble.rows import Measures, read_marker
from solarmini.layout.assemble.text import compose
from solarmini.layout.document import ListItem, Span
from solarmini.layout.stated import stated_number

HANGUL = "가나다라마바사아자차카타파하"


def mark_items(parts: Sequence[Part]) -> None:
    """Note the markers of paragraphs that are items of a list.

    A bullet makes an item by itself; a number or letter needs a neighbour that counts on with it,
    or text that hangs from it.
    """
    texts = [part for part in parts if part.rows and part.category == "paragraph"]
    for part in texts:
        part.marker = read_marker(part.text)
    marked = [part for part in texts if part.marker]
    sure = {id(part) for part in marked if part.marker and not part.marker[1]}
    for at, part in enumerate(marked):
        near = marked[max(at - 4, 0) : at] + marked[at + 1 : at + 5]
        if any(_counts_on(part, other) for other in near) or _hangs(part):
            sure.add(id(part))
    for part in texts:
        if part.marker and id(part) in sure:
            part.category = "list"
        else:
            part.marker = None


def _value(marker: str) -> tuple[str, int] | None:
    """Return the kind of an ordinal and its number."""
    core = marker.strip("()[].")
    if core.isdecimal():
        return re.sub(r"\d+", "1", marker), stated_number(core)
    if core in HANGUL:
        return "가", HANGUL.index(core)
    if len(core) == 1 and core.isalpha() and core.isascii():
        return marker.replace(core, "A" if core.isupper() else "a"), ord(core)
    if len(core) == 1:
        return "①", ord(core)
    return marker.replace(core, "i"), 0


def _counts_on(part: Part, other: Part) -> bool:
    one, two = (_value(p.marker[0]) if p.marker and p.marker[1] else None for p in (part, other))
    if one is None or two is None:
        return False
    if "i" in one[0] or "i" in two[0]:
        return True
    return one[0] == two[0] and 0 < abs(one[1] - two[1]) <= 3


def _hangs(part: Part) -> bool:
    """Whether the later rows stand where the text after the marker begins."""
    if len(part.rows) < 2:
        return False
    lefts = [row.box.left for row in part.rows[1:]]
    return min(lefts) > part.rows[0].box.left + 0.8 * part.size and max(lefts) - min(lefts) < 2


def join_items(parts: Sequence[Part], measures: Measures) -> list[list[Part]]:
    """Group parts in order: items with what continues them, and lines of a table of contents."""
    groups: list[list[Part]] = []
    for part in parts:
        last = groups[-1] if groups else []
        if last and (_lists_on(last[-1], part) or _goes_on(last, part, measures)):
            last.append(part)
        else:
            groups.append([part])
    return groups


def _lists_on(last: Part, part: Part) -> bool:
    """Whether two parts are lines of one table of contents."""
    both = last.category == part.category == "index"
    return both and part.frame.top > last.frame.top - 1


def _goes_on(group: Sequence[Part], part: Part, measures: Measures) -> bool:
    last = group[-1]
    if group[0].category != "list":
        return False
    if part.category == "list":
        return part.frame.top > last.frame.top - 1  # not in the next column
    if part.category != "paragraph" or not part.rows:
        return False
    item = next(p for p in reversed(group) if p.marker)
    inset = part.frame.left - item.frame.left
    below = 0 <= part.frame.top - last.frame.bottom + 2 < 1.2 * measures.leading
    same = measures.same_size(part.size, item.size)
    return below and same and 0.8 * item.size < inset < 6 * item.size and not _bold(part)


def _bold(part: Part) -> bool:
    return all(row.bold > 0.9 for row in part.rows)


def list_items(group: Sequence[Part], measures: Measures) -> tuple[ListItem, ...]:
    """Return the items of a joined list, nested by the place of their markers."""
    lefts = sorted({round(p.frame.left, 1) for p in group if p.marker})
    steps: list[float] = []
    for left in lefts:
        if not steps or left - steps[-1] > 0.9 * measures.size:
            steps.append(left)
    items: list[ListItem] = []
    for part in group:
        if part.marker is None:
            spans = compose(part.rows, measures)
            old = items[-1]
            items[-1] = old.model_copy(update={"spans": (*old.spans, Span(text="\n"), *spans)})
            continue
        marker, ordered = part.marker
        level = sum(part.frame.left > step + 0.9 * measures.size for step in steps)
        spans = compose(part.rows, measures, skip=len(marker))
        items.append(ListItem(marker=marker, spans=spans, level=min(level, 15), ordered=ordered))
    return tuple(items)
