"""What every engine can do: tokenise, generate as a stream, score, embed, close.

Chat, server, retrieval and evaluation know this interface only, so a llama.cpp or remote engine
takes the place of the transformers one without a change to them.
"""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from pydantic import Field, model_validator

from solarmini.config import Settings
from solarmini.errors import EngineError

if TYPE_CHECKING:
    from solarmini.text.chat import ChatFormat

Prompt = str | Sequence[Mapping[str, str]] | Sequence[int]
FinishReason = Literal["stop", "length", "cancelled"]
MAX_TOP_LOGPROBS = 20


class ContextLengthError(EngineError):
    """The prompt, or prompt and answer together, do not fit into the model's context."""

    def __init__(self, prompt: int, wanted: int, limit: int) -> None:
        self.prompt, self.wanted, self.limit = prompt, wanted, limit
        super().__init__(
            f"the prompt has {prompt:,} tokens and the answer may have {wanted:,}, "
            f"the model's context holds {limit:,}",
            mend="shorten the conversation or ask for fewer tokens",
        )


class UnsupportedError(EngineError):
    """This engine cannot do what was asked; another can."""


class GrammarError(EngineError):
    """A JSON schema or grammar that cannot be enforced."""


class GenerationSettings(Settings):
    """How to choose the next token, and when to stop.

    `temperature` 0 is greedy. `top_k` 0 and `top_p` 1 leave all tokens in. `max_tokens` None
    means as many as the context still holds. The same `seed` gives the same answer on the same
    machine; None draws a new one each time. `logprobs` is how many likeliest tokens each token
    of the answer comes with (0: only its own log-probability; None: none at all), under the model
    itself, before temperature and penalties. `json_schema` and `grammar` (Lark, the dialect of
    llguidance) bind the answer's text. `ignore_end` goes on after the model wants to stop; it is
    for measuring speed.
    """

    temperature: float = Field(default=0.0, ge=0, le=100)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    min_p: float = Field(default=0.0, ge=0, le=1)
    presence_penalty: float = Field(default=0.0, ge=-2, le=2)
    frequency_penalty: float = Field(default=0.0, ge=-2, le=2)
    logit_bias: tuple[tuple[int, float], ...] = ()
    max_tokens: int | None = Field(default=None, ge=1)
    stop: tuple[str, ...] = ()
    seed: int | None = None
    logprobs: int | None = Field(default=None, ge=0, le=MAX_TOP_LOGPROBS)
    json_schema: dict[str, Any] | None = None
    grammar: str | None = None
    ignore_end: bool = False

    @model_validator(mode="after")
    def _one_constraint(self) -> Self:
        if self.json_schema is not None and self.grammar is not None:
            raise ValueError("give a JSON schema or a grammar, not both")
        return self

    @property
    def constrained(self) -> bool:
        """Whether the answer's text is bound by a schema or grammar."""
        return self.json_schema is not None or self.grammar is not None


