"""Function calling for any chat model: functions in the system message, calls by grammar.

A call is a JSON object `{"name": …, "arguments": {…}}`, several are an array of them. Where a call
is demanded, the grammar admits nothing else; where it is allowed, the answer is either a call or
text that begins with neither brace nor bracket, so the two are told apart by their first
character. Arguments always follow the function's JSON schema; keywords that cannot be enforced
(`uniqueItems`, `not`, …) are left out, unless a function says `strict`: then they are refused.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solarmini.engine.constrain import json_rule
from solarmini.engine.interface import GrammarError
from solarmini.engine.json_schema import closed, moved

_INTRODUCTION = (
    "You may call functions. To call one, answer with nothing but a JSON object "
    '{"name": "function name", "arguments": {...}}; to call several, with an array of such '
    "objects. Otherwise answer in plain words. The functions:"
)
_DEMAND = "You must call a function now."


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model wants called; `arguments` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolPlan:
    """Messages as plain turns, and the grammar that binds the answer (None: no function)."""

    messages: list[dict[str, str]]
    grammar: str | None


def plan_tools(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] = (),
    choice: str | Mapping[str, Any] = "auto",
    *,
    parallel: bool = True,
    form: Mapping[str, Any] | None = None,
) -> ToolPlan:
    """Turn OpenAI `messages`, `tools` and `tool_choice` into plain turns and a grammar.

    `form` is the JSON schema of an answer that calls nothing (None: words).

    Raises GrammarError for a function without a name, or a choice that names none of them.
    """
    plain = plain_messages(messages)
    if not tools or choice == "none":
        return ToolPlan(plain, None)
    functions = [_function(tool) for tool in tools]
    chosen = functions
    if isinstance(choice, Mapping):
        wanted = dict(choice.get("function") or {}).get("name") or choice.get("name")
        chosen = [function for function in functions if function["name"] == wanted]
        if not chosen:
            raise GrammarError(f"tool_choice names {wanted!r}, which is none of the tools")
    elif choice not in ("auto", "required"):
        raise GrammarError(
            f"tool_choice is {choice!r}", mend="it is none, auto, required, or names a function"
        )
    demanded = choice != "auto"
    lines = [_introduced(function) for function in functions]
    text = "\n".join([_INTRODUCTION, *lines, *([_DEMAND] if demanded else [])])
    return ToolPlan(_with_system(plain, text), _grammar(chosen, demanded, parallel, form))


def plain_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Turn OpenAI messages into turns of system, user and assistant with text.

    A call of the assistant becomes its JSON, a tool's result a user turn. Turns of one role that
    follow each other because of that are joined.
    """
    names: dict[str, str] = {}
    plain: list[dict[str, str]] = []
    made_of_tool = False
    for message in messages:
        role, text = str(message.get("role")), content_text(message.get("content"))
        calls = message.get("tool_calls") or []
        if role == "developer":
            role = "system"
        elif role == "assistant" and calls:
            text = _written(calls, names) if not text else f"{text}\n{_written(calls, names)}"
        elif role in ("tool", "function"):
            name = message.get("name") or names.get(str(message.get("tool_call_id"))) or "function"
            role, text = "user", f"The function {name} returned:\n{text}"
            if plain and plain[-1]["role"] == "user" and made_of_tool:
                plain[-1]["content"] += f"\n\n{text}"
                continue
            made_of_tool = True
            plain.append({"role": role, "content": text})
            continue
        if role == "user" and made_of_tool and plain[-1]["role"] == "user":
            plain[-1]["content"] += f"\n\n{text}"
        else:
            plain.append({"role": role, "content": text})
        made_of_tool = False
    return plain


def content_text(content: Any) -> str:
    """Return the text of a message's content: a string, or parts of type text."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
        if len(texts) == len(content) and all(isinstance(text, str) for text in texts):
            return "".join(texts)
    raise GrammarError("a message's content is neither text nor parts of type text")


def parse_calls(text: str) -> list[ToolCall]:
    """Return the calls that an answer consists of; none when it is words, or cut short."""
    if not text.lstrip().startswith(("{", "[")):
        return []
    try:
        value = json.loads(text)
    except ValueError:
        return []
    calls = value if isinstance(value, list) else [value]
    found = []
    for call in calls:
        if not isinstance(call, dict) or set(call) != {"name", "arguments"}:
            return []
        if not isinstance(call["name"], str) or not isinstance(call["arguments"], dict):
            return []
        found.append(ToolCall(call["name"], json.dumps(call["arguments"], ensure_ascii=False)))
    return found


def _function(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = tool.get("function") if "function" in tool else tool
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise GrammarError("a tool has no function name")
    kept = ("name", "description", "parameters", "strict")
    return {key: function[key] for key in kept if function.get(key) is not None}


def _introduced(function: Mapping[str, Any]) -> str:
    shown = {key: value for key, value in function.items() if key != "strict"}
    return json.dumps(shown, ensure_ascii=False)


def _grammar(
    functions: Sequence[Mapping[str, Any]],
    demanded: bool,
    parallel: bool,
    form: Mapping[str, Any] | None,
) -> str:
    place = "#/anyOf/0" if parallel else "#"
    calls = [
        _call(function, f"{place}/anyOf/{at}" if len(functions) > 1 else place)
        for at, function in enumerate(functions)
    ]
    one: dict[str, Any] = {"anyOf": calls} if len(calls) > 1 else calls[0]
    schema = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]} if parallel else one
    lenient = not any(function.get("strict") for function in functions)
    call = f"call: {json_rule(schema, lenient=lenient)}"
    if demanded:
        return f"start: call\n{call}\n"
    if form is not None:
        return f"start: call | form\n{call}\nform: {json_rule(dict(form))}\n"
    return f"start: call | WORDS\n{call}\nWORDS: /[^\\[{{\\s](.|\\n)*/\n"


def _call(function: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return the schema of a call, which will stand at the JSON pointer `place` of the whole."""
    arguments = _object(function.get("parameters"))
    return {
        "type": "object",
        "properties": {
            "name": {"const": function["name"]},
            "arguments": moved(closed(arguments), f"{place}/properties/arguments"),
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _object(parameters: Any) -> dict[str, Any]:
    """Return a function's parameters as the schema of an object (none stated: no arguments)."""
    schema = dict(parameters) if isinstance(parameters, Mapping) else {}
    if not schema:
        return {"type": "object", "properties": {}, "additionalProperties": False}
    return {"type": "object", **schema}


def _with_system(messages: list[dict[str, str]], text: str) -> list[dict[str, str]]:
    if messages and messages[0]["role"] == "system":
        joined = f"{messages[0]['content']}\n\n{text}"
        return [{"role": "system", "content": joined}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def _written(calls: Sequence[Mapping[str, Any]], names: dict[str, str]) -> str:
    written = []
    for call in calls:
        function = dict(call.get("function") or {})
        names[str(call.get("id"))] = str(function.get("name"))
        arguments = function.get("arguments") or "{}"
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        written.append(f'{{"name": {json.dumps(function.get("name"))}, "arguments": {arguments}}}')
    return written[0] if len(written) == 1 else f"[{', '.join(written)}]"
