"""Authors and where they work: set large between a title and an abstract, yet no headings."""

import re
from collections.abc import Sequence

from solarmini.layout.assemble.parts import Part
from solarmini.layout.assemble.rows import Measures

ABSTRACT = re.compile(r"^(?:abstract|summary|요\s*약|초\s*록|국문\s*초록)\b", re.I)
NUMBERED = re.compile(r"^(?:\d{1,2}|[IVX]{1,4})[.\s]")
WORKPLACE = re.compile(
    r"\b(?:universit|institut|departe?ment|laborator|college|school|faculty|academy|hospital|"
    r"cent(?:er|re)\b|research|inc\.|ltd|gmbh|corp|ai\b)|대학|연구[소원]|학과|병원|@",
    re.I,
)
MARKS = "*∗†‡§¶♦♣♠♥⋆"
REACH = 12  # parts between a title and its abstract


def clear_bylines(parts: Sequence[Part], measures: Measures) -> None:
    """Take headings that are authors or affiliations for paragraphs.

    Between the title and the abstract nothing is a heading but what is as large as the title, or
    numbered; without an abstract, names with marks of notes and what stands below them.
    """
    texts = [part for part in parts if part.rows and part.category in ("paragraph", "heading")]
    title = next((i for i, part in enumerate(texts) if part.category == "heading"), None)
    if title is None or title > REACH:
        return
    size = texts[title].size
    after = texts[title + 1 : title + 1 + REACH]
    end = next((i for i, part in enumerate(after) if ABSTRACT.match(part.text.strip())), None)
    if end is not None and size > 1.09 * measures.size:
        between = [part for part in after[:end] if not measures.same_size(part.size, size)]
    else:
        between = _signed(after)
    for part in between:
        if part.category == "heading" and not NUMBERED.match(part.text):
            part.category = "paragraph"


def _signed(after: Sequence[Part]) -> list[Part]:
    """Names right below a title, and workplaces right below those."""
    found: list[Part] = []
    for part in after:
        if not _is_names(part) and not (found and WORKPLACE.search(part.text)):
            break
        found.append(part)
    return found


def _is_names(part: Part) -> bool:
    """Whether a text is a list of names that carry marks of notes."""
    text = part.text
    raised = sum(word.raised == "superscript" for row in part.rows for word in row.words)
    marked = raised + sum(text.count(mark) for mark in MARKS)
    words = re.findall(r"[^\W\d_]{2,}", text)
    titled = sum(word[0].isupper() or word in ("and", "de", "van", "von") for word in words)
    listed = "," in text or " and " in text
    return marked >= 2 and listed and titled >= 0.9 * len(words) > 0 and not text.endswith(".")
