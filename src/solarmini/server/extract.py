"""Information extraction: a document and a schema in, JSON that follows the schema out."""

import base64
import binascii
import json
import tempfile
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request

from solarmini.engine.interface import GenerationSettings
from solarmini.engine.json_schema import closed
from solarmini.server.answers import Answers, Job, Step, Usage
from solarmini.server.body import MAX_SIZE, read_model
from solarmini.server.documents import Wish
from solarmini.server.errors import ApiError, invalid, no_model
from solarmini.server.names import EXTRACT
from solarmini.server.pieces import Frame
from solarmini.server.respond import Json, while_connected
from solarmini.server.sampling import form_of
from solarmini.server.schemas import ExtractBody, SuggestBody
from solarmini.server.state import State, state_of

B = TypeVar("B", bound=SuggestBody)
_EXTRACT = (
    "Read the document and give the values that the schema asks for, as they stand in it. "
    "Leave empty what it does not say.\n\nSchema: {}\n\nDocument:\n{}"
)
_SUGGEST = (
    "Read the document and name the fields that somebody would want to extract from it.\n\n"
    "Document:\n{}"
)
_FIELD = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,40}$"},
        "type": {"enum": ["string", "number", "boolean"]},
        "description": {"type": "string", "maxLength": 120},
    },
    "required": ["name", "type", "description"],
    "additionalProperties": False,
}
_SUGGESTION = {
    "type": "object",
    "properties": {"fields": {"type": "array", "items": _FIELD, "minItems": 1, "maxItems": 24}},
    "required": ["fields"],
    "additionalProperties": False,
}


async def extract_information(request: Request) -> Json:
    """Fill a schema with what a document says."""
    state, body, text = await _read(request, ExtractBody)
    schema = form_of(body.response_format).get("json_schema")
    if schema is None:
        raise invalid("Give the schema as response_format of type json_schema.", "response_format")
    prompt = _EXTRACT.format(json.dumps(schema, ensure_ascii=False), text)
    made, usage, reason = await while_connected(request.receive, _ask(state, prompt, schema))
    return _answer(body.model, made, usage, reason)


async def generate_schema(request: Request) -> Json:
    """Suggest a schema for documents like the given one."""
    state, body, text = await _read(request, SuggestBody)
    asking = _ask(state, _SUGGEST.format(text), _SUGGESTION)
    made, usage, _ = await while_connected(request.receive, asking)
    try:
        fields = json.loads(made)["fields"]
    except ValueError:
        what = "The model did not come to an end with its schema."
        raise ApiError(503, what, "incomplete", kind="server_error") from None
    properties = {
        field["name"]: {"type": field["type"], "description": field["description"]}
        for field in fields
    }
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    wrapped = {
        "type": "json_schema",
        "json_schema": {"name": "document_schema", "schema": schema},
    }
    return _answer(body.model, json.dumps(wrapped, ensure_ascii=False), usage, "stop")


async def _read(request: Request, kind: type[B]) -> tuple[State, B, str]:
    """Return the request, and the text of the documents in its messages."""
    state = state_of(request)
    bounds = state.settings.bounds
    limit = bounds.upload_bytes * 4 // 3 + bounds.json_bytes
    body = await read_model(kind, request.scope, request.receive, bounds, limit)
    request.state.model = body.model
    if body.model not in EXTRACT and state.names.chat(body.model) != "chat":
        raise no_model(body.model)
    urls, texts = _parts(body)
    if not urls:
        what = "A user's message needs a document: {type: image_url, image_url: {url: data:…}}."
        raise invalid(what, "messages")
    for url in urls:
        data = _decoded(url, bounds.upload_bytes)
        texts.append(await while_connected(request.receive, _text_of(state, data)))
    return state, body, "\n\n".join(texts)


def _parts(body: SuggestBody) -> tuple[list[str], list[str]]:
    urls: list[str] = []
    texts: list[str] = []
    for message in body.messages:
        if isinstance(message.content, str):
            texts.append(message.content)
            continue
        for part in message.content or []:
            image = part.get("image_url")
            url = image.get("url") if isinstance(image, dict) else image
            if isinstance(url, str):
                urls.append(url)
            elif "image_url" not in part and isinstance(part.get("text"), str):
                texts.append(part["text"])
            else:
                raise invalid("A part of the message is neither image_url nor text.", "messages")
    return urls, texts


def _decoded(url: str, most: int) -> bytes:
    head, comma, data = url.partition(",")
    if not head.startswith("data:") or not comma or not head.endswith(";base64"):
        what = "Send the document itself as data:TYPE;base64,DATA; addresses are not fetched."
        raise invalid(what, "messages")
    if len(data) > most * 4 // 3 + 4:
        raise ApiError(413, MAX_SIZE.format(most // 2**20), "request_too_large", param="messages")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise invalid("The document's base64 is damaged.", "messages") from None


async def _text_of(state: State, data: bytes) -> str:
    from solarmini.layout.export import to_markdown

    with tempfile.NamedTemporaryFile(dir=state.folder, prefix="extract-") as file:
        file.write(data)
        file.flush()
        path, pages = Path(file.name), state.settings.bounds.pages

        def read() -> str:
            document = state.reader.parse(path, Wish(), pages)
            state.metrics.pages.add(len(document.pages))
            return to_markdown(document)

        return await state.reader.run(read)


async def _ask(state: State, prompt: str, schema: dict[str, Any]) -> tuple[str, Usage, str]:
    """Return the model's answer in the schema's form, what it used, and why it ended."""
    settings = GenerationSettings(json_schema=closed(schema))
    turns = [{"role": "user", "content": prompt}]
    answers = Answers(state.desk, [Job(turns, settings)])
    parts, reason = [], "stop"
    try:
        await answers.begin()
        async for items in answers.items():
            for item in items:
                if isinstance(item, Step):
                    parts.append(item.text)
                else:
                    reason = item.finish_reason
    finally:
        await answers.close()
    return "".join(parts), answers.usage, reason


def _answer(model: str, text: str, usage: Usage, reason: str) -> Json:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    return Json(Frame(model).whole([choice], usage.as_dict()))
