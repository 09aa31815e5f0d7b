"""The served model as an engine for code that runs in a thread: it takes slots like any request."""

import asyncio
import contextlib
import queue
from collections.abc import Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

from solarmini.engine.interface import (
    Event,
    Generation,
    GenerationSettings,
    Prompt,
    Trace,
    UnsupportedError,
)
from solarmini.errors import EngineError
from solarmini.server.answers import Answers, Desk, Job, Step

if TYPE_CHECKING:
    from solarmini.text.chat import ChatFormat

T = TypeVar("T")
_GREEDY = GenerationSettings()


class EngineView:
    """Generates and tokenises through the server's link; to be used outside the event loop."""

    def __init__(self, desk: Desk) -> None:
        """Make a view within the event loop; ApiError 503 while the model is loaded."""
        model = desk.link.model
        if model is None:
            raise EngineError("the model is being loaded")
        self.name, self.context_length, self.parallel = model.name, model.context, model.parallel
        self._desk, self._loop = desk, asyncio.get_running_loop()
        self._running: list[ViewGeneration] = []
        self._closed = False

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def tokenize(self, text: str) -> list[int]:
        """Return the ids of a plain text."""
        return self._wait(self._desk.link.result("tokenize", text=text))

    def encode(self, prompt: Prompt) -> list[int]:
        """Return all ids of a prompt."""
        return self._wait(self._desk.link.result("encode", prompt=prompt))

    def generate(self, prompt: Prompt, settings: GenerationSettings = _GREEDY) -> "ViewGeneration":
        """Continue a text, or answer a conversation, when it is its turn."""
        generation = ViewGeneration(self._desk, self._loop, Job(prompt, settings))
        self._running.append(generation)
        if self._closed:
            generation.cancel()
        return generation

    def close(self) -> None:
        """End what runs, and whatever is asked for later."""
        self._closed = True
        for generation in self._running:
            generation.cancel()

    @property
    def chat(self) -> "ChatFormat":
        """Raise UnsupportedError: the format lives with the model."""
        raise UnsupportedError("the chat format is not here")

    def score(self, prompt: Prompt, continuation: str) -> list[float]:  # noqa: ARG002
        """Raise UnsupportedError."""
        raise UnsupportedError("scores are not served")

    def trace(self, ids: Sequence[int], following: Sequence[int]) -> Trace:  # noqa: ARG002
        """Raise UnsupportedError."""
        raise UnsupportedError("traces are not served")

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the model's vectors."""
        return self._wait(self._desk.link.result("embed", texts=list(texts)))["vectors"]

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()


class ViewGeneration(Generation):
    """One answer, read in a thread while the event loop receives it."""

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop, job: Job) -> None:
        super().__init__(0)
        self._answers, self._loop = Answers(desk, [job]), loop
        self._arrived: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()

    def cancel(self) -> None:
        """End the answer."""
        super().cancel()
        self._arrived.put(None)

    async def _receive(self) -> None:
        try:
            await self._answers.begin()
            async for items in self._answers.items():
                for item in items:
                    if isinstance(item, Step):
                        self._arrived.put(Event(item.text))
                    else:
                        self.finish_reason = "length" if item.finish_reason == "length" else "stop"
        except BaseException as error:
            self._arrived.put(error)
        finally:
            await self._answers.close()
            self._arrived.put(None)

    def _events(self) -> Iterator[Event]:
        if self.cancelled:
            self.finish_reason = "cancelled"
            return
        receiving = asyncio.run_coroutine_threadsafe(self._receive(), self._loop)
        try:
            while (item := self._arrived.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            receiving.cancel()
            with contextlib.suppress(BaseException):
                receiving.result(10)
            usage = self._answers.usage
            self.prompt_tokens, self.completion_tokens = usage.prompt, usage.answer
            if self.finish_reason is None:
                self.finish_reason = "cancelled"
