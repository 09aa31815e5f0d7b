"""OCR of the pictures on a page that has a text layer: labels of charts, text of screenshots."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from solarmini.layout.document import Problem
from solarmini.layout.limits import Limits
from solarmini.layout.ocr.engines import choose_engine
from solarmini.layout.ocr.lines import lines_of
from solarmini.layout.ocr.pixels import Rect, cut
from solarmini.layout.ocr.reading import Budget, Engine
from solarmini.layout.ocr.sieve import sifted
from solarmini.layout.primitives import Box, Line, PageContent

DPI = 200.0
LEAST_SIDE = 24.0  # points; smaller pictures are icons
MOST_BOXES = 24  # pictures read on one page, the largest first
SURE = 0.70  # confidence of a line read inside a picture: photographs give much nonsense
FLAT = 6.0  # standard deviation of gray levels below which a picture is empty


def recognise_inside(
    content: PageContent,
    boxes: Sequence[Box],
    *,
    languages: tuple[str, ...] = ("en", "ko"),
    engine: str | Engine = "auto",
    limits: Limits | None = None,
) -> PageContent:
    """Return the page with the text printed inside `boxes` (points) added to its lines.

    Text that the page's own text layer gives already is left out, so it is safe to name a box that
    holds both. A page without a renderer, or without boxes large enough, comes back unchanged.
    """
    limits = limits or Limits()
    chosen = _chosen(content, boxes)
    if content.render is None or not chosen:
        return content
    reader = choose_engine(engine, languages) if isinstance(engine, str) else engine
    budget = Budget(limits.ocr_seconds)
    pixels = content.width * content.height * (DPI / 72) ** 2
    dpi = DPI * min(1.0, (limits.max_render_pixels / pixels) ** 0.5)
    image = content.render(dpi)
    scale = (content.width / image.shape[1], content.height / image.shape[0])
    added: list[Line] = []
    unread = 0
    for box in chosen:
        area = Rect(
            box.left / scale[0], box.top / scale[1], box.right / scale[0], box.bottom / scale[1]
        )
        crop = np.ascontiguousarray(cut(image, area))
        if float(crop[::2, ::2].std()) < FLAT:
            continue
        read, left = reader.read(crop, None, budget)
        unread += left
        corner = (max(box.left, 0.0), max(box.top, 0.0))
        sure = [line for line in sifted(read) if line.confidence >= SURE]
        added += _new(lines_of(sure, scale, corner), content.lines)
    if not added and not unread:
        return content
    problems = list(content.problems)
    if unread:
        what = f"reading pictures stopped after {limits.ocr_seconds:g} s: {unread} pieces unread"
        problems.append(Problem(what=what, page=content.number, mend="raise ocr_seconds"))
    return replace(content, lines=_appended(content.lines, added), ocr=True, problems=problems)


def _chosen(content: PageContent, boxes: Sequence[Box]) -> list[Box]:
    """The largest boxes, cut to the page, none inside another."""
    page = content.box
    cropped = [
        Box(
            max(b.left, page.left),
            max(b.top, page.top),
            min(b.right, page.right),
            min(b.bottom, page.bottom),
        )
        for b in boxes
    ]
    large = [b for b in cropped if min(b.width, b.height) >= LEAST_SIDE]
    chosen: list[Box] = []
    for box in sorted(large, key=lambda b: -b.area)[:MOST_BOXES]:
        if not any(box.inside(other) > 0.8 for other in chosen):
            chosen.append(box)
    return chosen


def _new(found: list[Line], have: Sequence[Line]) -> list[Line]:
    """Those lines that the page does not have yet, by place."""
    return [
        line
        for line in found
        if not any(
            line.box.overlap(old.box) > 0.3 * min(line.box.area, old.box.area) for old in have
        )
    ]


def _appended(have: Sequence[Line], added: list[Line]) -> list[Line]:
    last = max((line.order for line in have), default=-1) + 1
    return [*have, *(replace(line, order=last + i) for i, line in enumerate(added))]


__all__ = ["recognise_inside"]
