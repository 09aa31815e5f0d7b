"""Chat completions as JSON: whole, and cut into the events of a stream."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from solarmini.engine.tools import ToolCall
from solarmini.server.answers import Scored
from solarmini.server.respond import string


def new_id(prefix: str) -> str:
    """Return an id that nobody has had before."""
    return f"{prefix}-{secrets.token_hex(14)}"


@dataclass(slots=True)
class Frame:
    """What all parts of one answer say: id, time, model; `kind` is the object's name."""

    model: str
    kind: str = "chat.completion"
    prefix: str = "chatcmpl"
    id: str = field(init=False)
    created: int = field(default_factory=lambda: int(time.time()))
    usage: bool = False
    _head: str = field(init=False)
    _tail: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = new_id(self.prefix)
        name = f"{self.kind}.chunk" if self.kind == "chat.completion" else self.kind
        self._head = (
            f'data: {{"id":"{self.id}","object":"{name}","created":{self.created},'
            f'"model":{string(self.model)},"system_fingerprint":"solar","choices":['
        )
        self._tail = '],"usage":null}\n\n' if self.usage else "]}\n\n"

    def event(self, choice: str) -> bytes:
        """Return an event with one choice, given as JSON."""
        return f"{self._head}{choice}{self._tail}".encode()

    def usage_event(self, usage: str) -> bytes:
        """Return the event that comes last and only says what was used."""
        return f'{self._head}],"usage":{usage}}}\n\n'.encode()

    def whole(self, choices: list[dict[str, Any]], usage: dict[str, Any]) -> dict[str, Any]:
        """Return the answer in one piece."""
        return {
            "id": self.id,
            "object": self.kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
            "usage": usage,
            "system_fingerprint": "solar",
        }


def delta(index: int, inside: str, logprobs: str = "null", finish: str | None = None) -> str:
    """Return a chunk's choice; `inside` is the delta's JSON without braces."""
    reason = "null" if finish is None else f'"{finish}"'
    return (
        f'{{"index":{index},"delta":{{{inside}}},"logprobs":{logprobs},"finish_reason":{reason}}}'
    )


def logprob_entries(tokens: list[Scored]) -> list[dict[str, Any]]:
    """Return tokens as `logprobs.content`."""
    return [
        {**_entry(token), "top_logprobs": [_entry(top) for top in token[3]]} for token in tokens
    ]


def _entry(scored: Scored) -> dict[str, Any]:
    raw = bytes.fromhex(scored[1])
    text = raw.decode("utf-8", "replace")
    return {"token": text, "logprob": finite(scored[2]), "bytes": list(raw)}


def finite(logprob: float) -> float:
    """Return a log-probability that JSON can hold."""
    return max(logprob, -9999.0)


def call_objects(calls: list[ToolCall]) -> list[dict[str, Any]]:
    """Return calls as `tool_calls`."""
    return [call_object(call) for call in calls]


def call_object(call: ToolCall) -> dict[str, Any]:
    """Return a call with an id of its own."""
    return {
        "id": f"call_{secrets.token_hex(12)}",
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
