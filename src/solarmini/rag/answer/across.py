"""Korean questions about passages in another language: vectors choose the sentence.

Such a passage holds no word of the question but names and numbers, so that words say nothing.
The default embedder puts all languages into one space: the nearest passage's nearest sentence is
taken, and whether it answers is told from how near both are. Fitted on Korean questions about
English passages (benchmarks/rag/across.py). English questions about Korean passages are not
answered so: of seven passages that the embedder thinks nearest, six are wrong.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from solarmini.rag.answer.abstain import logistic, weighed
from solarmini.rag.answer.evidence import Evidence, weigh
from solarmini.rag.answer.question import Question
from solarmini.rag.embed.interface import DEFAULT, Embedder
from solarmini.rag.lexical.hangul import is_korean
from solarmini.rag.retrieve.hit import Hit


class AcrossSigns(NamedTuple):
    """What speaks for an answer, or how much each sign weighs."""

    ahead: float  # of the sentence's cosine before that of other near passages
    lead: float  # of it before the best sentence of the second nearest passage
    cosine: float  # of the passage, above what related texts have
    constant: float = 1.0


WEIGHTS = AcrossSigns(30.3, 24.5, 32.2, -2.1)  # the constant .35 above the one fitted
_RELATED = 0.8  # cosine of the default embedder
_MOST = 24  # pieces of a passage that are looked at: those with most words of the question
# A year or a heading is near to many questions, and answers none
_LEAST_WORDS = 5
_WORD = re.compile(r"\w{2,}")


def across(
    question: Question, hits: Sequence[Hit], looked_at: Sequence[Hit], embedder: Embedder | None
) -> tuple[list[Evidence], float]:
    """Return the pieces of the nearest passage, best first, and how likely one answers, 0..1.

    Nothing, and 0, where `evidence_across` finds nothing.
    """
    found, signs = evidence_across(question, hits, looked_at, embedder)
    return found, logistic(weighed(signs, WEIGHTS)) if signs else 0.0


def evidence_across(
    question: Question, hits: Sequence[Hit], looked_at: Sequence[Hit], embedder: Embedder | None
) -> tuple[list[Evidence], AcrossSigns | None]:
    """Return the pieces of the nearest of `hits`, best first, and what speaks for the best.

    It is compared with the nearest other hit that was looked at. Nothing, and None, where the
    question is not in Korean or that passage is, and where the embedder is not the one whose
    cosines are known.
    """
    if embedder is None or embedder.name != DEFAULT or not is_korean(question.text):
        return [], None
    first = max(hits, key=lambda hit: hit.dense, default=None)
    if first is None or first.ahead is None or is_korean(first.text):
        return [], None
    others = [hit for hit in looked_at if hit.row != first.row]
    second = max(others, key=lambda hit: hit.dense, default=None)
    if second is None:
        return [], None
    found = _near(question, first, embedder)
    if not found:
        return [], None
    return found, signs_of(found[0], first, _near(question, second, embedder), second)


def signs_of(best: Evidence, hit: Hit, others: Sequence[Evidence], other: Hit) -> AcrossSigns:
    """Return what speaks for `best`, which is of `hit`, beside the next hit and its pieces."""
    usual = hit.dense - (hit.ahead or 0.0)
    rival = others[0].score if others else other.dense
    return AcrossSigns(best.score - usual, best.score - rival, hit.dense - _RELATED)


def _near(question: Question, hit: Hit, embedder: Embedder) -> list[Evidence]:
    """Return the pieces of a hit with their cosines as scores, the nearest first."""
    whole = [
        each
        for each in weigh(question, [hit])
        if each.fits and len(_WORD.findall(each.piece.text)) >= _LEAST_WORDS
    ][:_MOST]
    if not whole:
        return []
    cosines = embedder.passages([each.piece.text for each in whole]) @ embedder.query(question.text)
    return [replace(whole[at], score=float(cosines[at])) for at in np.argsort(-cosines)]
