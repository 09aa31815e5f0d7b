"""Text of rows in its styles: hyphens and line breaks resolved, spaces kept right."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from solarmini.layout.assemble.rows import Measures, Row
from solarmini.layout.document import Span
from solarmini.layout.primitives import Word

SOFT = "\u00ad"
UNBREAKABLE = "\u2011"  # a hyphen like any other once lines are not broken any more
HYPHENS = "-\u2010\u2011"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# what stands before, or after, a hyphen that belongs to the word
FIRST_PARTS = _set("all cross double full half high long low non quasi self short well zero")
LAST_PARTS = _set(
    "aged based driven effective existing focused for free friendly level long made makers making "
    "month oriented profit quality related scale sector specific term year"
)
# Korean particles and endings, which never begin a word
NEVER_FIRST = _set(
    "은 는 을 를 의 에 와 과 으로 로 에서 에게 까지 부터 처럼 보다 이다 한다 했다 하는 하고 하여 "
    "하며 되는 된다 되어 되었다 하였다 합니다 습니다 입니다 였다 으며 이며 이고 이나 들이 들은 "
    "들을 들의 에는 에도 에서는 으로는 로는 로서 로써 으로서 으로써"
)


def compose(rows: Sequence[Row], measures: Measures, *, skip: int = 0) -> tuple[Span, ...]:
    """Return the text of `rows` as spans; the first `skip` characters (a marker) left out."""
    pieces: list[tuple[str, _Style]] = []
    previous: Row | None = None
    token = ""  # what came unbroken before the line above
    for row in rows:
        if previous is not None and pieces:
            glue, drop = join_lines(previous, row, rows, measures, token)
            token = "" if " " in previous.text else token
            token = "" if glue else token + previous.text.rsplit(" ", 1)[-1]
            text, style = pieces[-1]
            text = text[: len(text) - drop]
            pieces[-1] = (text, style)
            if glue:
                pieces.append((glue, style))
        for at, line in enumerate(row.lines):
            for i, word in enumerate(line.words):
                spaced = word.space if i else at > 0
                if spaced:
                    pieces.append((" ", _style(word)))
                pieces.append((word.text, _style(word)))
        previous = row
    return _merge(pieces, skip)


class _Style(NamedTuple):
    bold: bool = False
    italic: bool = False
    superscript: bool = False
    subscript: bool = False
    code: bool = False
    link: str | None = None


PLAIN = _Style()


def _style(word: Word) -> _Style:
    font, raised = word.font, word.raised
    return _Style(
        font.bold,
        font.italic,
        raised == "superscript",
        raised == "subscript",
        font.mono,
        word.link,
    )


def _merge(pieces: Sequence[tuple[str, _Style]], skip: int) -> tuple[Span, ...]:
    """Join pieces of one style; a space goes with the plainer of its neighbours."""
    runs: list[tuple[str, _Style]] = []
    for at, (text, style) in enumerate(pieces):
        if text == " " and runs:
            style = runs[-1][1]
            if style.superscript or style.subscript or style.link:
                after = pieces[at + 1][1] if at + 1 < len(pieces) else style
                style = after if after == style else PLAIN
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + text, style)
        elif text:
            runs.append((text, style))
    spans: list[Span] = []
    for text, style in runs:
        cut = min(skip, len(text))
        text, skip = text[cut:], skip - cut
        text = unicodedata.normalize("NFC", text.replace(SOFT, "").replace(UNBREAKABLE, "-"))
        text = text if spans else text.lstrip()
        if text:
            spans.append(Span(text=text, **style._asdict()))
    return tuple(spans)


def join_lines(
    above: Row, below: Row, rows: Sequence[Row], measures: Measures, before: str = ""
) -> tuple[str, int]:
    """Return what goes between two lines of a paragraph, and how many characters it replaces.

    `before` is what stands without a space before the line above.
    """
    left, right = above.text, below.text
    if not left or not right:
        return "", 0
    last, first = left[-1], right[0]
    if last == SOFT:
        return "", 1
    tail, head = left.rsplit(" ", 1)[-1], right.split(" ", 1)[0]
    if _is_address(before + tail if " " not in left else tail) and last in "/-_=&?%#":
        return "", 0
    if last in HYPHENS and len(tail) > 1 and tail[-2].isalnum():
        return "", 1 if drops_hyphen(tail, head, measures.vocabulary) else 0
    if last == "—" and len(tail) > 1:
        return "", 0
    if _is_ideograph(last) and _is_ideograph(first):
        return "", 0
    if _is_hangul(last) and _is_hangul(first):
        return ("", 0) if _inside_korean_word(above, below, rows, measures) else (" ", 0)
    return " ", 0


def drops_hyphen(tail: str, head: str, vocabulary: frozenset[str]) -> bool:
    """Whether a hyphen at the end of a line only marks the break of a word.

    Evidence from the page goes first (the word written with, or without the hyphen elsewhere);
    then what compounds are usually made of.
    """
    start = re.sub(r"^\W+", "", tail)[:-1]
    end = re.match(r"[\w'’]*", head)
    rest = end.group() if end else ""
    if not rest or not start[-1:].isalpha():
        return False
    if f"{start}-{rest}".lower() in vocabulary:
        return False
    if (start + rest).lower() in vocabulary and rest[0].isupper() == start[-1].isupper():
        return True
    if not rest[0].islower():
        return False
    if "-" in start or start.isupper():
        return False
    compound = start.lower() in FIRST_PARTS and len(rest) > 3
    return not compound and rest.lower() not in LAST_PARTS


def _is_address(token: str) -> bool:
    return "://" in token or token.startswith("www.")


def _is_ideograph(char: str) -> bool:
    return "\u3040" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff" or char in "、。"


def _is_hangul(char: str) -> bool:
    return "\uac00" <= char <= "\ud7a3"


def _inside_korean_word(above: Row, below: Row, rows: Sequence[Row], measures: Measures) -> bool:
    """Whether a line break between two syllables fell inside a word.

    Room left at the end of the line for another syllable tells that the break was made between
    words; so does more room at the end of other lines of the paragraph. Else the word is looked
    for on the page, then particles decide.
    """
    edge = max(row.box.right for row in rows)
    if edge - above.box.right > 1.05 * above.size:
        return False
    roomy = (edge - row.box.right > 1.6 * row.size for row in _before_hangul(rows))
    if any(roomy):
        return False
    tail, head = above.text.rsplit(" ", 1)[-1], below.text.split(" ", 1)[0]
    bare = re.match(r"[\uac00-\ud7a3]+", head)
    stem = bare.group() if bare else head
    if tail == "수" and stem[:1] in "있없":
        return False
    if (tail + stem).lower() in measures.vocabulary:
        return True
    if stem in NEVER_FIRST:
        return True
    return len(tail) == 1 or len(head) == 1


def _before_hangul(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows that the next syllable might have stood on too."""
    for row, after in pairwise(rows):
        if _is_hangul(row.text[-1:]) and _is_hangul(after.text[:1]):
            yield row
