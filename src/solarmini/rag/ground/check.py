"""Check an answer against its context: what is said there, what is not, what contradicts it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from solarmini.rag.ground.claims import Statement, statements
from solarmini.rag.ground.features import Evidence, measure
from solarmini.rag.ground.meaning import understand
from solarmini.rag.ground.model import Trees, trees
from solarmini.rag.ground.passages import Context, Sentence
from solarmini.rag.ground.verdict import Claim, Label, Span, Verdict

if TYPE_CHECKING:
    from solarmini.engine.interface import Engine

_NOTHING_SAID = Verdict("notSure", 0.5, ())


def check(context: str | Sequence[str], answer: str, *, judge: "Engine | None" = None) -> Verdict:
    """Return whether `answer` says only what `context` (a text, or passages) says.

    Every claim of the answer is looked for in the context and measured beside the sentences that
    say most of it: words covered, order, values, names, denial. A small network reads both for
    what they mean. A classifier turns all of it into a score. With `judge`, that language model is
    asked instead, claim by claim; the spans are found as without. Both need the packages of the
    extra `rag` (MissingExtraError). An answer that states nothing is "notSure".
    """
    passages = [context] if isinstance(context, str) else list(context)
    stated = statements(answer)
    if not stated:
        return _NOTHING_SAID
    source = Context(passages)
    found = [measure(each, source) for each in stated]
    if judge is not None:
        from solarmini.rag.ground.judge import judged

        scores = judged(judge, passages, [each.stated for each in stated])
        scores = [1 - s if each.denied else s for s, each in zip(scores, stated, strict=True)]
        overall = min(scores)
    else:
        for one, each in zip(found, stated, strict=True):
            understand(one, each, source)
        scores = [_score([one], each, source) for one, each in zip(found, stated, strict=True)]
        overall = _score(found, stated[0], source) if len(found) > 1 else scores[0]
    claims = tuple(_claim(*each) for each in zip(stated, found, scores, strict=True))
    return Verdict(_label(overall, trees()), overall, claims)


def _score(found: Sequence[Evidence], stated: Statement, source: Context) -> float:
    if not source.units:
        return 0.0
    score = trees().score(found, stated.asked)
    return 1 - score if stated.denied else score


def _label(score: float, weights: Trees) -> Label:
    if score >= weights.grounded:
        return "grounded"
    return "notGrounded" if score < weights.not_grounded else "notSure"


def _claim(stated: Statement, found: Evidence, score: float) -> Claim:
    return Claim(
        text=stated.stated,
        start=stated.start,
        end=stated.end,
        label=_label(score, trees()),
        score=score,
        support=_span(found.support),
        problems=tuple(dict.fromkeys(found.problems)),
    )


def _span(support: Sequence[Sentence]) -> Span | None:
    """Return the best sentence, with the second where it is its neighbour."""
    if not support:
        return None
    first = support[0]
    start, end = first.start, first.end
    for other in support[1:]:
        if other.passage == first.passage and abs(other.start - end) <= 2:
            end = other.end
        elif other.passage == first.passage and abs(start - other.end) <= 2:
            start = other.start
    return Span(first.passage, start, end)
