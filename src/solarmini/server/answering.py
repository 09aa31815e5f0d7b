"""POST /v1/answers: a question, and what the knowledge base has to say about it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError
from starlette.requests import Request

from solarmini.errors import ConfigError, DataError, EmbedderError
from solarmini.server import rules
from solarmini.server.body import read_model
from solarmini.server.errors import ApiError, invalid
from solarmini.server.knowledge import FilterBody, id_of, wrong_filters
from solarmini.server.respond import DONE, Events, Json, while_connected
from solarmini.server.schemas import Body, Flag, integral
from solarmini.server.state import State, state_of
from solarmini.server.view import EngineView

if TYPE_CHECKING:
    from solarmini.rag.answer.model import Answer, Citation, Statement


class Exchange(Body):
    """A question of the conversation before, and what was answered."""

    question: str
    answer: str


class AnswerBody(Body):
    """POST /v1/answers. Without `model` the answer is in the documents' own words."""

    model_config = ConfigDict(json_schema_extra=rules.ANSWER)

    question: Annotated[str, Field(min_length=1, max_length=10_000)]
    model: str | None = None
    history: Annotated[list[Exchange], Field(max_length=100, default_factory=list)]
    limit: Annotated[int, Field(strict=True, ge=1, le=50), BeforeValidator(integral)] = 6
    filters: FilterBody | None = None
    stream: Flag = False


async def answers(request: Request) -> Any:
    """Answer a question from the knowledge base, every statement with its source."""
    state = state_of(request)
    bounds = state.settings.bounds
    body = await read_model(AnswerBody, request.scope, request.receive, bounds)
    request.state.model = body.model
    view = None
    if body.model is not None:
        if state.names.chat(body.model) != "chat":
            raise invalid("This model cannot answer questions.", "model")
        state.gate.check()
        view = EngineView(state.desk)
    asking = _Asking(state, body, view)
    if body.stream:
        return Events(asking.events(), asking.close, bounds.write_seconds, state.fault(request))
    try:
        found = await while_connected(request.receive, asyncio.to_thread(asking.run, None))
    finally:
        await asking.close()
    return Json(asking.whole(found))


class _Asking:
    """One question on its way; the work is done in a thread."""

    def __init__(self, state: State, body: AnswerBody, view: EngineView | None) -> None:
        self._state, self._body, self._view = state, body, view
        self._task: asyncio.Future[Any] | None = None

    def run(self, tell: "Callable[[Statement], None] | None") -> "Answer":
        """Answer; `tell` is told of every statement as soon as it is proven."""
        body = self._body
        history = [(turn.question, turn.answer) for turn in body.history]
        try:
            base = self._state.knowledge.base()
            with base.asking(
                body.question,
                model=self._view,
                history=history,
                limit=body.limit,
                filters=body.filters.stated() if body.filters else None,
            ) as asking:
                for statement in asking:
                    if tell is not None:
                        tell(statement)
        except (ConfigError, DataError, ValidationError) as error:
            raise wrong_filters(error) from None
        except EmbedderError as error:
            raise ApiError(503, error.what, "embedder_failed", kind="server_error") from None
        assert asking.answer is not None
        return asking.answer

    def whole(self, answer: "Answer") -> dict[str, Any]:
        """Return the answer as an object; sources are named without our own folders."""
        facts = answer.as_dict()
        facts["citations"] = [self._shown(citation) for citation in answer.citations]
        if facts["mode"] != "extractive" and self._body.model is not None:
            facts["mode"] = self._body.model
        return {"object": "answer", **facts}

    def _shown(self, citation: "Citation") -> dict[str, Any]:
        facts = citation.as_dict()
        source = self._state.knowledge.shown(citation.source)
        return {**facts, "source": source, "document_id": id_of(citation.source)}

    async def events(self) -> AsyncIterator[bytes]:
        """Yield an event for every statement, one for the whole answer, and [DONE]."""
        loop = asyncio.get_running_loop()
        said: asyncio.Queue[Statement | None] = asyncio.Queue()

        def tell(statement: "Statement") -> None:
            loop.call_soon_threadsafe(said.put_nowait, statement)

        self._task = asyncio.ensure_future(asyncio.to_thread(self.run, tell))
        self._task.add_done_callback(lambda _: said.put_nowait(None))
        while (statement := await said.get()) is not None:
            citations = [self._shown(citation) for citation in statement.citations]
            facts = {"text": statement.text, "citations": citations}
            yield _event({"object": "answer.statement", **facts})
        yield _event(self.whole(await self._task))
        yield DONE

    async def close(self) -> None:
        """End the model's work, if it still does any."""
        if self._view is not None:
            self._view.close()
        if self._task is not None:
            with contextlib.suppress(BaseException):
                await self._task


def _event(facts: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(facts).encode() + b"\n\n"
