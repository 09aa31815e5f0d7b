"""Characters that no exporter lets through, and which links it does."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from urllib.parse import quote, urlsplit

from solarmini.layout.document import Span

# C0 and C1 controls but tab and newline, lone surrogates, noncharacters, and the marks that turn
# the direction of the text after them (they make a page show another text than it holds).
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)
_BREAKS = re.compile("\r\n?|\u2028|\u2029|\x0b|\x0c|\x85")
_SCHEMES = ("http", "https", "mailto")
_LINK_SAFE = "!#$%&'()*+,/:;=?@[]~-._"
_MAX_LINK = 4096


def clean(text: str) -> str:
    """Return `text` without control characters; every kind of line break becomes "\\n"."""
    return _UNWANTED.sub("", _BREAKS.sub("\n", text))


def safe_link(link: str | None) -> str | None:
    """Return a link that a page may carry, percent-encoded: http, https or mailto, else None."""
    if not link or len(link) > _MAX_LINK:
        return None
    link = clean(link).strip()
    if re.search(r"\s", link):
        return None
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    if parts.scheme.lower() not in _SCHEMES:
        return None
    if parts.scheme.lower() != "mailto" and not parts.netloc:
        return None
    return quote(link, safe=_LINK_SAFE)


def styled_runs(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans with cleaned text; neighbours of the same style become one, empty ones none."""
    for style, group in groupby(spans, key=lambda span: span.model_copy(update={"text": ""})):
        text = clean("".join(span.text for span in group))
        if text:
            yield style.model_copy(update={"text": text})
