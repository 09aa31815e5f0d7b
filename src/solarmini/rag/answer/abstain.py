"""Is the question answered by what was found at all? A logistic model of a few signs.

Fitted on questions asked with and without the passages that answer them (XQuAD, KorQuAD, Korean
statutes, and paraphrases of both; benchmarks/rag/abstention.py): the passage alone taken away, or
all on its subject. Right is only what cites the passage that answers.

A passage answers when it holds the words of the question, or when vectors say so: the question may
be put in quite other words. A cosine alone says little, for all are high; a passage that is nearer
than others about the same things is likely to answer. Questions in Korean have weights of their
own: there the default embedder is worse, and words are better, at telling passages apart.
"""

import math
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from solarmini.rag.answer.evidence import Evidence
from solarmini.rag.answer.question import Question
from solarmini.rag.embed.interface import DEFAULT
from solarmini.rag.lexical.hangul import has_hangul
from solarmini.rag.retrieve.hit import Hit

LOOKED_AT = 6  # hits that the best one is compared with: the first ones


class Signs(NamedTuple):
    """What speaks for an answer, or how much each sign weighs."""

    near: float  # share of the question that the sentence or what is around it holds
    names: float  # share of its names there
    found: float  # share of the question's words, pairs and bigrams that the passage holds
    ahead: float  # of the cosine before that of other near passages
    lead: float  # of `found` before the best other hit
    nearest: float  # of the cosine before the best other hit
    constant: float = 1.0


# (another language, Korean). The constants of Korean are .25 and .5 above those fitted: the words
# of its questions are found more often, so that the same share of them is answered.
_WORDS_ALONE = (
    Signs(0.0, 0.25, 8.68, 0.0, 0.0, 0.0, -2.79),
    Signs(0.79, 0.8, 10.78, 0.0, 0.0, 0.0, -5.94),
)
_VECTORS = (  # for cosines of the default embedder
    Signs(0.73, 0.0, 0.0, 35.56, 5.16, 43.24, -4.0),
    Signs(2.38, 0.95, 4.61, 6.58, 7.39, 16.52, -5.41),
)
# Among few passages every word is rare: only the sentence and what is around it says something.
_FEW = 12
_AMONG_FEW = (
    Signs(5.4, 0.26, 0.0, 0.0, 0.0, 0.0, -2.85),
    Signs(5.4, 0.26, 0.0, 0.0, 0.0, 0.0, -3.45),
)
_BESIDE_VECTORS = 0.75  # what words alone have to say more where vectors are heard too
_LEAST = -0.5
_NAMES = 0.34  # with fewer of its names nearby, words alone are about something else
_WORD = re.compile(r"[^\W\d_]+")
_ROW_NAMES = 0.75  # the row of a table is about what its label says and nothing else


def signs_of(best: Evidence, hits: Sequence[Hit]) -> Signs:
    """Return what speaks for an answer in `best`, which is of one of the hits."""
    hit = best.piece.hit
    others = [other for other in hits[:LOOKED_AT] if other.row != hit.row]
    ahead = hit.ahead or 0.0
    return Signs(
        near=best.near,
        names=best.names,
        found=hit.found,
        ahead=ahead,
        lead=hit.found - max((other.found for other in others), default=0.0),
        nearest=hit.dense - max(other.dense for other in others) if others else ahead,
    )


def confidence(
    question: Question, best: Evidence, hits: Sequence[Hit], embedder: str | None
) -> float:
    """Return how likely the best sentence and what is around it answer the question, 0..1."""
    signs = signs_of(best, hits)
    korean, few = has_hangul(question.text), question.passages < _FEW
    value = weighed(signs, (_AMONG_FEW if few else _WORDS_ALONE)[korean])
    if signs.names < _NAMES:
        value = min(value, _LEAST - 1.0)
    if embedder == DEFAULT and best.piece.hit.ahead is not None and not few:
        value = max(value - _BESIDE_VECTORS, weighed(signs, _VECTORS[korean]))
    if best.piece.pairs and signs.names < _ROW_NAMES:
        value = min(value, _LEAST - 1.0)
    if _speaks_of_it_alone(question, best):
        value = min(value, _LEAST - 1.0)
    return logistic(value)


def _speaks_of_it_alone(question: Question, best: Evidence) -> bool:
    """Whether the thing is named here, whose property no passage has heard of.

    It may be spelled out ("gross domestic product" for GDP). Passages in another language than the
    question name neither; there vectors decide.
    """
    words = _WORD.findall(best.piece.hit.text.casefold())
    initials = ("".join(w[0] for w in words if len(w) >= shortest) for shortest in (1, 4))
    if not question.unheard or any(_all_in(question.unheard, letters) for letters in initials):
        return False
    others = sum(question.unheard.isdisjoint(name) for name in question.names)
    return 0 < others <= best.names * len(question.names) / _ROW_NAMES


def _all_in(terms: Collection[str], letters: str) -> bool:
    return all(term in letters for term in terms)


def weighed(signs: Sequence[float], weights: Sequence[float]) -> float:
    """Return what the signs say together, on the scale that `logistic` takes."""
    return sum(sign * weight for sign, weight in zip(signs, weights, strict=True))


def logistic(value: float) -> float:
    """Return the likelihood, 0..1, that `value` stands for."""
    return 1 / (1 + math.exp(-value))


ENOUGH = logistic(_LEAST)
"""Confidence from which an answer is given."""
