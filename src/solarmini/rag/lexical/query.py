"""A question to what is looked up for it, and how much each term weighs."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from solarmini.rag.lexical import english, korean
from solarmini.rag.lexical.bm25 import is_gram
from solarmini.rag.lexical.hangul import has_hangul
from solarmini.rag.lexical.terms import (
    HANGUL_RUN,
    PAIR,
    document_terms,
    latin_pairs,
    normalise,
    pair,
    plain_terms,
)

_KIND = 0.6  # weight of the noun that names the kind of answer, beside 1 for any other word
_COMPOUND = 0.5  # of a compound whose parts are looked up too

Weights = dict[str, float]


class Query(NamedTuple):
    """What is looked up for a question, with its weights.

    `words` are its words and `grams` their bigrams; `joined` are two words as one compound or as
    a pair, which few passages hold: that none does says nothing about the spelling.
    """

    words: Weights
    grams: Weights
    joined: Weights

    @property
    def terms(self) -> Weights:
        """All of them; a term that is two of them weighs as both."""
        found: Weights = {}
        for part in self:
            _add(found, part.items())
        return found


def query_terms(text: str) -> Weights:
    """Return the terms to look up for a question and their weights."""
    return parse_query(text).terms


def query_words(text: str) -> list[str]:
    """Return the words to look up for a question, each once: stems, morphemes, numbers."""
    return list(parse_query(text).words)


def parse_query(text: str) -> Query:
    """Return what to look up for a question, without the words that only make it one.

    When nothing else is left (the question is "who?") those words are looked up after all.
    """
    text = normalise(text)
    found = _parted(Counter(plain_terms(text, drop=english.STOPWORDS)))
    if has_hangul(text):
        _add_korean(text, found)
    else:
        _add(found.joined, ((pair(*two), 1.0) for two in latin_pairs(text)))
    return found if found.words or found.grams else _parted(document_terms(text))


def _parted(counts: Counter[str]) -> Query:
    found = Query({}, {}, {})
    for term, often in counts.items():
        pairs = found.joined if term.startswith(PAIR) else found.grams
        (pairs if is_gram(term) else found.words)[term] = float(often)
    return found


def _add_korean(text: str, found: Query) -> None:
    """Add the morphemes that are asked about, the bigrams that touch one, and what they form."""
    tokens = korean.analyse(text)
    kind = korean.kind_asked_for(tokens)
    weights: dict[int, float] = {}  # of the letters
    for morpheme in korean.morphemes(tokens):
        if morpheme.form not in korean.QUESTION_MORPHEMES:
            weight = _KIND if morpheme.start == kind else 1.0
            _add(found.words, [(morpheme.form, weight)])
            weights |= dict.fromkeys(range(morpheme.start, morpheme.end), weight)
    for run in HANGUL_RUN.finditer(text):
        for at in range(run.start(), run.end() - 1):
            touched = [weights[i] for i in (at, at + 1) if i in weights]
            if touched:
                _add(found.grams, [("_" + text[at : at + 2], min(touched))])
    _add(found.joined, ((compound, _COMPOUND) for compound in korean.compounds(tokens)))
    _add(found.joined, ((pair(*two), 1.0) for two in korean.pairs(tokens)))


def _add(weights: Weights, more: Iterable[tuple[str, float]]) -> None:
    for term, weight in more:
        weights[term] = weights.get(term, 0.0) + weight
