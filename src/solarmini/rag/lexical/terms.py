"""Text to search terms: what is indexed of a chunk.

A term is a string of letters, digits and "·" without ASCII punctuation or space, so that a
full-text engine which splits at those keeps it whole. Character bigrams begin with "_", pairs of
words that follow each other with "__" (ordered dependence: Metzler & Croft 2005): of two passages
with the same words, the one is meant that has them side by side.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from solarmini.rag.lexical import english, korean
from solarmini.rag.lexical.bm25 import is_gram
from solarmini.rag.lexical.hangul import bigrams, has_hangul

# Recorded in every store: terms made under another name cannot be searched with these.
ANALYSIS = "solar-terms-2"

PAIR = "__"
HANGUL_RUN = re.compile(r"[가-힣]+")
_HAN_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_ACCENT = re.compile("[\u0300-\u036f]")
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_WORD = re.compile(
    r"[^\W\d_가-힣\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+(?:['’][^\W\d_]+)?"
)
_OF_NUMBERS = frozenset("0123456789.")
_IN_SENTENCE = re.compile(rf"{_NUMBER.pattern}|{_WORD.pattern}|[.!?](?=\s)")
_ENDS = frozenset(".!?")
_UNFIT = re.compile(r"\W|_")
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
    counts = _words(text)
    if not has_hangul(text):
        counts.update(pair(*two) for two in latin_pairs(text))
        return counts
    tokens = korean.analyse(text)
    counts.update(morpheme.form for morpheme in korean.morphemes(tokens))
    counts.update(korean.compounds(tokens))
    counts.update(pair(*two) for two in korean.pairs(tokens))
    for run in HANGUL_RUN.findall(text):
        counts.update("_" + gram for gram in bigrams(run))
    return counts


def document_words(text: str) -> Counter[str]:
    """Return the words of a text alone, stems and morphemes, and how often each occurs."""
    text = normalise(text)
    counts = _words(text)
    if has_hangul(text):
        tokens = korean.analyse(text)
        counts.update(morpheme.form for morpheme in korean.morphemes(tokens))
        counts.update(korean.compounds(tokens))
    return Counter({term: often for term, often in counts.items() if not is_gram(term)})


def pair(one: str, other: str) -> str:
    """Return the term of two words that follow each other."""
    return PAIR + _UNFIT.sub("·", _spelt(one) + _spelt(other))


def _spelt(word: str) -> str:
    return _number_term(word) if word[:1].isdigit() else english.stem(word)


def latin_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield every two words or numbers of a sentence with nothing but stopwords between."""
    before = ""
    for found in _IN_SENTENCE.findall(text):
        word = found.split("'")[0].split("’")[0]
        if word in english.STOPWORDS:
            continue
        ends = word in _ENDS
        if before and word and not ends:
            yield before, word
        before = "" if ends else word


def _words(text: str) -> Counter[str]:
    return Counter(plain_terms(text, drop=frozenset()))


def plain_terms(text: str, drop: frozenset[str]) -> Iterator[str]:
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
        yield from (("_" + gram for gram in bigrams(run)) if len(run) > 1 else (run,))


def _number_term(number: str) -> str:
    """Write a number as one term: 7,241,732 -> 7241732, 74.20 -> 74·2, 2023-12-23 -> 2023·12·23."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number):
        number = number.replace(",", "")
    if re.fullmatch(r"\d+\.\d+", number):
        number = number.rstrip("0").rstrip(".")
    return re.sub(r"[.,:/-]", "·", number)
