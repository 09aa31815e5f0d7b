"""What every engine can do: tokenise, generate as a stream, score, close.

Chat, server, retrieval and evaluation know this interface only, so a llama.cpp or remote engine
takes the place of the transformers one without a change to them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol, Self

from pydantic import Field

from solarmini.config import Settings
from solarmini.errors import SolarError

Prompt = str | Sequence[Mapping[str, str]]
FinishReason = Literal["stop", "length", "cancelled"]


class ContextLengthError(SolarError):
    """The prompt, or prompt and answer together, do not fit into the model's context."""

    def __init__(self, prompt: int, wanted: int, limit: int) -> None:
        self.prompt, self.wanted, self.limit = prompt, wanted, limit
        super().__init__(
            f"the prompt has {prompt:,} tokens and the answer may have {wanted:,}, "
            f"the model's context holds {limit:,}",
            mend="shorten the conversation or ask for fewer tokens",
        )


class GenerationSettings(Settings):
    """How to choose the next token, and when to stop.

    `temperature` 0 is greedy. `top_k` 0 and `top_p` 1 leave all tokens in. `max_tokens` None
    means as many as the context still holds. The same `seed` gives the same answer on the same
    machine; None draws a new one each time.
    """

    temperature: float = Field(default=0.0, ge=0, le=100)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    max_tokens: int | None = Field(default=None, ge=1)
    stop: tuple[str, ...] = ()
    seed: int | None = None


class Generation(Protocol):
    """A running answer: iterate for its text; the other facts hold once it has ended."""

    prompt_tokens: int
    completion_tokens: int
    seconds: float
    finish_reason: FinishReason | None

    def __iter__(self) -> Iterator[str]:
        """Return itself."""
        ...

    def __next__(self) -> str:
        """Return the next piece of text, whole characters only."""
        ...

    def cancel(self) -> None:
        """End the answer before its next token; safe to call from another thread."""
        ...


class Engine(Protocol):
    """A loaded model."""

    name: str
    context_length: int

    def tokenize(self, text: str) -> list[int]:
        """Return the ids of a plain text, without tokens that only a whole prompt has."""
        ...

    def generate(self, prompt: Prompt, settings: GenerationSettings = ...) -> Generation:
        """Continue a text, or answer a conversation; raises ContextLengthError at once."""
        ...

    def score(self, prompt: Prompt, continuation: str) -> list[float]:
        """Return the log-probability of each token of `continuation` after `prompt`."""
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
