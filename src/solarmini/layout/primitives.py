"""What a page holds before it is understood: lines of words, rules, drawings, pictures.

Readers (PDF text layer, OCR) make these; tables, figures and assembly consume them. Coordinates
are points (1/72 inch) of the page as it is seen, origin at the top left, y downward.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from solarmini.layout.document import Cell, ListItem, Problem, Span, Table


class Box(NamedTuple):
    """Left, top, right, bottom in points."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Right minus left."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Bottom minus top."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Width x height, 0 when empty."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def center(self) -> tuple[float, float]:
        """Middle (x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def overlap(self, other: "Box") -> float:
        """Area shared with `other`."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(wide, 0.0) * max(high, 0.0)

    def iou(self, other: "Box") -> float:
        """Intersection over union, 0..1."""
        shared = self.overlap(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def inside(self, other: "Box") -> float:
        """Share of this box's area that lies in `other`, 0..1."""
        return self.overlap(other) / self.area if self.area > 0 else 0.0

    def grown(self, by: float) -> "Box":
        """The box with `by` points added on every side."""
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)


def union(boxes: Iterable[Box]) -> Box:
    """Return the smallest box around `boxes` (at least one)."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


@dataclass(frozen=True, slots=True)
class Font:
    """What is known of a font: size in points as drawn; weight 100..900."""

    name: str
    size: float
    weight: int = 400
    italic: bool = False
    mono: bool = False

    @property
    def bold(self) -> bool:
        """Whether it is drawn bold."""
        return self.weight >= 600


@dataclass(frozen=True, slots=True)
class Word:
    """Text without white space in one font. `space` says that white space stands before it."""

    text: str
    box: Box
    font: Font
    baseline: float
    space: bool = True
    color: int = 0  # 0xRRGGBB of the fill
    raised: Literal["", "superscript", "subscript"] = ""
    link: str | None = None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """Words side by side on one baseline, without a gap as wide as a column's.

    `angle` is the direction of reading in degrees clockwise from left-to-right: 0, 90, 180, 270;
    boxes are always those on the page. `order` is the position in the file's own drawing order.
    """

    words: tuple[Word, ...]
    box: Box
    angle: int = 0
    order: int = 0

    @property
    def text(self) -> str:
        """The words with their spaces."""
        parts = [(" " if w.space and i else "") + w.text for i, w in enumerate(self.words)]
        return "".join(parts)

    @property
    def size(self) -> float:
        """Font size of most of its characters."""
        totals: dict[float, int] = {}
        for word in self.words:
            totals[word.font.size] = totals.get(word.font.size, 0) + len(word.text)
        return max(totals, key=lambda size: totals[size])

    @property
    def bold(self) -> bool:
        """Whether most of its characters are bold."""
        heavy = sum(len(word.text) for word in self.words if word.font.bold)
        return heavy * 2 > sum(len(word.text) for word in self.words)


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight stroke or thin filled box, horizontal or vertical; `thickness` in points."""

    box: Box
    horizontal: bool
    thickness: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """A vector path that is not a rule: its box, and whether it is filled, a rectangle, curved."""

    box: Box
    filled: bool
    rectangle: bool
    curved: bool
    color: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A raster image placed on the page; its size in pixels."""

    box: Box
    pixels: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """What a layout model saw; `label` is the model-independent category name."""

    box: Box
    label: Literal[
        "text", "title", "table", "figure", "caption", "header", "footer", "footnote", "equation"
    ]
    score: float


Renderer = Callable[[float], np.ndarray]
"""dpi -> the page as uint8 RGB (height, width, 3), bounded by the limits in force."""


@dataclass(slots=True)
class PageContent:
    """Everything a reader found on one page."""

    number: int
    width: float
    height: float
    lines: list[Line] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    render: Renderer | None = None
    scanned: bool = False  # no (usable) text layer: lines come, or must come, from OCR
    marked: bool = False  # rules, drawings and pictures were looked for in the pixels of a scan
    angle: float = 0.0  # degrees clockwise the pixels were turned by to be read
    ocr: bool = False  # some lines come from OCR
    problems: list[Problem] = field(default_factory=list)

    @property
    def box(self) -> Box:
        """The whole page."""
        return Box(0.0, 0.0, self.width, self.height)


@dataclass(slots=True)
class FoundTable:
    """A table on a page: its grid (cell polygons set), and the lines it used up."""

    box: Box
    table: Table
    lines: list[Line]
    confidence: float


@dataclass(slots=True)
class FoundFigure:
    """A figure or chart on a page and the lines printed inside it."""

    box: Box
    chart: bool
    lines: list[Line]
    confidence: float


@dataclass(slots=True)
class Block:
    """A piece of a page on its way to becoming an Element: `lines` are its own, in order.

    `category` is "heading" until levels are known over the whole document.
    """

    category: str
    box: Box
    lines: list[Line]
    spans: tuple[Span, ...] = ()
    items: tuple[ListItem, ...] = ()
    table: Table | None = None
    image: bytes | None = None
    caption_of: int | None = None  # index in the page's blocks that this caption belongs to
    level: int = 0
    confidence: float = 1.0


@dataclass(slots=True)
class PageDraft:
    """A page whose blocks are in reading order; what the document-wide pass works on.

    Small and picklable: it crosses process boundaries.
    """

    number: int
    width: float
    height: float
    blocks: list[Block]
    angle: float = 0.0
    ocr: bool = False
    problems: list[Problem] = field(default_factory=list)
    scanned: bool = False  # all its text comes from pixels


__all__ = [
    "Block",
    "Box",
    "Cell",
    "Drawing",
    "Font",
    "FoundFigure",
    "FoundTable",
    "Line",
    "PageContent",
    "PageDraft",
    "Picture",
    "Region",
    "Rule",
    "Word",
    "union",
]
