"""Which paragraphs are headings: a small random forest over how they are set.

`benchmarks/layout/train_headings.py` makes `headings.json`. Sizes, gaps and weights are compared
with what is usual on the page, so that no absolute measure enters.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from solarmini.layout.assemble.marks import starts_caption
from solarmini.layout.assemble.paragraphs import ends_in_page, leads_to_page
from solarmini.layout.assemble.parts import Part
from solarmini.layout.assemble.rows import Measures, read_marker
from solarmini.layout.primitives import Box

DECIMAL = re.compile(
    r"^(?:[A-Z]\.)?\d{1,2}(?:\.\d{1,2}){1,4}\.?\s+\S|^[A-Z]\.\d+(?:\.\d+)*\.?\s+\S"
)
SINGLE = re.compile(r"^(?:\d{1,2}|[A-Z]|[IVX]{1,5})\.?\s+\S")
NAMED = re.compile(
    r"^(?:chapter|part|section|appendix|annex|article|unit|lesson|module|activity|step"
    r"|제\s*\d+\s*[장절조편]|부록)\b",
    re.I,
)
KNOWN = re.compile(
    r"^(?:[\dIVX.]+\s*)?(?:abstract|introduction|background|related works?|methods?|methodology|"
    r"results?|discussion|conclusions?|references|bibliography|acknowledge?ments?|"
    r"(?:table of )?contents|(?:executive )?summary|preface|prologue|foreword|appendix|glossary|"
    r"index|요약|서론|결론|참고\s?문헌|목차|머리말)"
    r"[.:]?$",
    re.I,
)
SMALL = re.compile(r"(?:an?|and|as|at|but|by|for|from|in|nor|of|on|or|the|to|vs|with)$", re.I)
# a page whose only heading is missed loses more than one with a heading too many
THRESHOLD = 0.35
FORMULA = re.compile(r"[=<>≤≥≈∈∑∫√±×÷→⇒∝]|\S \+ \S")
READ = 0.8  # mean confidence of words that were read well
DOUBT = 0.5  # what is left of the chance of a text that is doubtful
SCANNED = 0.42  # the same of a page that was read from pixels
MOST = 400  # parts; a page of more is a map or a directory
LABELS = ("title", "text", "header", "footer", "caption", "figure", "table", "footnote")
NAMES = (
    "size", "size_rank", "size_before", "size_after", "bold", "bold_rare", "italic", "caps",
    "color", "font", "font_rare", "rows", "characters", "words", "gap_above", "gap_below",
    "decimal", "single",
    "named", "known", "stop", "colon", "comma", "open_end", "lower", "titled", "digits", "caption",
    "page_end", "bullet", "ordinal", "width", "centred", "indent", "height", "first", "last",
    "text_after", "same_after", "beside", "near_object", "contents", "fuzzy", "modelled",
    *(f"seen_{label}" for label in LABELS),
)  # fmt: skip


@dataclass(slots=True)
class Surroundings:
    """What the features of a page's paragraphs are relative to."""

    parts: Sequence[Part]
    measures: Measures
    page: Box
    modelled: bool  # a layout model looked at the page

    def rows(self) -> list[list[float]]:
        """Return the features of every text part, in the order of `texts`."""
        bold, fonts, sizes = self._styles()
        return [self._features(part, bold, fonts, sizes) for part in self.texts()]

    def texts(self) -> list[Part]:
        """Parts that may be headings."""
        return [part for part in self.parts if part.rows and part.category == "paragraph"]

    def _styles(self) -> tuple[float, Counter[str], Counter[float]]:
        bold, total = 0.0, 0
        fonts, sizes = Counter[str](), Counter[float]()
        for part in self.parts:
            for row in part.rows:
                count = len(row.text)
                total += count
                bold += row.bold * count
                fonts[row.font] += count
                sizes[round(row.size * 2) / 2] += count
        return bold / max(total, 1), fonts, sizes

    def _features(
        self, part: Part, bold: float, fonts: Counter[str], sizes: Counter[float]
    ) -> list[float]:
        values = [
            *self._type(part, bold, fonts, sizes),
            *self._words(part),
            *self._place(part),
            float(self.measures.fuzzy),
            float(self.modelled),
        ]
        return values + [part.seen.get(label, 0.0) for label in LABELS]

    def _type(
        self, part: Part, bold: float, fonts: Counter[str], sizes: Counter[float]
    ) -> list[float]:
        total = max(sum(sizes.values()), 1)
        larger = sum(count for size, count in sizes.items() if size > part.size + 0.3)
        before, after = self._around(part)
        row = part.rows[0]
        weight = sum(r.bold for r in part.rows) / len(part.rows)
        above, below = self._gaps(part)
        return [
            _ratio(part.size, self.measures.size),
            larger / total,
            _ratio(part.size, before.size) if before else 0.0,
            _ratio(part.size, after.size) if after else 0.0,
            weight,
            weight * (1 - bold),
            sum(r.italic for r in part.rows) / len(part.rows),
            float(all(r.caps for r in part.rows)),
            float(row.color != self.measures.color),
            float(row.font != self.measures.font),
            1 - fonts[row.font] / max(sum(fonts.values()), 1),
            float(len(part.rows)),
            math.log1p(len(part.text)),
            math.log1p(part.text.count(" ")),
            above,
            below,
        ]

    def _words(self, part: Part) -> list[float]:
        text = part.text.strip()
        marker = read_marker(text)
        words = re.findall(r"[^\W\d_]+", text)
        long = [word for word in words if not SMALL.match(word)]
        return [
            float(bool(DECIMAL.match(text))),
            float(bool(SINGLE.match(text))),
            float(bool(NAMED.match(text))),
            float(bool(KNOWN.match(text))),
            float(text.endswith((".", "!", ";"))),
            float(text.endswith(":")),
            float(text.endswith((",", "-", "–"))),
            float(not text.endswith((".", ":", ",", ";", "!", "?", '"', "”", ")"))),
            float(text[:1].islower()),
            sum(word[0].isupper() for word in long) / max(len(long), 1),
            sum(c.isdigit() for c in text) / max(len(text), 1),
            float(starts_caption(text)),
            float(leads_to_page(text)) + float(ends_in_page(text)),
            float(marker is not None and not marker[1]),
            float(marker is not None and marker[1]),
        ]

    def _place(self, part: Part) -> list[float]:
        box, text = part.frame, self.measures.box
        size = max(self.measures.size, 1.0)
        middle = abs(box.center[0] - text.center[0]) / max(text.width, 1.0)
        _, after = self._around(part)
        beside = [
            other
            for other in self.parts
            if other is not part
            and min(other.frame.bottom, box.bottom) - max(other.frame.top, box.top)
            > 0.3 * box.height
        ]
        near = [o for o in self.parts if (o.figure or o.table) and _close(o.frame, box, 2.5 * size)]
        return [
            box.width / max(text.width, 1.0),
            float(middle < 0.03),
            min((box.left - text.left) / max(text.width, 1.0), 1.0),
            box.top / max(self.page.height, 1.0),
            float(box.top <= text.top + size),
            float(box.bottom >= text.bottom - size),
            math.log1p(len(after.text)) if after else 0.0,
            float(after is not None and abs(after.frame.left - box.left) < 1.5 * size),
            float(min(len(beside), 3)),
            float(bool(near)),
            sum(o.category == "index" for o in self.parts) / max(len(self.parts), 1),
        ]

    def _around(self, part: Part) -> tuple[Part | None, Part | None]:
        """The text parts before and after in reading order, where they share its column."""
        at = self.parts.index(part)
        before = self.parts[at - 1] if at else None
        after = self.parts[at + 1] if at + 1 < len(self.parts) else None
        return (
            before if before and before.rows and _over(before.frame, part.frame) else None,
            after if after and after.rows and _over(part.frame, after.frame) else None,
        )

    def _gaps(self, part: Part) -> tuple[float, float]:
        leading = max(self.measures.leading, 1.0)
        above = min(
            (part.frame.top - o.frame.bottom for o in self.parts if _over(o.frame, part.frame)),
            default=4 * leading,
        )
        below = min(
            (o.frame.top - part.frame.bottom for o in self.parts if _over(part.frame, o.frame)),
            default=4 * leading,
        )
        return _clipped(above / leading), _clipped(below / leading)


