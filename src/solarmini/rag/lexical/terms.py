"""Text to search terms: what is indexed of a chunk, and what is looked up for a question.

A term is a string of letters, digits and "·" without ASCII punctuation or space, so that a
full-text engine which splits at those keeps it whole. Character bigrams begin with "_".
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from solarmini.rag.lexical import english, korean
from solarmini.rag.lexical.hangul import bigrams, has_hangul

# Recorded in every store: terms made under another name cannot be searched with these.
ANALYSIS = "solar-terms-1"

_HANGUL_RUN = re.compile(r"[가-힣]+")
_HAN_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_ACCENT = re.compile("[\u0300-\u036f]")
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_WORD = re.compile(
    r"[^\W\d_가-힣\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+(?:['’][^\W\d_]+)?"
)
_OF_NUMBERS = frozenset("0123456789.")
_NAME = re.compile(r"[a-z0-9]+(?:\.[a-z0-9]+)*")


def normalise(text: str) -> str:
    """Fold what a searcher would not tell apart: width, case, accents on Latin letters."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if text.isascii():
        return text
    split = unicodedata.normalize("NFD", text)  # takes Hangul apart too; NFC joins it again
    return unicodedata.normalize("NFC", _ACCENT.sub("", split))


def document_terms(text: str) -> Counter[str]:
    """Return the terms of a text to be indexed and how often each occurs."""
    text = normalise(text)
    counts = Counter(_plain_terms(text, drop=frozenset()))
    if has_hangul(text):
        counts.update(morpheme.form for morpheme in korean.morphemes(text))
        for run in _HANGUL_RUN.findall(text):
            counts.update("_" + pair for pair in bigrams(run))
    return counts


def query_terms(text: str) -> Counter[str]:
    """Return the terms to look up for a question, without the words that only make it one.

    When nothing else is left (the question is "who?") those words are looked up after all.
    """
    text = normalise(text)
    counts = Counter(_plain_terms(text, drop=english.STOPWORDS))
    if has_hangul(text):
        counts.update(_korean_query(text))
    return counts or document_terms(text)


def _korean_query(text: str) -> Iterator[str]:
    """Yield morphemes that are asked about, and the bigrams that touch one of them."""
    wanted = [m for m in korean.morphemes(text) if m.form not in korean.QUESTION_MORPHEMES]
    covered = {at for m in wanted for at in range(m.start, m.end)}
    yield from (morpheme.form for morpheme in wanted)
    for run in _HANGUL_RUN.finditer(text):
        for at in range(run.start(), run.end() - 1):
            if at in covered or at + 1 in covered:
                yield "_" + text[at : at + 2]


def _plain_terms(text: str, drop: frozenset[str]) -> Iterator[str]:
    """Yield stems of words, numbers without separators, names such as 10.7b, and Han bigrams."""
    for word in _WORD.findall(text):
        bare = word.split("'")[0].split("’")[0]
        if bare and bare not in drop:
            yield english.stem(bare)
    for number in _NUMBER.findall(text):
        yield _number_term(number)
    for name in _NAME.findall(text):
        if any(c.isdigit() for c in name) and not all(c in _OF_NUMBERS for c in name):
            yield name.replace(".", "·")
    for run in _HAN_RUN.findall(text):
        yield from (("_" + pair for pair in bigrams(run)) if len(run) > 1 else (run,))


def _number_term(number: str) -> str:
    """Write a number as one term: 7,241,732 -> 7241732, 74.20 -> 74·2, 2023-12-23 -> 2023·12·23."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number):
        number = number.replace(",", "")
    if re.fullmatch(r"\d+\.\d+", number):
        number = number.rstrip("0").rstrip(".")
    return re.sub(r"[.,:/-]", "·", number)
