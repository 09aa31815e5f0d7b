"""Levels of headings over a whole document: from numbering where there is some, else from type."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from solarmini.layout.primitives import Block

DECIMAL = re.compile(r"^(\d{1,2}(?:\.\d{1,2})*)(?:\.?(?=\s|[가-힣])|\.(?=[A-Z]))")
LETTERED = re.compile(r"^([A-Z](?:\.\d{1,2})+)\.?\s")


@dataclass(frozen=True, slots=True)
class Style:
    """How a heading is set: size rounded to half a point, weight, capitals."""

    size: float
    bold: bool
    caps: bool

    @property
    def rank(self) -> tuple[float, bool, bool]:
        """Higher is more prominent."""
        return self.size, self.bold, self.caps


def style_of(block: Block, step: float = 0.5) -> Style:
    """Return the style of most of a block's text; `step` is the grid of sizes in points."""
    line = max(block.lines, key=lambda line: len(line.text))
    letters = [c for c in line.text if c.lower() != c.upper()]
    caps = len(letters) > 2 and all(c.isupper() for c in letters)
    return Style(round(line.size / step) * step, line.bold, caps)


def heading_text(block: Block) -> str:
    """Return the plain text of a heading."""
    return "".join(span.text for span in block.spans).strip()


def number_depth(text: str) -> int:
    """Return how deep a heading is numbered: "2" and "A" 1, "2.3" 2, 0 where it is not."""
    match = DECIMAL.match(text) or LETTERED.match(text)
    if match is None:
        return 0
    return len([part for part in match.group(1).split(".") if part])


def set_levels(headings: Sequence[Block], *, fuzzy: bool = False) -> None:
    """Give every heading its level, 1..6.

    Styles are ranked by size, weight and capitals; styles that carry one depth of numbering are
    one rank, and a deeper number is never above a shallower one.
    """
    if not headings:
        return
    step = 2.0 if fuzzy else 0.5
    styles = {id(block): style_of(block, step) for block in headings}
    depths = {id(block): number_depth(heading_text(block)) for block in headings}
    usual = _depth_of_styles(headings, styles, depths)
    ranks = _ranks(set(styles.values()), usual)
    offset = _offset(headings, styles, depths, ranks)
    for block in headings:
        depth = depths[id(block)]
        level = depth + offset if depth and offset is not None else ranks[styles[id(block)]]
        block.level = min(max(level, 1), 6)


def _depth_of_styles(
    headings: Sequence[Block], styles: dict[int, Style], depths: dict[int, int]
) -> dict[Style, int]:
    votes: dict[Style, Counter[int]] = defaultdict(Counter)
    for block in headings:
        votes[styles[id(block)]][depths[id(block)]] += 1
    return {style: count.most_common(1)[0][0] for style, count in votes.items()}


def _ranks(styles: set[Style], usual: dict[Style, int]) -> dict[Style, int]:
    """Rank 1 is the most prominent style; styles of one depth of numbering share a rank."""
    ranks: dict[Style, int] = {}
    rank = 0
    of_depth: dict[int, int] = {}
    for style in sorted(styles, key=lambda style: style.rank, reverse=True):
        depth = usual[style]
        if depth and depth in of_depth:
            ranks[style] = of_depth[depth]
            continue
        rank += 1
        ranks[style] = rank
        if depth:
            of_depth[depth] = rank
    return ranks


def _offset(
    headings: Sequence[Block],
    styles: dict[int, Style],
    depths: dict[int, int],
    ranks: dict[Style, int],
) -> int | None:
    """How many levels stand above numbered headings of depth 1; None without numbers."""
    least = min((depth for depth in depths.values() if depth), default=0)
    top = [ranks[styles[id(block)]] for block in headings if depths[id(block)] == least]
    return max(min(top) - least, 0) if least else None
