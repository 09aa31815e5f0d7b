"""Rows: printed lines with what assembly asks of them, turned so that their text reads upright."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from solarmini.layout.primitives import Box, Line, PageContent, Word, union

BULLETS = "•·●○◦▪■□▫▶►▸▹➢➤➔⮚✓✔✗✦★☆‣⁃∙❖◆◇※–—−*-\uf0b7\uf0a7\uf076\uf0d8\uf0fc\uf02d\uf0a8"
ORDINAL = re.compile(
    r"""\(?\d{1,3}[.)]            # 1. 1) (1)
      | \[\d{1,3}\]               # [1]
      | \(?[a-zA-Z][.)]           # a. a) (a)
      | \(?[ivxl]{2,6}[.)] | \(?[IVXL]{2,6}[.)]
      | \(?[가나다라마바사아자차카타파하][.)]
      | [①-⑳㉠-㉻ⓐ-ⓩ]
    """,
    re.VERBOSE,
)


@dataclass(slots=True, eq=False)
class Row:
    """One printed line, or a marker and the line that follows it on the same baseline.

    `box`, `baseline` are in the frame of reading (points, y downward); `size` is the font size of
    most characters; `bold`, `italic`, `mono` are shares of its characters, 0..1.
    """

    lines: list[Line]
    box: Box
    baseline: float
    text: str
    size: float
    bold: float
    italic: float
    mono: float
    font: str
    color: int
    angle: int = 0
    entry: bool = False  # of a table of contents: a title and its page

    @property
    def words(self) -> list[Word]:
        """All words, left to right."""
        return [word for line in self.lines for word in line.words]

    @property
    def order(self) -> int:
        """Place in the file's own drawing order."""
        return self.lines[0].order

    @property
    def page_box(self) -> Box:
        """The box on the page, whatever its direction."""
        return union(line.box for line in self.lines)

    @property
    def caps(self) -> bool:
        """Whether it has three letters or more that are all capitals."""
        letters = [c for c in self.text if c.isalpha() and c.lower() != c.upper()]
        return len(letters) >= 3 and all(c.isupper() for c in letters)

    @property
    def first_width(self) -> float:
        """Width of the first word with the space before it."""
        word = self.lines[0].words[0]
        wide = word.box.width if self.angle in (0, 180) else word.box.height
        return wide + 0.25 * self.size


def turn(box: Box, angle: int, width: float, height: float) -> Box:
    """Return the box in the frame where text of that direction reads left to right."""
    if angle == 90:
        return Box(box.top, width - box.right, box.bottom, width - box.left)
    if angle == 180:
        return Box(width - box.right, height - box.bottom, width - box.left, height - box.top)
    if angle == 270:
        return Box(height - box.bottom, box.left, height - box.top, box.right)
    return box


def make_row(lines: Sequence[Line], width: float, height: float) -> Row:
    """Make a row of lines that stand side by side on a page of `width` x `height`."""
    angle = lines[0].angle
    box = turn(union(line.box for line in lines), angle, width, height)
    sizes, fonts, colors = Counter[float](), Counter[str](), Counter[int]()
    bold = italic = mono = total = 0
    baselines: list[float] = []
    for line in lines:
        for word in line.words:
            count = len(word.text)
            total += count
            if not word.raised:
                baselines.append(word.baseline)
                sizes[word.font.size] += count
            fonts[word.font.name] += count
            colors[word.color] += count
            bold += count * word.font.bold
            italic += count * word.font.italic
            mono += count * word.font.mono
    total = max(total, 1)
    straight = angle == 0 and baselines
    return Row(
        list(lines),
        box,
        median(baselines) if straight else box.bottom,
        " ".join(line.text for line in lines),
        sizes.most_common(1)[0][0] if sizes else lines[0].size,
        bold / total,
        italic / total,
        mono / total,
        fonts.most_common(1)[0][0],
        colors.most_common(1)[0][0],
        angle,
    )


def read_marker(text: str) -> tuple[str, bool] | None:
    """Return the list marker at the start of a text and whether it counts; None without one."""
    head = text.split(" ", 1)[0]
    if head and len(head) <= 2 and all(c in BULLETS for c in head):
        return head, False
    if head == "o" and len(text) > 2:  # Courier's "o" as a hollow bullet
        return ("o", False) if text[2:3].isupper() else None
    if ORDINAL.fullmatch(head):
        return head, True
    if text[:1] in "•●▪■➢➤⮚✓✔\uf0b7\uf0a7" and len(text) > 1:
        return text[0], False
    return None


@dataclass(slots=True)
class Measures:
    """What is usual on a page: size of the body text, its leading, and where the text stands."""

    size: float
    leading: float
    box: Box
    fuzzy: bool = False  # sizes come from pixels: compare them loosely
    color: int = 0
    font: str = ""
    vocabulary: frozenset[str] = field(default_factory=frozenset)

    def same_size(self, left: float, right: float) -> bool:
        """Whether two sizes are meant to be the same."""
        small, large = sorted((left, right))
        return large <= small * (1.3 if self.fuzzy else 1.09) + 0.05


def measure(rows: Sequence[Row], content: PageContent) -> Measures:
    """Return what is usual among the rows of a page."""
    fuzzy = content.scanned
    sizes, colors, fonts = Counter[float](), Counter[int](), Counter[str]()
    for row in rows:
        count = len(row.text)
        sizes[round(row.size * 2) / 2] += count
        colors[row.color] += count
        fonts[row.font] += count
    if not sizes:
        return Measures(10.0, 12.0, content.box, fuzzy)
    size = _typical_size(sizes, fuzzy)
    body = sorted(
        (row for row in rows if abs(row.size - size) <= (0.25 if fuzzy else 0.09) * size),
        key=lambda row: row.baseline,
    )
    steps = []
    for above, below in pairwise(body):
        step = below.baseline - above.baseline
        overlap = min(above.box.right, below.box.right) - max(above.box.left, below.box.left)
        if 0.8 * size < step < 3 * size and overlap > 0:
            steps.append(step)
    words = frozenset(re.findall(r"[\w-]{2,}", "\n".join(row.text for row in rows).lower()))
    return Measures(
        size,
        median(steps) if steps else 1.25 * size,
        union(row.box for row in rows),
        fuzzy,
        colors.most_common(1)[0][0],
        fonts.most_common(1)[0][0],
        words,
    )


def _typical_size(sizes: Counter[float], fuzzy: bool) -> float:
    if not fuzzy:
        return max(sizes, key=lambda size: (sizes[size], -size)) or 10.0
    half, seen = sum(sizes.values()) / 2, 0
    for size in sorted(sizes):
        seen += sizes[size]
        if seen >= half:
            return size or 10.0
    return 10.0
