"""Paragraphs that the end of a column or page cuts in two: found, and their broken words mended."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from solarmini.layout.assemble.rows import read_marker
from solarmini.layout.assemble.text import HYPHENS, drops_hyphen
from solarmini.layout.document import Span
from solarmini.layout.primitives import Block, PageDraft

ENDS = ".!?:;…。"
QUOTES = "”’\"')]」』"
OPEN = re.compile(r"\b(?:an?|the|and|or|of|in|on|to|by|for|with|from|as|than|that|which|is|are)$")
PASSED = ("figure", "chart", "table", "caption", "header", "footer", "footnote")  # floats, margins


def find_continued(pages: Sequence[PageDraft]) -> list[tuple[Block, Block]]:
    """Return (paragraph, the one it goes on in) pairs in reading order, over columns and pages.

    Where the cut fell inside a word, the word is made whole at the end of the first of the two, so
    that each can be read by itself; apart from that they stay as they are.
    """
    vocabulary: frozenset[str] | None = None

    def words() -> frozenset[str]:
        nonlocal vocabulary
        if vocabulary is None:
            texts = (_text(block).lower() for page in pages for block in page.blocks)
            vocabulary = frozenset(w for text in texts for w in re.findall(r"[\w-]{2,}", text))
        return vocabulary

    found = []
    for (page, block), (other, after) in pairwise(_flow(pages)):
        if block.category != "paragraph" or after.category != "paragraph":
            continue
        fuzzy = page.scanned or other.scanned
        cut = other.number == page.number + 1 or (page is other and _next_column(block, after))
        if cut and _goes_on(block, after, fuzzy=fuzzy):
            found.append((block, after))
            _mend(block, after, words)
    return found


def _flow(pages: Sequence[PageDraft]) -> Iterator[tuple[PageDraft, Block]]:
    """The blocks that text runs through."""
    for page in pages:
        for block in page.blocks:
            if block.category not in PASSED:
                yield page, block


def _next_column(block: Block, after: Block) -> bool:
    """Whether a block stands beside the one before it, further up."""
    return after.box.left > block.box.center[0] and after.box.top < block.box.bottom - 1


def _goes_on(block: Block, after: Block, *, fuzzy: bool) -> bool:
    """Whether the first of two paragraphs ends in mid-sentence and the second sets in there."""
    left, right = _text(block).rstrip(), _text(after).lstrip()
    if not left or not right or not block.lines or not after.lines:
        return False
    last, first = block.lines[-1], after.lines[0]
    small, large = sorted((last.size, first.size))
    if large > small * (1.3 if fuzzy else 1.05) or last.angle or first.angle:
        return False
    if _broken(left) and right[0].islower():
        return True
    if left.rstrip(QUOTES)[-1:] in ENDS or read_marker(right) is not None:
        return False
    full = last.box.right >= block.box.right - 2 * last.size
    if len(block.lines) < 2 or not full:
        return False
    if right[0].islower() or OPEN.search(left):
        return True
    # a sentence may go on with a name or a number, but no paragraph that is set in does
    inset = len(after.lines) > 1 and first.box.left > after.box.left + 0.5 * first.size
    alike = first.bold == last.bold or len(first.words) > 3
    return not inset and alike and len(after.lines) > 1 and (right[0].isalnum() or right[0] in "([")


def _broken(text: str) -> bool:
    return text[-1] in HYPHENS and text[-2:-1].isalpha()


def _mend(block: Block, after: Block, words: Callable[[], Iterable[str]]) -> None:
    """Take the rest of a broken word over to where it began."""
    left, right = _text(block), _text(after)
    if not _broken(left.rstrip()):
        return
    head = re.match(r"\S+", right)
    if head is None or head.end() >= len(right.rstrip()):
        return
    tail = left.rstrip().rsplit(" ", 1)[-1]
    drop = drops_hyphen(tail, head.group(), frozenset(words()))
    whole = block.spans[-1].text.rstrip()
    whole = (whole[:-1] if drop else whole) + head.group()
    block.spans = (*block.spans[:-1], block.spans[-1].model_copy(update={"text": whole}))
    after.spans = _without(after.spans, head.end())


def _without(spans: Sequence[Span], count: int) -> tuple[Span, ...]:
    """Spans without their first `count` characters and the white space after those."""
    kept: list[Span] = []
    for span in spans:
        text = span.text[count:]
        count = max(count - len(span.text), 0)
        text = text if kept else text.lstrip()
        if text:
            kept.append(span.model_copy(update={"text": text}))
    return tuple(kept)


def _text(block: Block) -> str:
    return "".join(span.text for span in block.spans)
