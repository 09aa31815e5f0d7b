"""Captions: recognised by how they begin and where they stand, and tied to what they belong to."""

import re
from collections.abc import Sequence

from solarmini.layout.assemble.marks import CAPTION
from solarmini.layout.assemble.parts import Part
from solarmini.layout.assemble.rows import Measures
from solarmini.layout.primitives import Box

HEADED = re.compile(r"\d+(?:\.\d+)*\.?\s+[^\W\d_]")


def mark_captions(parts: Sequence[Part], measures: Measures) -> None:
    """Give captions their category and tie them to the nearest table or figure."""
    objects = [part for part in parts if part.table or part.figure]
    for part in parts:
        if part.rows and part.category == "paragraph":
            _mark(part, objects, measures)


def _mark(part: Part, objects: Sequence[Part], measures: Measures) -> None:
    match = CAPTION.match(part.text.strip())
    named = part.seen.get("caption", 0.0) > 0.4
    if match is None and not named:
        return
    near = sorted(((_distance(part.box, other.box), i) for i, other in enumerate(objects)), key=min)
    wanted = _wanted(match.group("kind")) if match else None
    close = [
        objects[i]
        for distance, i in near
        if distance < 3.5 * measures.leading and _fits(wanted, objects[i])
    ]
    if (
        match is not None
        and not named
        and not _reads_as_caption(part, match, measures, bool(close))
    ):
        return
    if match is None and not (close and _stands_out(part, measures)):
        return
    part.category = "caption"
    part.caption_of = close[0] if close else None


def _wanted(kind: str) -> str:
    tabular = kind.lower().startswith(("tab", "표"))
    return "table" if tabular else "any" if kind.lower() in ("box", "exhibit") else "figure"


def _fits(wanted: str | None, part: Part) -> bool:
    if wanted == "table":
        return True  # a table may be printed as a picture
    return wanted in (None, "any") or part.figure is not None or part.table is not None


def _stands_out(part: Part, measures: Measures) -> bool:
    """Whether a text is set otherwise than the body, and not as a heading is."""
    row = part.rows[0]
    if HEADED.match(part.text) or (row.bold > 0.9 and part.size > 1.05 * measures.size):
        return False
    return (
        not measures.same_size(part.size, measures.size)
        or row.bold > 0.9
        or row.italic > 0.9
        or row.font != measures.font
        or measures.fuzzy
    )


def _reads_as_caption(part: Part, match: re.Match[str], measures: Measures, close: bool) -> bool:
    """Tell "Figure 3. The data" from "Figure 3 shows that the data"."""
    first = part.rows[0].words[0].font
    styled = not measures.same_size(part.size, measures.size) or first.bold or first.italic
    marked = match.group("end") not in (" ", "")  # or None: "Table: ..."
    rest = part.text.strip()[match.end() :].strip()
    running = bool(re.match(r"(?:and |to |[a-z]+s\b|[은는이가을를에의])", rest)) and not marked
    if running:
        return False
    short = len(part.rows) <= 3
    return (marked or styled or short) and (close or len(part.rows) <= 6)


def _distance(box: Box, other: Box) -> float:
    wide = max(other.left - box.right, box.left - other.right, 0.0)
    high = max(other.top - box.bottom, box.top - other.bottom, 0.0)
    return (wide**2 + high**2) ** 0.5
