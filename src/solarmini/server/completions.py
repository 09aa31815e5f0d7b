"""POST /v1/completions."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from solarmini.engine.interface import Prompt
from solarmini.server import pieces
from solarmini.server.answers import Answers, End, Job, Scored, Step
from solarmini.server.body import read_model
from solarmini.server.echo import Echo, echoes
from solarmini.server.errors import invalid
from solarmini.server.pieces import Frame
from solarmini.server.respond import DONE, Events, Json, while_connected
from solarmini.server.sampling import form_of, settings_of
from solarmini.server.schemas import CompletionBody, Prompts
from solarmini.server.state import state_of

DEFAULT_TOKENS = 16  # as OpenAI's


@dataclass(slots=True)
class Completion:
    """A request that is understood; `repeated` is what each choice says first."""

    answers: Answers
    frame: Frame
    scores: int | None
    repeated: list[Echo]
    offsets: list[int] = field(default_factory=list)

    def choice(self, index: int, text: str, tokens: list[Scored], finish: str | None) -> Any:
        """Return one choice, whole or a part of it."""
        scores = None
        if self.scores is not None:
            scores, self.offsets[index] = _logprobs(tokens, self.offsets[index])
        return {"text": text, "index": index, "logprobs": scores, "finish_reason": finish}


async def completions(request: Request) -> Any:
    """Continue texts."""
    state = state_of(request)
    bounds = state.settings.bounds
    body = await read_model(CompletionBody, request.scope, request.receive, bounds)
    request.state.model = body.model
    if state.names.chat(body.model) != "chat":
        raise invalid("This model name answers conversations only.", "model")
    if state.settings.log_prompts:
        state.log.write("prompt", id=request.state.id, prompt=body.prompt)
    prompts = _prompts(body.prompt)
    count = body.n or 1
    if count > bounds.choices:
        raise invalid(f"At most {bounds.choices} answers are made at once.", "n")
    if len(prompts) > bounds.choices:
        raise invalid(f"At most {bounds.choices} prompts are read at once.", "prompt")
    _refuse(body, count)
    form = form_of(body.response_format)
    settings = settings_of(body, body.max_tokens or DEFAULT_TOKENS, body.logprobs, form)
    jobs = [
        Job(
            prompt,
            settings
            if settings.seed is None
            else settings.model_copy(update={"seed": settings.seed + i}),
            counted=i == 0,
        )
        for prompt in prompts
        for i in range(count)
    ]
    read = [Echo()] * len(prompts)
    if body.echo:
        read = await while_connected(request.receive, echoes(state, prompts, body.logprobs))
    repeated = [each for each in read for _ in range(count)]
    usage = bool(body.stream and body.stream_options and body.stream_options.include_usage)
    frame = Frame(body.model, "text_completion", "cmpl", usage=usage)
    answers = Answers(state.desk, jobs)
    made = Completion(answers, frame, body.logprobs, repeated, [0] * len(jobs))
    if not body.stream:
        return Json(await while_connected(request.receive, _whole(made)))
    await while_connected(request.receive, answers.begin())
    seconds = bounds.write_seconds
    return Events(_stream(made), answers.close, seconds, state.fault(request))


def _prompts(stated: Prompts) -> list[Prompt]:
    """Return the prompts that are meant: a text, token ids, or several of either."""
    if isinstance(stated, str):
        return [stated]
    if isinstance(stated[0], int):
        return [stated]  # ty: ignore[invalid-explicit-return]
    return list(stated)  # ty: ignore[invalid-explicit-return]


def _refuse(body: CompletionBody, count: int) -> None:
    if body.suffix:
        raise invalid("This model cannot fill in before a suffix.", "suffix")
    if body.best_of is not None and body.best_of != count:
        raise invalid("best_of other than n is not supported.", "best_of")
    if body.echo and (body.logprobs or 0) > 1:
        raise invalid("With echo, logprobs is 0 or 1.", "logprobs")


async def _whole(made: Completion) -> dict[str, Any]:
    count = len(made.answers.jobs)
    texts = [[echo.text] for echo in made.repeated]
    tokens: list[list[Scored]] = [list(echo.tokens) for echo in made.repeated]
    reasons = ["stop"] * count
    try:
        await made.answers.begin()
        async for items in made.answers.items():
            for item in items:
                if isinstance(item, End):
                    reasons[item.index] = item.finish_reason
                else:
                    texts[item.index].append(item.text)
                    tokens[item.index] += item.tokens
    finally:
        await made.answers.close()
    choices = [
        made.choice(index, "".join(texts[index]), tokens[index], reasons[index])
        for index in range(count)
    ]
    return made.frame.whole(choices, made.answers.usage.as_dict())


async def _stream(made: Completion) -> AsyncIterator[bytes]:
    for index, echo in enumerate(made.repeated):
        if echo.text:
            choice = made.choice(index, echo.text, list(echo.tokens), None)
            yield made.frame.event(json.dumps(choice))
    async for items in made.answers.items():
        written = b"".join(made.frame.event(_chunk(made, item)) for item in items)
        yield written
    if made.frame.usage:
        yield made.frame.usage_event(json.dumps(made.answers.usage.as_dict()))
    yield DONE


def _chunk(made: Completion, item: Step | End) -> str:
    if isinstance(item, End):
        return json.dumps(made.choice(item.index, "", [], item.finish_reason))
    return json.dumps(made.choice(item.index, item.text, item.tokens, None))


def _logprobs(tokens: list[Scored], offset: int) -> tuple[dict[str, Any], int]:
    """Return the old form of log-probabilities, and where the next token's text begins."""
    texts = [bytes.fromhex(token[1]).decode("utf-8", "replace") for token in tokens]
    offsets = []
    for text in texts:
        offsets.append(offset)
        offset += len(text)
    scores = [None if token[2] is None else pieces.finite(token[2]) for token in tokens]
    tops = [
        None
        if score is None
        else {
            bytes.fromhex(top[1]).decode("utf-8", "replace"): pieces.finite(top[2])
            for top in token[3]
        }
        for score, token in zip(scores, tokens, strict=True)
    ]
    found = {
        "tokens": texts,
        "token_logprobs": scores,
        "top_logprobs": tops,
        "text_offset": offsets,
    }
    return found, offset
