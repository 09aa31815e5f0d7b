"""From a question to an answer: search, decide whether there is one, say it, prove it."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from solarmini.rag.answer.abstain import ENOUGH, LOOKED_AT, confidence
from solarmini.rag.answer.across import across
from solarmini.rag.answer.evidence import Evidence, weigh
from solarmini.rag.answer.extract import extract
from solarmini.rag.answer.fence import gives_orders, warnings_of
from solarmini.rag.answer.follow_up import Turn, rewrite
from solarmini.rag.answer.model import Answer, Dropped, Reason, Statement
from solarmini.rag.answer.prompt import Asked, compose
from solarmini.rag.answer.question import Question, understand
from solarmini.rag.answer.verify import (
    Verifier,
    declines,
    grounded,
    marked_objects,
    marked_sentences,
    verified,
)
from solarmini.rag.embed.interface import Embedder
from solarmini.rag.retrieve.hit import Hit
from solarmini.rag.retrieve.rerank import Reranker
from solarmini.rag.retrieve.search import Request, search
from solarmini.rag.store.filters import Filters
from solarmini.rag.store.interface import Store

if TYPE_CHECKING:
    from solarmini.engine.interface import Engine, Generation

_IN_VAIN = 3
_QUOTED = "the sources bear out nothing that the model said; these are their own words"


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question as asked; see `KnowledgeBase.ask`."""

    question: str
    history: Sequence[Turn] = ()
    limit: int = 6
    filters: Filters | None = None
    engine: "Engine | None" = None
    reranker: Reranker | None = None
    least: float = ENOUGH
    verifier: Verifier = grounded


@dataclass(slots=True)
class Asking:
    """An answer on its way: iterate over its statements, each shown only once it is proven.

    `answer` holds when the iteration is over.
    """

    store: Store
    embedder: Embedder | None
    request: AskRequest
    answer: Answer | None = None
    _statements: list[Statement] = field(default_factory=list)
    _dropped: list[Dropped] = field(default_factory=list)

    def __iter__(self) -> Iterator[Statement]:
        """Yield the statements of the answer; none when there is no answer."""
        request = self.request
        searched = rewrite(request.question, request.history, request.engine)
        found = Request(
            searched, max(request.limit, LOOKED_AT), request.filters, reranker=request.reranker
        )
        looked_at = search(self.store, self.embedder, found)
        hits = looked_at[: request.limit]
        question = understand(searched, self.store)
        evidence = weigh(question, hits)
        name = self.embedder.name if self.embedder else None
        sure = confidence(question, evidence[0], looked_at, name) if evidence else 0.0
        if sure < request.least:
            other, surer = across(question, hits, looked_at, self.embedder)
            evidence, sure = (other, surer) if surer > sure else (evidence, sure)
        reason: Reason | None = None
        mode, warnings = "extractive", warnings_of(hits)
        if not evidence:
            reason = "nothing found"
        elif sure < request.least:
            reason = "not answered"
        elif request.engine is None:
            yield from self._quoted(question, evidence)
        else:
            reason = yield from self._told(searched, hits, request.engine)
            mode = request.engine.name
            if reason == "not supported":
                reason, mode = None, "extractive"
                warnings += (_QUOTED,)
                yield from self._quoted(question, evidence)
        self.answer = Answer(
            question=request.question,
            searched=searched,
            statements=tuple(self._statements),
            hits=tuple(hits),
            mode=mode,
            confidence=sure,
            abstained=reason,
            dropped=tuple(self._dropped),
            warnings=warnings,
        )

    def _quoted(
        self, question: Question, evidence: Sequence[Evidence]
    ) -> Generator[Statement, None, None]:
        """Yield the sources' own words."""
        for statement in extract(question, evidence):
            self._statements.append(statement)
            yield statement

    def _told(
        self, searched: str, hits: Sequence[Hit], engine: "Engine"
    ) -> Generator[Statement, None, Reason | None]:
        """Yield what the model says and the sources bear out; return why there is nothing."""
        # sources that give orders come last: what is near the question is followed most
        ordered = sorted(hits, key=lambda hit: gives_orders(hit.text))
        asked, generation = _generate(searched, ordered, engine)
        sentences = (marked_objects if asked.as_json else marked_sentences)(generation)
        in_vain = 0  # sentences in a row that bring nothing: the model goes in circles
        try:
            for sentence in sentences:
                if in_vain == _IN_VAIN:
                    break
                if declines(sentence):
                    return None if self._statements else "model declined"
                statement, dropped = verified(sentence, asked.hits, self.request.verifier)
                self._dropped += dropped
                if statement and all(statement.text != s.text for s in self._statements):
                    self._statements.append(statement)
                    yield statement
                    in_vain = 0
                else:
                    in_vain += 1
        finally:
            generation.cancel()
        return None if self._statements else "not supported"


def _generate(question: str, hits: Sequence[Hit], engine: "Engine") -> "tuple[Asked, Generation]":
    """Ask the model, in a form that its engine can bind it to, with the sources that fit.

    How many fit is known for sure only when the engine has seen them: a server may not count
    tokens for us.
    """
    from solarmini.engine.interface import ContextLengthError, UnsupportedError

    as_json = False
    while True:
        asked = compose(question, hits, engine, as_json=as_json)
        prompt = list(asked.messages)
        try:
            return asked, engine.generate(prompt, asked.settings)
        except UnsupportedError:  # no grammars, as behind most URLs
            if as_json:
                raise
            as_json = True
        except ContextLengthError as error:
            if 0 < error.prompt < error.limit:  # a shorter answer fits; 0 is not known
                room = {"max_tokens": error.limit - error.prompt}
                return asked, engine.generate(prompt, asked.settings.model_copy(update=room))
            if len(asked.hits) < 2:
                raise
            hits = asked.hits[:-1]


def answer(asking: Asking) -> Answer:
    """Run to the end; return the whole answer."""
    for _ in asking:
        pass
    assert asking.answer is not None
    return asking.answer
