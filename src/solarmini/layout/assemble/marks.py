"""Marks that texts begin with: how captions are labelled."""

import re

_KINDS = (
    "figures? fig\\.? figs\\.? tables? tab\\. chart diagram scheme plate map box exhibit photo "
    "photograph image illustration graph algorithm listing 그림 표 도표 사진 차트"
)
CAPTION = re.compile(
    r"^[<\[(【]?\s*(?P<kind>" + "|".join(_KINDS.split()) + r")\s*"
    r"(?:(?P<number>(?:[A-Z]{1,2}[.-]?)?\d+(?:[.\-–]\d+)*[a-z]?|[IVX]+|[A-Z])"
    r"(?P<end>[.:|)\]>】—–-]|\s|$)|(?P<colon>:)(?=\s))",
    re.IGNORECASE,
)


def starts_caption(text: str) -> bool:
    """Whether a text begins as captions do: Figure 3:, TABLE 2., 그림 1."""
    return CAPTION.match(text.strip()) is not None


def is_caption_label(text: str) -> bool:
    """Whether a text is the label of a caption and nothing more."""
    match = CAPTION.match(text.strip())
    return match is not None and match.end() >= len(text.strip())
