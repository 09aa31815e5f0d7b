"""Is the question answered by what was found at all? A logistic model of a few shares.

Fitted on questions asked with and without the passages that answer them (XQuAD, KorQuAD, Korean
statutes; benchmarks/rag/abstention.py): the passage alone taken away, or all on its subject.
"""

import math

from solarmini.rag.answer.evidence import Evidence
from solarmini.rag.embed.interface import DEFAULT
from solarmini.rag.lexical.hangul import has_hangul

# weights of: share of the question held by the sentence, held near it, its names, cosine; constant
_WORDS = (0.0, 5.4, 0.26, 0.0, -3.1)
_VECTORS = (0.57, 3.57, 0.1, 14.0, -14.35)  # for cosines of the default embedder
_KOREAN = 0.6  # Korean questions share more words with passages that do not answer them
_LEAST = -0.75
_NAMES = 0.34  # with fewer of its names nearby, the question is about something else
_ROW_NAMES = 0.75  # for the row of a table, which is about what its label says and nothing else


def confidence(question: str, best: Evidence, embedder: str | None) -> float:
    """Return how likely the best sentence and what is around it answer the question, 0..1."""
    dense = best.piece.hit.dense
    weights = _VECTORS if embedder == DEFAULT and dense > 0 else _WORDS
    shares = (best.held, best.near, best.names, dense, 1.0)
    value = sum(w * s for w, s in zip(weights, shares, strict=True))
    value -= _KOREAN if has_hangul(question) else 0.0
    if best.names < (_ROW_NAMES if best.piece.pairs else _NAMES):
        value = min(value, _LEAST - 1.0)
    return 1 / (1 + math.exp(-value))


ENOUGH = 1 / (1 + math.exp(-_LEAST))
"""Confidence from which an answer is given."""
