"""Korean words to what carries their meaning: morphemes by Kiwi, without particles and endings."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from kiwipiepy import Kiwi

# Sejong tags that carry meaning: nouns, numerals, roots, verbs, adjectives, adverbs, Hanja
_NOUNS = ("NNG", "NNP", "NR", "XR", "SH")
_VERBS = ("VV", "VA", "VX")
_KEPT = (*_NOUNS, "MAG", "NNB")

# What Korean questions are built of; they say nothing about the answer.
_QUESTION_WORDS = """
무엇 뭐 무슨 어떤 어떻 어떠하다 어떻게 어떻다 어찌 누구 언제 어디 얼마 얼마나 왜 몇 어느
대하다 관하다 의하다 위하다 따르다 통하다 있다 없다 하다 되다 이다 아니다 말다 알다 알리다
말하다 주다 설명 설명하다 것 거 수 때 경우 등 및 또는 그리고
"""
QUESTION_MORPHEMES = frozenset(_QUESTION_WORDS.split())


# What names things: two of them without a space between are a compound, which the same writer
# may elsewhere write, or Kiwi read, as one word.
_NAMING = ("NNG", "NNP", "XR", "XSN", "XPN")
# What may stand in a pair, and what may stand between its two
_PAIRED = (*_KEPT, *_VERBS, "XSN", "XPN", "MM", "SN", "SL")
_BETWEEN = ("JKS", "JKO", "JKG", "JKB", "JX", "JC", "XSV", "XSA", "ETM", "SSO", "SSC", "SP")
# What follows the noun of "…한 사람은?", "…한 곳은 어디인가?"
_CLOSING = ("EF", "EP", "EC", "ETM", "VCP", "VCN", "NP", "JX", "JKS", "JKG", "MM", "MAG", "IC")
_ASKING = ("JX", "JKS", "VCP")


class Morpheme(NamedTuple):
    """A morpheme that carries meaning; its characters are text[start:end]."""

    form: str  # verbs and adjectives in their dictionary form, ending in 다
    start: int
    end: int


def morphemes(tokens: "Sequence[Any]") -> list[Morpheme]:
    """Return the meaning-bearing Korean morphemes among Kiwi's, in order.

    A name of several words is one morpheme to Kiwi, and one for each of its words here.
    """
    found = []
    for token in tokens:
        tag = _tag(token)
        if tag in _KEPT or tag in _VERBS:
            end = "다" if tag in _VERBS else ""
            start, stop = token.start, token.start + token.len
            found += [Morpheme(form + end, start, stop) for form in token.form.split()]
    return found


def compounds(tokens: "Sequence[Any]") -> Iterator[str]:
    """Yield every two nouns, roots or affixes without a space between, as one word.

    불교 + 방송 is the 불교방송 of another text; 유영 + 철, a name that Kiwi took apart, is 유영철.
    """
    for one, other in itertools.pairwise(tokens):
        if (
            one.start + one.len == other.start
            and _tag(one) in _NAMING
            and _tag(other) in _NAMING
            and " " not in one.form + other.form
        ):
            yield one.form + other.form


def pairs(tokens: "Sequence[Any]") -> Iterator[tuple[str, str]]:
    """Yield every two words that follow each other but for particles, compounds excepted."""
    before: Any = None
    for token in tokens:
        tag = _tag(token)
        if tag in _PAIRED:
            if before is not None and not _joined(before, token):
                yield before.form.replace(" ", ""), token.form.replace(" ", "")
            before = token
        elif tag not in _BETWEEN:
            before = None


def _joined(one: "Any", other: "Any") -> bool:
    together = one.start + one.len == other.start
    return together and _tag(one) in _NAMING and _tag(other) in _NAMING


def kind_asked_for(tokens: "Sequence[Any]") -> int | None:
    """Return where the noun starts that names the kind of answer wanted, or None.

    It is the last of a question and nothing is said of it: the 곳 of "그가 태어난 곳은?". The
    answer is one, and seldom called so.
    """
    asks = False
    for token in reversed(tokens):
        tag = _tag(token)
        if tag in ("NNG", "NNP", "NNB", "NR", "XSN"):
            if token.form not in QUESTION_MORPHEMES:
                return token.start if asks else None
        elif tag in _VERBS:
            if token.form + "다" not in QUESTION_MORPHEMES:
                return None
        elif not tag.startswith("S") and tag not in _CLOSING:
            return None
        asks = asks or tag in _ASKING or token.form == "?"
    return None


def _tag(token: "Any") -> str:
    """Return the tag without what it says of conjugation: VV-I and VV-R are VV."""
    return token.tag.partition("-")[0]


def analyse(text: str) -> "list[Any]":
    """Return every morpheme of `text` as Kiwi gives it: `form`, Sejong `tag`, `start`, `len`.

    Needs kiwipiepy (MissingExtraError otherwise). Deterministic for one version of its model.
    """
    with _LOCK:
        return list(_kiwi().tokenize(text))


_LOCK = threading.Lock()


@cache
def _kiwi() -> "Kiwi":
    from solarmini.errors import require

    return require("kiwipiepy", "rag").Kiwi(num_workers=1)
