"""What else a paragraph may be: footnote, equation, code, or lines of a table of contents."""

import re
from collections.abc import Sequence
from itertools import pairwise

from solarmini.layout.assemble.paragraphs import ends_in_page, is_entry
from solarmini.layout.assemble.parts import Part
from solarmini.layout.assemble.rows import Measures
from solarmini.layout.primitives import Rule, union
from solarmini.layout.stated import stated_number

NOTE = re.compile(r"^(?:\d{1,3}[.)]?(?=\s|[A-Z가-힣h<\"“'‘(])|[*†‡§¶]+|\[\d{1,3}\])\s*\S")
MATH_FONT = re.compile(r"CMMI|CMSY|CMEX|CMR\d|MSBM|MSAM|Math|Symbol|MTMI|MTSY|MTEX|Euclid", re.I)
MATH_CHARS = frozenset("=+−±×÷∑∏∫√∞∂∇≤≥≠≈≡∈∉⊂⊆∪∩∀∃→←↔⇒⇔·⋅∗∝∼|{}^_<>/")
NUMBERED = re.compile(r"\(\s*[A-Z]?\d+(?:\.\d+)*[a-z]?\s*\)\s*$")


def mark_footnotes(
    parts: Sequence[Part], measures: Measures, height: float, rules: Sequence[Rule]
) -> None:
    """Find notes at the foot of a column: small type (or under a short rule), begun by a mark."""
    texts = [part for part in parts if part.rows and part.category == "paragraph"]
    for part in sorted(texts, key=lambda part: -part.box.bottom):
        if _is_footnote(part, parts, measures, height, rules):
            part.category = "footnote"
    _continue_footnotes(texts, measures)


def _is_footnote(
    part: Part, parts: Sequence[Part], measures: Measures, height: float, rules: Sequence[Rule]
) -> bool:
    if part.box.top < 0.45 * height:
        return False
    if part.seen.get("footnote", 0.0) > 0.5:
        return True
    first = part.rows[0].words[0]
    marked = first.raised == "superscript" or NOTE.match(part.text) is not None
    if not marked or part.size > 1.1 * measures.size:
        return False
    small = part.size < (0.9 if measures.fuzzy else 0.93) * measures.size
    ruled = _under_short_rule(part, rules)
    raised = first.raised == "superscript" and len(first.text) <= 3
    if not (small or ruled or raised):
        return False
    return not any(
        other.box.top > part.box.bottom - 1
        and _shares_width(part, other)
        and (other.category == "paragraph" or other.table or other.figure)
        for other in parts
        if other is not part
    )


def _under_short_rule(part: Part, rules: Sequence[Rule]) -> bool:
    return any(
        rule.horizontal
        and 0 <= part.box.top - rule.box.bottom < 2.5 * part.size
        and abs(rule.box.left - part.box.left) < 2 * part.size
        and rule.box.width < 0.75 * max(part.box.width, 200)
        for rule in rules
    )


def _shares_width(part: Part, other: Part) -> bool:
    shared = min(part.box.right, other.box.right) - max(part.box.left, other.box.left)
    return shared > 0.2 * min(part.box.width, other.box.width)


def _continue_footnotes(texts: Sequence[Part], measures: Measures) -> None:
    """Small paragraphs below a footnote in its column go on with it."""
    notes = [part for part in texts if part.category == "footnote"]
    for part in sorted(texts, key=lambda part: part.box.top):
        if part.category != "paragraph":
            continue
        over = [n for n in notes if n.box.bottom <= part.box.top + 2 and _shares_width(part, n)]
        if any(measures.same_size(part.size, note.size) for note in over) and not (
            measures.same_size(part.size, measures.size)
        ):
            part.category = "footnote"
            notes.append(part)


def mark_equations(parts: Sequence[Part]) -> None:
    """Find displayed formulas: short, set off, mostly symbols or set in a font for mathematics."""
    for part in parts:
        if part.rows and part.category == "paragraph" and _is_equation(part):
            part.category = "equation"


def join_equations(parts: Sequence[Part], measures: Measures) -> list[Part]:
    """Join the pieces of one formula: side by side on a level, or piled up closely."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.category == part.category == "equation"
            and _is_piece(last, part, measures)
        ):
            last.rows = [*last.rows, *part.rows]
            last.box = union([last.box, part.box])
            last.frame = union([last.frame, part.frame])
        else:
            joined.append(part)
    return joined


def _is_piece(last: Part, part: Part, measures: Measures) -> bool:
    if NUMBERED.search(last.text):
        return False
    wide = max(part.frame.left - last.frame.right, last.frame.left - part.frame.right)
    high = max(part.frame.top - last.frame.bottom, last.frame.top - part.frame.bottom)
    return high < -0.1 * measures.size and (
        wide < 4 * measures.size or bool(NUMBERED.fullmatch(part.text))
    )


def _is_equation(part: Part) -> bool:
    text = part.text
    if part.seen.get("equation", 0.0) > 0.5 and len(text) < 300:
        return True
    if len(part.rows) > 6 or len(text) > 200:
        return False
    words = re.findall(r"[^\W\d_]{4,}", text)
    letters = sum(map(len, words))
    solid = len(text.replace(" ", ""))
    if NUMBERED.fullmatch(text.strip()):
        return True
    symbols = sum(c in MATH_CHARS for c in text)
    fonts = sum(
        len(w.text) for row in part.rows for w in row.words if MATH_FONT.search(w.font.name)
    )
    if letters > 0.35 * solid or not symbols:
        return False
    strong = symbols >= 0.08 * solid or fonts > 0.5 * solid
    return strong and ("=" in text or bool(NUMBERED.search(text)) or fonts > 0.5 * solid)


def mark_code(parts: Sequence[Part]) -> None:
    """Find text that is set in a monospaced font from end to end."""
    mono = [p for p in parts if p.rows and p.category == "paragraph"]
    total = sum(len(p.text) for p in mono)
    found = [p for p in mono if all(row.mono > 0.9 for row in p.rows) and len(p.text) > 8]
    if sum(len(p.text) for p in found) > 0.85 * total > 0:
        return  # a page typed on a typewriter is not a program
    code = {id(part) for part in found}
    for before, part, after in zip(parts, parts[1:], parts[2:], strict=False):
        short = part.rows and part.category == "paragraph" and len(part.text) <= 8
        beside = id(before) in code or id(after) in code
        if short and beside and all(row.mono > 0.9 for row in part.rows):
            found.append(part)
    for part in found:
        part.category = "code"


def mark_contents(parts: Sequence[Part]) -> None:
    """Find lines of a table of contents or an index of pages."""
    texts = [part for part in parts if part.rows and part.category == "paragraph"]
    entries = [part for part in texts if is_entry(part.rows[-1])]
    ended = [p for p in texts if ends_in_page(p.rows[-1].text) and len(p.rows) <= 3]
    numbers = [_page(part) for part in ended]
    rising = sum(a <= b for a, b in pairwise(numbers))
    whole = len(ended) >= 4 and len(ended) * 2 > len(texts) and rising * 1.2 >= len(ended) - 1
    for part in [*ended, *entries] if whole else entries if len(entries) >= 2 else []:
        part.category = "index"


def _page(part: Part) -> int:
    last = part.rows[-1].text.rsplit(" ", 1)[-1].strip(".…")
    return stated_number(last)
