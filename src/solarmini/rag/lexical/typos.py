"""Terms that a mistyped query may have meant: nearest terms of the vocabulary, letter by letter.

A query term that no chunk holds cannot find anything. Korean is compared by jamo, so that 저작꿘
is one letter from 저작권, and by bigrams, so that one wrong syllable spoils two windows and not
the word. Latin words are compared by optimal string alignment (a swap of neighbours counts one).
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from solarmini.rag.lexical.hangul import from_latin_keys, has_hangul
from solarmini.rag.lexical.terms import document_terms

CORRECTED = 0.6  # weight of all guesses of a term beside 1 for a term as typed
_GUESSES = 3  # guessed terms for one mistyped term, the nearest and most frequent first
_SHORTEST = 4  # characters of a Latin word that is compared: one of three is too much of it
_LONGEST = 24
_SYLLABLES = (0xAC00, 0xD7A3)


class Vocabulary:
    """All terms of a store, laid out for comparison by letters.

    `terms` and `holding` (in how many chunks each occurs) are of equal length. Tables by kind
    and length are made when first asked for.
    """

    def __init__(self, terms: Sequence[str], holding: Sequence[int]) -> None:
        self._holding = dict(zip(terms, holding, strict=True))
        self._groups: dict[tuple[bool, int], list[str]] = {}
        for term in terms:
            if 2 <= len(term) <= _LONGEST and not any(c.isdigit() for c in term):
                self._groups.setdefault((has_hangul(term), len(term)), []).append(term)
        self._tables: dict[tuple[bool, int], np.ndarray] = {}
        self._bags: dict[int, np.ndarray] = {}

    def __contains__(self, term: str) -> bool:
        return term in self._holding

    def holding(self, term: str) -> int:
        """Return in how many chunks `term` occurs."""
        return self._holding.get(term, 0)

    def guesses(self, term: str) -> list[str]:
        """Return up to three terms of the vocabulary that `term` may be a misspelling of."""
        korean = has_hangul(term)
        if not korean and len(term) < _SHORTEST:
            return []
        near: list[tuple[int, int, str]] = []
        for length in [len(term)] if korean else range(len(term) - 1, len(term) + 2):
            words = self._groups.get((korean, length), [])
            if words:
                table = self._table(korean, length)
                near += self._near(term, words, table, korean)
        near.sort()
        return [word for _, _, word in near[:_GUESSES]]

    def _near(
        self, term: str, words: list[str], table: np.ndarray, korean: bool
    ) -> Iterator[tuple[int, int, str]]:
        codes = _codes([term])
        if korean:
            most = 1 if len(term) <= 3 else 2
            likely = np.arange(len(words))
            distance = (table != _jamo(codes)).sum(axis=1)
        else:
            most = 1 if len(term) < 8 else 2
            likely = self._likely(codes, table.shape[1], most)
            distance = alignment(codes[0], table[likely])
        for at in np.flatnonzero((distance <= most) & (distance > 0)):
            word = words[likely[at]]
            if term.startswith("_") == word.startswith("_"):
                yield int(distance[at]), -self._holding[word], word

    def _likely(self, codes: np.ndarray, width: int, most: int) -> np.ndarray:
        """Return which Latin words of a length share enough letters to be `most` changes away.

        Each change takes one letter away at the most, and a swap none.
        """
        if width not in self._bags:
            self._bags[width] = _bags(self._table(korean=False, length=width))
        shared = np.minimum(self._bags[width], _bags(codes)).sum(axis=1, dtype=np.uint8)
        return np.flatnonzero(shared >= max(codes.shape[1], width) - most)

    def _table(self, korean: bool, length: int) -> np.ndarray:
        key = (korean, length)
        if key not in self._tables:
            codes = _codes(self._groups[key])
            self._tables[key] = _jamo(codes) if korean else codes
        return self._tables[key]


def corrections(unknown: Iterable[str], vocabulary: Vocabulary) -> dict[str, float]:
    """Return terms to look up for the terms that no chunk holds, with their weights.

    Latin letters that spell Korean on a Korean keyboard count as the Korean they spell.
    """
    found: dict[str, float] = {}
    for term in unknown:
        guesses = vocabulary.guesses(term)
        for guess in guesses:  # one of them at most was meant
            found[guess] = max(found.get(guess, 0.0), CORRECTED / len(guesses))
        typed = from_latin_keys(term) if term.isascii() and len(term) >= 4 else None
        if typed:
            found.update({t: 1.0 for t in document_terms(typed) if t in vocabulary})
    return found


def _codes(words: list[str]) -> np.ndarray:
    """Return code points, words x characters, of words of one length."""
    flat = np.frombuffer("".join(words).encode("utf-32-le"), dtype="<u4").astype(np.int32)
    return flat.reshape(len(words), -1)


def _bags(codes: np.ndarray) -> np.ndarray:
    """Return how often each letter is in a word, words x 32; some letters count as one."""
    found = np.zeros((len(codes), 32), dtype=np.uint8)
    for column in codes.T:
        found[np.arange(len(codes)), column % 32] += 1
    return found


def _jamo(codes: np.ndarray) -> np.ndarray:
    """Split every syllable into three letters: words x 3 characters; others repeat thrice."""
    first, last = _SYLLABLES
    hangul = (codes >= first) & (codes <= last)
    offset = np.where(hangul, codes - first, 0)
    parts = (offset // 588, offset // 28 % 21 + 100, offset % 28 + 200)
    split = np.stack([np.where(hangul, part, -codes) for part in parts], axis=2)
    return split.reshape(len(codes), -1)


def alignment(word: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return the optimal string alignment distance of `word` [m] to each row of `table` [v, n].

    Insertions, deletions, substitutions and swaps of neighbours cost one (Damerau 1964).
    """
    count, width = table.shape
    before = np.zeros((width + 1, count), dtype=np.int16)
    previous = np.repeat(np.arange(width + 1, dtype=np.int16)[:, None], count, axis=1)
    for i, code in enumerate(word, start=1):
        row = np.empty_like(previous)
        row[0] = i
        for j in range(1, width + 1):
            other = table[:, j - 1]
            cost = (other != code).astype(np.int16)
            best = np.minimum(previous[j] + 1, row[j - 1] + 1)
            best = np.minimum(best, previous[j - 1] + cost)
            if i > 1 and j > 1:
                swapped = (other == word[i - 2]) & (table[:, j - 2] == code)
                best = np.where(swapped, np.minimum(best, before[j - 2] + 1), best)
            row[j] = best
        before, previous = previous, row
    return previous[width]
