"""Texts as the ids of multilingual-e5-small's pieces (SentencePiece unigram, arXiv:1804.10959)."""

import re
from collections.abc import Sequence

from solarmini.errors import require
from solarmini.rag.embed.e5.weights import E5

BEGIN, END = 0, 2
_UNKNOWN = 3
_SPACES = re.compile(" {2,}")


class Pieces:
    """The tokenizer of the weights in a file; may be used by several threads at once."""

    def __init__(self, file: E5) -> None:
        tokenizers = require("tokenizers", "rag")
        scored = list(zip(file.pieces, file.scores.tolist(), strict=True))
        made = tokenizers.Tokenizer(tokenizers.models.Unigram(scored, _UNKNOWN, False))
        made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="always")
        self._tokenizer, self._replaced = made, file.replaced

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, without the marks around it."""
        read = [_SPACES.sub(" ", text.translate(self._replaced)) for text in texts]
        return [made.ids for made in self._tokenizer.encode_batch(read, add_special_tokens=False)]
