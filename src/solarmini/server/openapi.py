"""The API described: as OpenAPI 3.1, and as a page to read."""

import json
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse

from solarmini import __version__
from solarmini.server.answering import AnswerBody
from solarmini.server.errors import ApiError
from solarmini.server.forms import FORMS, form_of
from solarmini.server.knowledge import GroundBody, RerankBody, SearchBody
from solarmini.server.respond import Json
from solarmini.server.schemas import (
    ChatBody,
    CompletionBody,
    EmbeddingBody,
    ExtractBody,
    SuggestBody,
)
from solarmini.server.settings import Bounds
from solarmini.server.state import State, state_of

_BODIES: dict[str, type[BaseModel]] = {
    "chat_completions": ChatBody,
    "completions": CompletionBody,
    "embeddings": EmbeddingBody,
    "extract_information": ExtractBody,
    "generate_schema": SuggestBody,
    "search": SearchBody,
    "groundedness": GroundBody,
    "rerank": RerankBody,
    "answers": AnswerBody,
}
_OPEN = ("health", "openapi", "docs", "tokenizer", "download")
_STATUS = {"add_document": "201", "submit": "202"}
_REASONS = {
    "400": "The request says something wrong.",
    "401": "The API key is missing or wrong.",
    "403": "Another web page, or a host name that is not ours.",
    "404": "No such model, route or thing.",
    "408": "The request came too slowly.",
    "413": "The body is too large.",
    "415": "The document is of a kind that is not read.",
    "429": "This key has too many requests under way.",
    "501": "Not installed, or not possible with this model.",
    "503": "Loading, or overloaded: come back after Retry-After seconds.",
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
            },
        }
    },
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known of the server and its model; None: not yet, or not here."""

    bounds: Bounds
    context: int | None = None
    vocabulary: int | None = None


@cache
def description(keyed: bool, limits: Limits) -> dict[str, Any]:
    """Return the OpenAPI document, made from the routes themselves; `keyed`: a key is needed."""
    from solarmini.server.app import all_routes
    from solarmini.server.page_routes import routes as page_routes

    bodies = sorted(set(_BODIES.values()), key=lambda model: model.__name__)
    _, defined = models_json_schema(
        [(model, "validation") for model in bodies], ref_template="#/components/schemas/{model}"
    )
    schemas = defined.get("$defs", {})
    _bound(schemas, limits)
    paths: dict[str, dict[str, Any]] = {}
    ours = [*all_routes(), *(r for r in page_routes() if r.path.startswith("/v1"))]
    for route in ours:
        path = route.path.replace(":path}", "}")
        for method in sorted((route.methods or set()) - {"HEAD"}):
            paths.setdefault(path, {})[method.lower()] = _operation(
                path, method, route.endpoint, keyed
            )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "solar-mini",
            "version": __version__,
            "description": "Chat, completions, embeddings, documents and search over HTTP.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _bound(schemas: dict[str, Any], limits: Limits) -> None:
    """Write into the bodies' schemas how much this server takes at once."""
    bounds = limits.bounds
    chat, texts = schemas["ChatBody"]["properties"], schemas["CompletionBody"]["properties"]
    chat["messages"]["maxItems"] = bounds.messages
    schemas["EmbeddingBody"]["properties"]["input"]["anyOf"][1]["maxItems"] = bounds.texts
    for body in (chat, texts):
        _first(body["n"])["maximum"] = bounds.choices
        if limits.context:
            _first(body["max_tokens"])["maximum"] = limits.context
        if limits.vocabulary:
            _first(body["logit_bias"])["propertyNames"] = {"pattern": _below(limits.vocabulary)}
    if limits.context:
        _first(chat["max_completion_tokens"])["maximum"] = limits.context
    _, ids, several, lists = texts["prompt"]["anyOf"]
    several["maxItems"] = lists["maxItems"] = bounds.choices
    if limits.vocabulary:
        for listed in (ids, lists["items"]):
            listed["items"]["maximum"] = limits.vocabulary - 1


