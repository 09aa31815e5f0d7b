"""What a request's fields say about each other, as JSON schema; the routes refuse the rest."""

from typing import Any

from solarmini.server.names import NO_TALK, WITH_CONTEXT

Schema = dict[str, Any]

NO: Schema = {"type": "null"}
MANY = 32  # messages with documents, and parts of such a message
SIZE: Schema = {**NO, "description": "Vectors keep their size; stating that very size is no error."}
NOTHING: Schema = {"anyOf": [{"type": "string", "maxLength": 0}, NO]}
_FILLED: Schema = {"type": "string", "minLength": 1}
_SOME: Schema = {"type": "array", "minItems": 1}

# base64 that is whole: https://www.rfc-editor.org/rfc/rfc4648#section-4
_FOUR, _END = "[A-Za-z0-9+/]{4}", "[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}="
_DATA: Schema = {
    "type": "string",
    "pattern": f"^data:[^,]*;base64,(?:(?:{_FOUR})+(?:{_END})?|{_END})$",
}


BIAS: Schema = {
    "anyOf": [
        {
            "type": "object",
            "propertyNames": {"pattern": "^[0-9]{1,9}$"},
            "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100},
        },
        NO,
    ]
}


def _has(field: str, schema: Schema) -> Schema:
    return {"required": [field], "properties": {field: schema}}


def _none(*fields: str) -> Schema:
    """Return the schema of an object in which fields are null or left out."""
    return {"properties": dict.fromkeys(fields, NO)}


_TEXT_PART: Schema = {"type": "object", **_has("text", {"type": "string"})}
_IMAGE: Schema = {"anyOf": [_DATA, {"type": "object", **_has("url", _DATA)}]}
_IMAGE_PART: Schema = {"type": "object", **_has("image_url", _IMAGE)}
_NO_IMAGE: Schema = {**_TEXT_PART, "not": {"required": ["image_url"]}}


def _content(part: Schema) -> Schema:
    return {"anyOf": [{"type": "string"}, {"type": "array", "items": part}, NO]}


TEXTS = _content(_TEXT_PART)
PARTS = _content({"anyOf": [_IMAGE_PART, _NO_IMAGE]})
PARTS["anyOf"][1]["maxItems"] = MANY

MESSAGE: Schema = {
    "anyOf": [
        {"properties": {"role": {"enum": ["assistant", "function"]}}},
        {
            "properties": {"role": {"const": "tool"}, "tool_call_id": _FILLED},
            "required": ["tool_call_id"],
        },
        {
            "properties": {
                "role": {"enum": ["system", "developer", "user"]},
                "content": {"type": ["string", "array"]},
            },
            "required": ["content"],
        },
    ]
}

_SCHEMA: Schema = {"type": "object", **_has("schema", {"type": "object"})}
RESPONSE_FORMAT: Schema = {
    "anyOf": [
        {"properties": {"type": {"enum": ["text", "json_object"]}}},
        {
            "properties": {"type": {"const": "json_schema"}, "json_schema": _SCHEMA},
            "required": ["json_schema"],
        },
    ]
}


def either_way(schema: Schema) -> None:
    """Let what stands under `function` also stand alone: both are accepted."""
    function = schema["properties"]["function"]
    alone = {"allOf": [function], "not": {"required": ["function"]}}
    wrapped = {key: schema.pop(key) for key in ("properties", "required", "type")}
    schema["anyOf"] = [wrapped, alone]


def _said_by(role: str) -> Schema:
    text = {"anyOf": [_FILLED, {**_SOME, "contains": _has("text", _FILLED)}]}
    told = {"role": {"const": role}, "content": text}
    return {"contains": {"properties": told, "required": ["role", "content"]}}


# the groundedness check compares what the user says with what the assistant answers
_TALK = {
    "model": {"not": {"enum": list(WITH_CONTEXT)}},
    "messages": {"prefixItems": [{"properties": {"role": {"not": {"const": "assistant"}}}}]},
}
_COMPARED: Schema = {
    "anyOf": [
        {"properties": _TALK},
        {
            "properties": {
                "model": {"enum": list(WITH_CONTEXT)},
                "messages": {"allOf": [_said_by("user"), _said_by("assistant")]},
            }
        },
    ]
}
_SCORED: Schema = {"anyOf": [_none("top_logprobs"), _has("logprobs", {"const": True})]}
_FREE = ["auto", "none"]
_CHOSEN: Schema = {
    "anyOf": [
        _has("tool_choice", {"enum": _FREE}),
        {"properties": {"tool_choice": NO, "function_call": {"enum": [*_FREE, None]}}},
        _has("tools", _SOME),
        _has("functions", _SOME),
    ]
}
CHAT: Schema = {"allOf": [_COMPARED, _SCORED, _CHOSEN]}

_A_DOCUMENT: Schema = {"type": "array", "contains": _IMAGE_PART}
WITH_DOCUMENT: Schema = {
    "allOf": [{"properties": {"messages": {"contains": _has("content", _A_DOCUMENT)}}}]
}
_BOUND: Schema = {"properties": {"type": {"enum": ["json_object", "json_schema"]}}}
EXTRACT: Schema = {"allOf": [*WITH_DOCUMENT["allOf"], _has("response_format", _BOUND)]}

_TALKS: Schema = {"properties": {"model": {"not": {"enum": list(NO_TALK)}}}}
_ONE: Schema = {"enum": [1, None]}
COMPLETION: Schema = {
    "allOf": [
        _TALKS,
        {"anyOf": [_none("best_of"), {"properties": {"best_of": _ONE, "n": _ONE}}]},
        {
            "anyOf": [
                {"properties": {"echo": {"enum": [False, None]}}},
                {"properties": {"logprobs": {"enum": [0, 1, None]}}},
            ]
        },
    ]
}
ANSWER: Schema = {"allOf": [_TALKS]}
