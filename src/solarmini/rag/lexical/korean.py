"""Korean words to what carries their meaning: morphemes by Kiwi, without particles and endings."""

import threading
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


class Morpheme(NamedTuple):
    """A morpheme that carries meaning; its characters are text[start:end]."""

    form: str  # verbs and adjectives in their dictionary form, ending in 다
    start: int
    end: int


def morphemes(text: str) -> list[Morpheme]:
    """Return the meaning-bearing Korean morphemes of `text` in order.

    Needs kiwipiepy (MissingExtraError otherwise). Deterministic for one version of its model.
    """
    found = []
    for token in analyse(text):
        tag = token.tag.split("-")[0]  # VV-I, VA-R: irregular and regular conjugation
        if tag in _KEPT:
            found.append(Morpheme(token.form, token.start, token.start + token.len))
        elif tag in _VERBS:
            found.append(Morpheme(token.form + "다", token.start, token.start + token.len))
    return found


def analyse(text: str) -> "list[Any]":
    """Return every morpheme of `text` as Kiwi gives it: `form`, Sejong `tag`, `start`, `len`."""
    with _LOCK:
        return list(_kiwi().tokenize(text))


_LOCK = threading.Lock()


@cache
def _kiwi() -> "Kiwi":
    from solarmini.errors import require

    return require("kiwipiepy", "rag").Kiwi(num_workers=1)