def _first(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a field is when it is not null."""
    return schema["anyOf"][0]


def _below(limit: int) -> str:
    """Return the pattern of the whole numbers from 0 to `limit` - 1, with leading zeros."""
    digits = str(limit - 1)
    options = [digits]
    for place, digit in enumerate(digits):
        if digit != "0":
            rest = len(digits) - place - 1
            smaller = f"[0-{int(digit) - 1}]"
            options.append(digits[:place] + smaller + (f"[0-9]{{{rest}}}" if rest else ""))
    if len(digits) > 1:
        options.append(f"[0-9]{{1,{len(digits) - 1}}}")
    return f"^(?:{'|'.join(options)})$"


def _operation(path: str, method: str, endpoint: Any, keyed: bool) -> dict[str, Any]:
    name = endpoint.__name__
    lines = (endpoint.__doc__ or name).strip().splitlines()
    found: dict[str, Any] = {
        "summary": lines[0],
        "operationId": _operation_id(method, path),
        "responses": _responses(name, path),
        "security": [{"key": []}] if keyed and name not in _OPEN else [],
    }
    inside = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    if inside:
        found["parameters"] = [
            {"name": part, "in": "path", "required": True, "schema": {"type": "string"}}
            for part in inside
        ]
    if name in _BODIES:
        reference = {"$ref": f"#/components/schemas/{_BODIES[name].__name__}"}
        content: dict[str, Any] = {"application/json": {"schema": reference}}
    elif name in FORMS:
        content = {"multipart/form-data": {"schema": form_of(name)}}
    else:
        return found
    found["requestBody"] = {"required": True, "content": content}
    return found


_PLAIN = str.maketrans(dict.fromkeys("/{}.-", "_"))


def _operation_id(method: str, path: str) -> str:
    return f"{method.lower()}{path}".translate(_PLAIN).strip("_")


def _responses(name: str, path: str) -> dict[str, Any]:
    kinds: dict[str, Any] = {"application/json": {}}
    if name in ("chat_completions", "completions", "answers"):
        kinds["text/event-stream"] = {}
    elif name == "metrics":
        kinds = {"text/plain": {}}
    elif name == "docs":
        kinds = {"text/html": {}}
    wrong = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    if name == "health":
        return {
            "200": {"description": "Ready.", "content": kinds},
            "503": {"description": "Not ready.", "content": kinds},
        }
    answer: dict[str, Any] = {"description": "The answer.", "content": kinds}
    if name == "submit":
        told = {"parameters": {"id": "$response.body#/request_id"}}
        operation = _operation_id("get", path.replace("/async", "/requests/{id}"))
        answer["links"] = {"status": {"operationId": operation, **told}}
    answers = {_STATUS.get(name, "200"): answer}
    return answers | {
        status: {"description": reason, "content": wrong} for status, reason in _REASONS.items()
    }


async def openapi(request: Request) -> Json:
    """Give the OpenAPI description."""
    state = state_of(request)
    return Json(description(bool(state.keys), await _limits(state)))


async def _limits(state: State) -> Limits:
    bounds, model = state.settings.bounds, state.link.model
    if model is None:
        return Limits(bounds)
    if "vocabulary" not in state.cache:
        try:
            definition = await state.link.result("tokenizer")
        except ApiError:  # the engine is being replaced
            return Limits(bounds, model.context)
        state.cache["vocabulary"] = None if definition is None else _vocabulary(definition)
    return Limits(bounds, model.context, state.cache["vocabulary"])


def _vocabulary(definition: str) -> int:
    """Return how many tokens a tokenizer.json has."""
    value = json.loads(definition)
    known = value["model"]["vocab"]  # an object, or a list of pieces with their scores
    names = set(known) if isinstance(known, dict) else {piece for piece, _ in known}
    return len(names | {token["content"] for token in value.get("added_tokens") or ()})


async def docs(request: Request) -> HTMLResponse:
    """Show the API as a page that needs nothing from elsewhere."""
    rows = []
    for path, operations in description(False, Limits(state_of(request).settings.bounds))[
        "paths"
    ].items():
        for method, facts in operations.items():
            rows.append(
                f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td>"
                f"<td>{escape(facts['summary'])}</td></tr>"
            )
    page = _PAGE.format(version=__version__, rows="\n".join(rows))
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return HTMLResponse(page, headers={"content-security-policy": policy})


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>solar-mini API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884 }}
</style></head><body><main>
<h1>solar-mini API {version}</h1>
<p>The whole description is <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1). Send the API key
as <code>Authorization: Bearer KEY</code> where the server has one. Errors are always
<code>{{"error": {{"message", "type", "param", "code"}}}}</code>.</p>
<table><thead><tr><th>Method</th><th>Path</th><th>What it does</th></tr></thead><tbody>
{rows}
</tbody></table></main></body></html>
"""
