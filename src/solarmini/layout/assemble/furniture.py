"""Running headers, footers and page numbers: what stands in the margins of a page."""

import re
from collections.abc import Sequence

from solarmini.layout.assemble.marks import starts_caption
from solarmini.layout.assemble.rows import Measures, Row, read_marker
from solarmini.layout.primitives import Box, Region, Rule

PAGE_NUMBER = re.compile(
    r"""(?:[-–—|•.\[(<]\s*)?                 # - 12 -
        (?:(?:page|p\.|pg\.?|쪽)\s*)?
        (?:\d{1,4}|[ivxlc]{1,7}|[A-Z]{1,2}-?\d{1,3})
        (?:\s*(?:/|of|의)\s*\d{1,4})?
        (?:\s*[-–—|•.\])>]|\s*쪽|\s*페이지)?""",
    re.VERBOSE | re.IGNORECASE,
)
EDGE_NUMBER = re.compile(
    r"^(?:\d{1,4}|[ivxlc]{1,6}|[IVXLC]{1,6})\b|\b(?:\d{1,4}|[ivxlc]{1,6}|[IVXLC]{1,6})$"
)


def is_page_number(text: str) -> bool:
    """Whether a text is nothing but a page number."""
    return PAGE_NUMBER.fullmatch(text.strip()) is not None


def split_furniture(
    rows: Sequence[Row],
    box: Box,
    measures: Measures,
    obstacles: Sequence[Box],
    regions: Sequence[Region],
    rules: Sequence[Rule] = (),
) -> tuple[list[Row], list[Row], list[Row]]:
    """Return (headers, body, footers) of one page; notes up its margin count as headers."""
    upright = [row for row in rows if row.angle == 0]
    headers = _margin(upright, box, measures, obstacles, regions, rules, top=True)
    left = [row for row in upright if row not in headers]
    footers = _margin(left, box, measures, obstacles, regions, rules, top=False)
    headers += _margin_notes(rows, box, obstacles)
    taken = {*map(id, headers), *map(id, footers)}
    return headers, [row for row in rows if id(row) not in taken], footers


def _margin_notes(rows: Sequence[Row], page: Box, obstacles: Sequence[Box]) -> list[Row]:
    """Return rows that run up or down a side of a page, clear of all that is read level.

    Such are the stamps of archives, the tabs of chapters, and what downloads print on each page.
    """
    level = [row.page_box for row in rows if row.angle in (0, 180)]
    if len(level) < 3 or sum(len(r.text) for r in rows if r.angle in (0, 180)) < 200:
        return []
    left = min(box.left for box in (*level, *obstacles))
    right = max(box.right for box in (*level, *obstacles))
    return [
        row
        for row in rows
        if row.angle in (90, 270)
        and (
            (row.page_box.right <= left + 1 and row.page_box.right < 0.15 * page.right)
            or (row.page_box.left >= right - 1 and row.page_box.left > 0.85 * page.right)
        )
    ]


def _margin(
    rows: Sequence[Row],
    page: Box,
    measures: Measures,
    obstacles: Sequence[Box],
    regions: Sequence[Region],
    rules: Sequence[Rule],
    *,
    top: bool,
) -> list[Row]:
    """Return the rows of up to three bands at one edge that are not part of the text."""
    found: list[Row] = []
    label = "header" if top else "footer"
    for _ in range(3):
        left = [row for row in rows if row not in found]
        band = _outer_band(left, top=top)
        rest = [row.box for row in left if row not in band] + list(obstacles)
        if not band or (found and _away(band, found) > (1.0 if top else 1.6) * measures.leading):
            break
        if not rest and not all(is_page_number(row.text) for row in band):
            break
        named = sum(_seen(row, regions, label) for row in band) * 2 > len(band)
        gap = _gap(band, rest, measures, rules, page, top=top)
        if not _is_furniture(band, page, measures, gap, named=named, top=top):
            break
        found += band
    return found


def _away(band: Sequence[Row], found: Sequence[Row]) -> float:
    """White space between a band and those found before it."""
    down = min(row.box.top for row in band) - max(row.box.bottom for row in found)
    return max(down, min(row.box.top for row in found) - max(row.box.bottom for row in band))


def _outer_band(rows: Sequence[Row], *, top: bool) -> list[Row]:
    if not rows:
        return []
    first = min(rows, key=lambda r: r.box.top) if top else max(rows, key=lambda r: r.box.bottom)
    return [
        row
        for row in rows
        if min(row.box.bottom, first.box.bottom) - max(row.box.top, first.box.top)
        > 0.3 * min(row.box.height, first.box.height)
    ]


def _gap(
    band: Sequence[Row],
    rest: Sequence[Box],
    measures: Measures,
    rules: Sequence[Rule],
    page: Box,
    *,
    top: bool,
) -> float:
    """Distance to what comes next, in usual leadings; a rule between counts for two more."""
    if top:
        edge = max(row.box.bottom for row in band)
        inner = min((box.top for box in rest if box.bottom > edge), default=page.bottom)
        between = [r for r in rules if edge - 1 <= r.box.top <= inner + 1]
    else:
        edge = min(row.box.top for row in band)
        inner = max((box.bottom for box in rest if box.top < edge), default=page.top)
        between = [r for r in rules if inner - 1 <= r.box.bottom <= edge + 1]
    wide = any(r.horizontal and r.box.width > 0.4 * page.width for r in between)
    return abs(inner - edge) / max(measures.leading, 1.0) + 2.0 * wide


def _seen(row: Row, regions: Sequence[Region], label: str) -> bool:
    return any(r.label == label and row.page_box.inside(r.box) > 0.6 for r in regions)


def _is_furniture(
    band: Sequence[Row], page: Box, measures: Measures, gap: float, *, named: bool, top: bool
) -> bool:
    """Whether a band at the edge is no part of the text; `gap` is what parts it from the text."""
    text = "  ".join(row.text for row in sorted(band, key=lambda row: row.box.left)).strip()
    far = max(row.box.bottom for row in band) if top else min(row.box.top for row in band)
    depth = (far - page.top) / page.height if top else (page.bottom - far) / page.height
    if depth > 0.16 or len(text) > 240 or starts_caption(text):
        return False
    if all(is_page_number(row.text) for row in band):
        return gap > 0.4 and depth < 0.14 and max(r.size for r in band) < 2.2 * measures.size
    if max(row.size for row in band) > 1.35 * measures.size or read_marker(text):
        return False
    numbered = any(EDGE_NUMBER.search(row.text.strip()) for row in band)
    if not numbered and all(row.bold > 0.9 and row.size > 1.1 * measures.size for row in band):
        return False  # a heading
    differs = all(_differs(row, measures) for row in band)
    if named and (depth < 0.075 or numbered or differs):
        return gap > 0.3
    if text.endswith((".", ",", ";", ":", "-")) and (len(text) > 60 or not differs):
        return False
    if numbered and depth < 0.07 and len(text) < 90:
        return gap > 0.3
    titled = text[:1].isupper() and len(text) < 70 and (differs or _is_titled(text))
    return gap > (0.7 if numbered else 1.0) and depth < (0.12 if numbered or titled else 0.085)


def _is_titled(text: str) -> bool:
    words = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) > 3]
    return bool(words) and sum(word[0].isupper() for word in words) >= 0.7 * len(words)


def _differs(row: Row, measures: Measures) -> bool:
    """Whether a row is set otherwise than the body."""
    small = row.size < 0.96 * measures.size
    return measures.fuzzy or small or row.font != measures.font or row.color != measures.color