def _is_doubtful(part: Part) -> bool:
    """Whether a text from pixels is an item, a formula or was hardly read: seldom a heading."""
    text = part.text.strip()
    words = [word for row in part.rows for word in row.words]
    sure = sum(word.confidence for word in words) / max(len(words), 1)
    marker = read_marker(text)
    item = marker is not None and not marker[1] and len(text) > len(marker[0])
    return item or sure < READ or FORMULA.search(text) is not None


def _clipped(gap: float) -> float:
    return min(max(gap, -1.0), 4.0)


def _ratio(size: float, other: float) -> float:
    return math.log(max(size, 0.1) / max(other, 0.1))


def _over(upper: Box, lower: Box) -> bool:
    """Whether one box stands above another and shares its width."""
    shared = min(upper.right, lower.right) - max(upper.left, lower.left)
    return shared > 0 and upper.center[1] < lower.center[1] and upper.bottom <= lower.center[1]


def _close(box: Box, other: Box, reach: float) -> bool:
    return box.grown(reach).overlap(other) > 0


@dataclass(frozen=True, slots=True)
class Forest:
    """Decision trees: lists of nodes [feature, threshold, left, right] and leaves [-1, share]."""

    trees: list[list[list[float]]]

    def probability(self, features: Sequence[float]) -> float:
        """How likely a paragraph with these features is a heading, 0..1: the trees' mean."""
        total = 0.0
        for tree in self.trees:
            node = tree[0]
            while node[0] >= 0:
                node = tree[int(node[2] if features[int(node[0])] <= node[1] else node[3])]
            total += node[1]
        return total / max(len(self.trees), 1)


@cache
def read_forest(*, scanned: bool = False) -> Forest:
    """Return the trees that come with the package: for text layers, or for text from pixels."""
    text = (files("solarmini.layout.assemble") / "headings.json").read_text(encoding="utf-8")
    return Forest(json.loads(text)["scanned" if scanned else "trees"])


def mark_headings(around: Surroundings, threshold: float | None = None) -> None:
    """Give headings their category, and every paragraph its confidence."""
    scanned = around.measures.fuzzy
    if threshold is None:
        threshold = SCANNED if scanned else THRESHOLD
    forest = read_forest(scanned=scanned)
    if len(around.parts) > MOST:
        return
    for part, features in zip(around.texts(), around.rows(), strict=True):
        chance = forest.probability(features)
        if scanned and _is_doubtful(part):
            chance *= DOUBT
        if chance >= threshold:
            part.category = "heading"
        part.confidence = max(chance, 1 - chance)