@dataclass(frozen=True, slots=True)
class TokenScore:
    """A token, its bytes, and its natural log-probability under the model."""

    id: int
    raw: bytes
    logprob: float

    @property
    def text(self) -> str:
        """The bytes as text; a part of a character shows as replacement characters."""
        return self.raw.decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer; `top` are the likeliest tokens at its place, likeliest first."""

    score: TokenScore
    top: tuple[TokenScore, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """What one step of an answer brought: text that is certain now, and its tokens if asked for.

    Text may be empty: a part of a character, or what may be the beginning of a stop string.
    """

    text: str
    tokens: tuple[Token, ...] = ()


class Generation(ABC):
    """A running answer: iterate over its text or its events; other facts hold at the end.

    `seconds` is the time until the newest token, `first_seconds` until the first;
    `cached_tokens` are those of the prompt that needed no computing; `drafted` and `accepted`
    count guessed tokens (prompt lookup). Reading it drives it: an answer that nobody reads makes
    no tokens beyond what is under way.
    """

    def __init__(self, prompt_tokens: int) -> None:
        self.prompt_tokens = prompt_tokens
        self.cached_tokens = 0
        self.completion_tokens = 0
        self.drafted = 0
        self.accepted = 0
        self.seconds = 0.0
        self.first_seconds: float | None = None
        self.finish_reason: FinishReason | None = None
        self._stop = threading.Event()
        self._running: Iterator[Event] | None = None
        self._reader: threading.Thread | None = None

    @abstractmethod
    def _events(self) -> Iterator[Event]:
        """Make the answer; look at `self.cancelled` before each token."""

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked for the end."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """End the answer before its next token; safe to call from another thread."""
        self._stop.set()

    def events(self) -> Iterator[Event]:
        """Return the answer's events; every call returns the same iterator."""
        if self._running is None:
            self._running = self._events()
        return self._running

    def __iter__(self) -> Iterator[str]:
        """Return itself."""
        return self

    def __next__(self) -> str:
        """Return the next piece of text, whole characters only."""
        while True:
            event = next(self.events())
            if event.text:
                return event.text

    def text(self) -> str:
        """Run to the end; return all the text."""
        return "".join(event.text for event in self.events())

    async def stream(self) -> AsyncIterator[Event]:
        """Return the answer's events in an event loop; leaving the loop early cancels the answer.

        A thread reads the engine; what it raises is raised here.
        """
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Event | BaseException | None] = asyncio.Queue()

        def put(item: Event | BaseException | None) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, item)

        def read() -> None:
            try:
                for event in self.events():
                    put(event)
                put(None)
            except RuntimeError:  # the loop is gone: nobody waits for us
                self.cancel()
            except BaseException as error:
                put(error)

        self._reader = threading.Thread(target=read, name="generation", daemon=True)
        self._reader.start()
        try:
            while (item := await queue.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self.cancel()


@dataclass(frozen=True, slots=True)
class Trace:
    """A given continuation under the model: per token its log-probability and the likeliest id.

    `best_logprobs` are those of the likeliest; both are empty where a server does not tell.
    """

    logprobs: tuple[float, ...]
    best: tuple[int, ...] = field(default=())
    best_logprobs: tuple[float, ...] = field(default=())


class Engine(Protocol):
    """A loaded model; every method may be called from several threads at once."""

    name: str
    context_length: int
    parallel: int

    @property
    def chat(self) -> "ChatFormat":
        """The model's chat format; TemplateError if it has none, UnsupportedError if unknown."""
        ...

    def tokenize(self, text: str) -> list[int]:
        """Return the ids of a plain text, without tokens that only a whole prompt has."""
        ...

    def encode(self, prompt: Prompt) -> list[int]:
        """Return all ids of a prompt: a text, a conversation, or ids as they are."""
        ...

    def generate(self, prompt: Prompt, settings: GenerationSettings = ...) -> Generation:
        """Continue a text, or answer a conversation; raises ContextLengthError at once."""
        ...

    def score(self, prompt: Prompt, continuation: str) -> list[float]:
        """Return the log-probability of each token of `continuation` after `prompt`."""
        ...

    def trace(self, ids: Sequence[int], following: Sequence[int]) -> Trace:
        """Return how the model sees the ids `following` after `ids`."""
        ...

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector of length 1 for each text: the mean of the last layer's states."""
        ...

    def close(self) -> None:
        """Free the model; the engine is of no use afterwards."""
        ...

    def __enter__(self) -> Self:
        """Return itself."""
        ...

    def __exit__(self, *exception: object) -> None:
        """Close."""
        ...


def answer_limit(prompt: int, settings: GenerationSettings, context: int) -> int:
    """Return how many tokens the answer may have; ContextLengthError when it cannot have them."""
    wanted = settings.max_tokens or 1
    if not prompt or prompt + wanted > context:
        raise ContextLengthError(prompt, wanted, context)
    return settings.max_tokens or context - prompt
