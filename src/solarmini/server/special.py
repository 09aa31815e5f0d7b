"""Chat models that are not the language model: the groundedness check."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request

from solarmini.engine.tools import content_text
from solarmini.errors import SolarError
from solarmini.server.errors import invalid
from solarmini.server.grounding import label_of
from solarmini.server.pieces import Frame, delta
from solarmini.server.respond import DONE, Events, Json, string, while_connected
from solarmini.server.schemas import ChatBody
from solarmini.server.state import State


async def special_answer(state: State, request: Request, body: ChatBody, frame: Frame) -> Any:
    """Answer `grounded`, `notGrounded` or `notSure`: the user's text is the context."""
    context, answer = _text(body, "user"), _text(body, "assistant")
    if not context or not answer:
        what = "Send the context as the user's message and the answer as the assistant's."
        raise invalid(what, "messages")
    checking = asyncio.to_thread(label_of, context, answer)
    label = await while_connected(request.receive, checking)
    counts = await state.link.result("count", texts=[context, answer, label])
    usage = {
        "prompt_tokens": counts[0] + counts[1],
        "completion_tokens": counts[2],
        "total_tokens": sum(counts),
    }
    if body.stream:
        pieces = _pieces(frame, label, usage)
        return Events(pieces, _nothing, state.settings.bounds.write_seconds, state.fault(request))
    message = {"role": "assistant", "content": label, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return Json(frame.whole([choice], usage))


async def _pieces(frame: Frame, text: str, usage: dict[str, int]) -> AsyncIterator[bytes]:
    yield frame.event(delta(0, '"role":"assistant","content":""'))
    yield frame.event(delta(0, f'"content":{string(text)}'))
    yield frame.event(delta(0, "", finish="stop"))
    if frame.usage:
        yield frame.usage_event(json.dumps(usage))
    yield DONE


async def _nothing() -> None:
    """Close nothing."""


def _text(body: ChatBody, role: str) -> str:
    try:
        parts = [content_text(m.content) for m in body.messages if m.role == role]
    except SolarError as error:
        raise invalid(error.what, "messages") from None
    return "\n".join(part for part in parts if part)
