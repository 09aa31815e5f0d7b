"""POST /v1/chat/completions."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from solarmini.engine.interface import GenerationSettings
from solarmini.engine.tools import ToolCall, ToolPlan, plan_tools
from solarmini.errors import SolarError
from solarmini.server import pieces
from solarmini.server.answers import Answers, End, Job, Step
from solarmini.server.body import read_model
from solarmini.server.call_stream import CallStream, Part, calls_in
from solarmini.server.errors import invalid, of_solar
from solarmini.server.pieces import Frame
from solarmini.server.respond import DONE, Events, Json, string, while_connected
from solarmini.server.sampling import form_of, settings_of
from solarmini.server.schemas import ChatBody, Named, Tool
from solarmini.server.special import special_answer
from solarmini.server.state import State, state_of


@dataclass(slots=True)
class Chat:
    """A request that is understood: what to ask the engine, and how to word the answer."""

    answers: Answers
    frame: Frame
    count: int
    calls: bool  # the answer may be function calls
    legacy: bool  # as `function_call`, the old way
    formed: bool  # an answer that is no call has a form, which may look like one
    scored: bool


async def chat_completions(request: Request) -> Any:
    """Answer a conversation."""
    state = state_of(request)
    body = await read_model(ChatBody, request.scope, request.receive, state.settings.bounds)
    return await answer_chat(state, request, body)


async def answer_chat(state: State, request: Request, body: ChatBody) -> Any:
    """Answer a conversation that was read already."""
    request.state.model = body.model
    task = state.names.chat(body.model)
    _check(state, body)
    if state.settings.log_prompts:
        turns = [message.model_dump(exclude_none=True) for message in body.messages]
        state.log.write("prompt", id=request.state.id, messages=turns)
    usage = bool(body.stream_options and body.stream_options.include_usage)
    frame = Frame(body.model, usage=usage and bool(body.stream))
    if task == "groundedness":
        return await special_answer(state, request, body, frame)
    plan = _plan(body, task)
    answers = Answers(state.desk, _jobs(body, plan))
    chat = Chat(
        answers=answers,
        frame=frame,
        count=len(answers.jobs),
        calls=plan.grammar is not None,
        legacy=body.functions is not None,
        formed=bool(form_of(body.response_format)),
        scored=bool(body.logprobs),
    )
    if not body.stream:
        return Json(await while_connected(request.receive, _whole(chat)))
    await while_connected(request.receive, answers.begin())
    seconds = state.settings.bounds.write_seconds
    return Events(_stream(chat), answers.close, seconds, state.fault(request))


def _check(state: State, body: ChatBody) -> None:
    bounds = state.settings.bounds
    if len(body.messages) > bounds.messages:
        raise invalid(f"A conversation may have {bounds.messages} messages.", "messages")
    if (body.n or 1) > bounds.choices:
        raise invalid(f"At most {bounds.choices} answers are made at once.", "n")
    if body.top_logprobs is not None and not body.logprobs:
        raise invalid("top_logprobs needs logprobs to be true.", "top_logprobs")
    for place, message in enumerate(body.messages):
        if message.content is None and message.role not in ("assistant", "tool", "function"):
            raise invalid("The message has no content.", f"messages.{place}.content")
        if message.role == "tool" and not message.tool_call_id:
            raise invalid("A tool's message needs a tool_call_id.", f"messages.{place}")


_TRANSLATE = (
    "You are a translator. Translate the user's text from {} to {}. "
    "Answer with the translation alone."
)


def _plan(body: ChatBody, task: str) -> ToolPlan:
    """Return the turns for the model and what binds its answer to functions."""
    messages = [message.model_dump(exclude_none=True) for message in body.messages]
    for message in messages:
        if call := message.pop("function_call", None):
            message["tool_calls"] = [{"id": "call", "function": call}]
    if task == "to Korean":
        messages.insert(0, {"role": "system", "content": _TRANSLATE.format("English", "Korean")})
    elif task == "to English":
        messages.insert(0, {"role": "system", "content": _TRANSLATE.format("Korean", "English")})
    given = body.tools or [Tool(function=function) for function in body.functions or []]
    tools = [tool.model_dump(exclude_none=True) for tool in given]
    choice = _choice(body)
    if choice not in ("auto", "none") and not tools:
        raise invalid("tool_choice is only allowed when tools are given.", "tool_choice")
    form = form_of(body.response_format).get("json_schema")
    parallel = body.parallel_tool_calls is not False and body.functions is None
    try:
        return plan_tools(messages, tools, choice, parallel=parallel, form=form)
    except SolarError as error:
        param = "tools" if tools else "messages"
        raise invalid(of_solar(error).message, param) from None
    except (TypeError, ValueError, AttributeError):
        raise invalid("The messages or tools are not of the known form.", "messages") from None


def _choice(body: ChatBody) -> str | dict[str, Any]:
    """Return what is said about calling functions, in the new way or the old one."""
    stated = body.tool_choice or body.function_call or "auto"
    if isinstance(stated, str):
        return stated
    return {"function": stated.model_dump()} if isinstance(stated, Named) else stated.model_dump()


def _jobs(body: ChatBody, plan: ToolPlan) -> list[Job]:
    if body.max_tokens is not None and body.max_completion_tokens is not None:
        most: int | None = min(body.max_tokens, body.max_completion_tokens)
    else:
        most = body.max_tokens or body.max_completion_tokens
    form = form_of(body.response_format)
    if plan.grammar is not None:
        form = {"grammar": plan.grammar}
    scores = (body.top_logprobs or 0) if body.logprobs else None
    settings = settings_of(body, most, scores, form)
    return [
        Job(plan.messages, _seeded(settings, index), counted=index == 0)
        for index in range(body.n or 1)
    ]


def _seeded(settings: GenerationSettings, index: int) -> GenerationSettings:
    if settings.seed is None or not index:
        return settings
    return settings.model_copy(update={"seed": settings.seed + index})


async def _whole(chat: Chat) -> dict[str, Any]:
    """Run to the end; return the answer in one piece."""
    texts: list[list[str]] = [[] for _ in range(chat.count)]
    tokens: list[list[Any]] = [[] for _ in range(chat.count)]
    reasons = ["stop"] * chat.count
    try:
        await chat.answers.begin()
        async for items in chat.answers.items():
            for item in items:
                if isinstance(item, Step):
                    texts[item.index].append(item.text)
                    tokens[item.index] += item.tokens
                else:
                    reasons[item.index] = item.finish_reason
    finally:
        await chat.answers.close()
    choices = []
    for index, (parts, scored, reason) in enumerate(zip(texts, tokens, reasons, strict=True)):
        message, finish = _message(chat, "".join(parts), reason)
        entries = None
        if chat.scored:
            entries = {"content": pieces.logprob_entries(scored), "refusal": None}
        choices.append(
            {"index": index, "message": message, "logprobs": entries, "finish_reason": finish}
        )
    return chat.frame.whole(choices, chat.answers.usage.as_dict())


def _message(chat: Chat, text: str, reason: str) -> tuple[dict[str, Any], str]:
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    calls, cut = calls_in(text) if chat.calls else ([], False)
    if not calls or (cut and chat.formed):
        return message, reason
    message["content"] = None
    objects = pieces.call_objects(calls)
    if chat.legacy:
        message["function_call"] = objects[0]["function"]
        return message, "length" if cut else "function_call"
    message["tool_calls"] = objects
    return message, "length" if cut else "tool_calls"


async def _stream(chat: Chat) -> AsyncIterator[bytes]:
    """Yield the answer as events: role, texts, reasons, usage if asked for, [DONE]."""
    frame = chat.frame
    held = [CallStream() if chat.calls else None for _ in range(chat.count)]
    for index in range(chat.count):
        inside = '"role":"assistant","content":"","refusal":null'
        yield frame.event(pieces.delta(index, inside))
    async for items in chat.answers.items():
        written = b"".join(_events(chat, item, held) for item in items)
        if written:
            yield written
    if frame.usage:
        yield frame.usage_event(json.dumps(chat.answers.usage.as_dict()))
    yield DONE


def _events(chat: Chat, item: Step | End, held: list[CallStream | None]) -> bytes:
    """Return the events for one step; what may be a call is held back until it is known."""
    index, kept = item.index, held[item.index]
    if isinstance(item, End):
        return _end_events(chat, item, kept)
    text = item.text
    if kept is not None:
        parts = kept.feed(text)
        if not kept.is_words:
            return b"" if chat.formed else b"".join(_part_event(chat, index, p) for p in parts)
        text, held[index] = kept.text, None
    scores = "null"
    if chat.scored:
        entries = pieces.logprob_entries(item.tokens)
        scores = json.dumps({"content": entries, "refusal": None})
    if not text and not item.tokens:
        return b""
    return chat.frame.event(pieces.delta(index, f'"content":{string(text)}', scores))


def _part_event(chat: Chat, index: int, part: Part) -> bytes:
    """Return the event for the beginning of a call, or for some of its arguments."""
    call: dict[str, Any] = {"function": {"arguments": part.arguments}}
    if part.name is not None:
        call = pieces.call_object(ToolCall(part.name, ""))
    if chat.legacy:
        inside = f'"function_call":{json.dumps(call["function"])}'
    else:
        inside = f'"tool_calls":{json.dumps([{"index": part.place, **call}])}'
    return chat.frame.event(pieces.delta(index, inside))


def _end_events(chat: Chat, end: End, kept: CallStream | None) -> bytes:
    index, frame, reason, written = end.index, chat.frame, end.finish_reason, b""
    if kept is not None:
        if chat.formed and kept.whole:  # only now is it known that it is no answer in its form
            parts = CallStream().feed(kept.text)
            written = b"".join(_part_event(chat, index, part) for part in parts)
        elif kept.text and (chat.formed or not kept.count):
            written = frame.event(pieces.delta(index, f'"content":{string(kept.text)}'))
        if kept.whole:
            reason = "function_call" if chat.legacy else "tool_calls"
    return written + frame.event(pieces.delta(index, "", finish=reason))
