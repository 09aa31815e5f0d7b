"""Texts as the ids of multilingual-e5-small's pieces (SentencePiece unigram, arXiv:1804.10959).

A library would do, but holds these 250,000 pieces in a quarter of a gigabyte, which is five times
what the network itself takes.
"""

import math
import re
from functools import lru_cache

from solarmini.rag.embed.e5.weights import E5

BEGIN, END, UNKNOWN = 0, 2, 3
_MARK = "\N{LOWER ONE EIGHTH BLOCK}"  # stands for a space, before the first word too
_SPACES = re.compile(" {2,}")
_WORD = re.compile(f"{_MARK}[^{_MARK}]*")
_PENALTY = 10.0  # what an unknown character costs beyond the least likely piece
_KEPT = 30_000  # words


class Pieces:
    """The tokenizer of the weights in a file; may be used by several threads at once."""

    def __init__(self, file: E5) -> None:
        self._ids = {piece: at for at, piece in enumerate(file.pieces) if at != UNKNOWN}
        self._scores = file.scores
        self._unknown = float(file.scores.min()) - _PENALTY
        self._longest = max(map(len, self._ids))
        self._replaced = file.replaced
        self._of_word = lru_cache(_KEPT)(self._best)

    def ids(self, text: str) -> list[int]:
        """Return the ids of a text, without the marks around it."""
        read = _SPACES.sub(" ", text.translate(self._replaced)).replace(" ", _MARK)
        words = _WORD.findall(read if read.startswith(_MARK) else _MARK + read)
        return [piece for word in words for piece in self._of_word(word)]

    def _best(self, word: str) -> tuple[int, ...]:
        """Return the likeliest pieces of a word (Viterbi); unknown ones in a row are one."""
        size = len(word)
        best = [0.0, *[-math.inf] * size]
        last = [(0, UNKNOWN)] * (size + 1)  # where the last piece begins, and its id
        for start in range(size):
            reached = best[start]
            if reached + self._unknown > best[start + 1]:
                best[start + 1] = reached + self._unknown
                last[start + 1] = (start, UNKNOWN)
            for end in range(start + 1, min(size, start + self._longest) + 1):
                piece = self._ids.get(word[start:end])
                if piece is not None and reached + float(self._scores[piece]) > best[end]:
                    best[end] = reached + float(self._scores[piece])
                    last[end] = (start, piece)
        found: list[int] = []
        while size:
            size, piece = last[size]
            if not (piece == UNKNOWN and found and found[-1] == UNKNOWN):
                found.append(piece)
        return tuple(reversed(found))
