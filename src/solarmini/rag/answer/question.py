"""What a question asks about: its terms by weight, the names in it, and what kind of thing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from solarmini.rag.lexical import bm25, korean
from solarmini.rag.lexical.hangul import has_hangul
from solarmini.rag.lexical.query import query_words
from solarmini.rag.lexical.terms import normalise
from solarmini.rag.store.interface import Store

Wanted = Literal["number", "time", "name", "any"]

_NUMBER = re.compile(
    r"\bhow (?:many|much|large|big|long|old|tall|far|high|deep|often)\b|\bwhat (?:percent|number|"
    r"share|fraction|size|rate)|얼마|몇|\b(?:퍼센트|비율)",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b|언제|몇\s*(?:년|월|일)|"
    r"(?:연도|날짜|기한)",
    re.IGNORECASE,
)
_NAME = re.compile(r"\bwho(?:se|m)?\b|\bwhere\b|누가|누구|어디", re.IGNORECASE)
# Stems of words that ask or join, which no answer has to repeat
_ASKING = """
mani much often exact happen mean dure after befor while until sinc through between under within
말 뜻 의미 정의
"""
_OF_QUESTIONS = frozenset(_ASKING.split())
_DEFINED = re.compile(
    r"^\s*(?P<ko>[가-힣A-Za-z0-9 ]{2,30}?)(?:이란|란)\s|^\s*what\s+(?:is|are)\s+(?:an?\s+|the\s+)?"
    r"(?P<en>[\w .-]{2,40}?)\s*\?\s*$|^\s*what\s+does\s+(?P<means>.{2,40}?)\s+mean\b",
    re.IGNORECASE,
)
# The property of something that is asked for: "the BLEU score of SFT v2", "SFT v2의 BLEU는"
_PROPERTY = re.compile(
    r"\bwhat(?:['’]s|\s+(?:is|was|are|were))\s+(?:the\s+)?(?P<en>\S+(?:\s+\S+){0,2}?)\s+(?:of|for|on)\s|"
    r"의\s+(?P<ko>[A-Z][A-Za-z0-9-]+)",
    re.IGNORECASE,
)
_MEASURE = re.compile(r"\b[A-Z][a-z-]*[A-Z0-9][A-Za-z0-9-]*")  # MMLU, H6, HumanEval
_TOKEN = re.compile(r"[^\s,;:!?()\[\]\"“”]+")
_OPENING = re.compile(r"(?:^|[.!?]\s)\s*$")


@dataclass(frozen=True, slots=True)
class Question:
    """A question made ready: `weights` of its terms (no bigrams) sum to 1.

    `names` are the words that name or number something, each as its terms: an answer about another
    thing is no answer. `defined` is the word whose meaning is asked for, casefolded. `unheard` is
    the property asked for, where it is written like MMLU and no passage holds it. `passages` is how
    many the store has.
    """

    text: str
    weights: Mapping[str, float]
    names: tuple[frozenset[str], ...]
    wanted: Wanted
    defined: str = ""
    unheard: frozenset[str] = frozenset()
    passages: int = 0


def understand(text: str, store: Store) -> Question:
    """Return what `text` asks; terms weigh by how few of the store's chunks hold them."""
    asked = query_words(text)
    terms = [term for term in asked if term not in _OF_QUESTIONS] or asked
    vocabulary, total = store.vocabulary(), store.count()
    weights = {term: bm25.idf(total, vocabulary.holding(term)) for term in terms}
    whole = sum(weights.values()) or 1.0
    return Question(
        text=text,
        weights={term: weight / whole for term, weight in weights.items()},
        names=tuple(name for name in names_of(text) if name <= weights.keys()),
        wanted="any" if _defined(text) else _wanted(text),
        defined=_defined(text),
        unheard=frozenset(term for term in _property(text) if not vocabulary.holding(term)),
        passages=total,
    )


def names_of(text: str) -> list[frozenset[str]]:
    """Return words with a digit or a capital (not the first word's), and Korean names.

    Each is given as its terms: "GPT-4" is {gpt, 4}.
    """
    found: list[frozenset[str]] = []
    for token in _TOKEN.finditer(text):
        word = token[0]
        inner = word[1:] if _OPENING.search(text[: token.start()]) else word
        if any(c.isdigit() for c in word) or any(c.isupper() for c in inner):
            found.append(frozenset(query_words(word)))
    if has_hangul(text):
        named = korean.analyse(normalise(text))
        found += [frozenset([m.form]) for m in named if m.tag == "NNP"]
    return list(dict.fromkeys(name for name in found if name))


def _wanted(text: str) -> Wanted:
    if _TIME.search(text):
        return "time"
    if _NUMBER.search(text):
        return "number"
    return "name" if _NAME.search(text) else "any"


def _defined(text: str) -> str:
    found = _DEFINED.search(text)
    return next(part for part in found.groups() if part).casefold() if found else ""


def _property(text: str) -> list[str]:
    """Return the terms of the property that is asked for, where it is written like MMLU."""
    found = _PROPERTY.search(text)
    named = _MEASURE.search(found["en"] or found["ko"]) if found else None
    return query_words(named[0]) if named else []
