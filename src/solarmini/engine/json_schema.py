"""JSON schemas made ready to bind a model's answer: put elsewhere, and closed."""

from collections.abc import Callable, Mapping
from typing import Any

# keywords whose value is quoted, not a schema; and those whose value names schemas
_QUOTING = frozenset({"const", "enum", "default", "example", "examples", "required"})
_NAMING = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_JOINING = ("allOf", "if", "not", "dependentSchemas")  # with others, or the other way round
_COMBINING = (*_JOINING, "anyOf", "oneOf", "$ref", "$dynamicRef")


def moved(schema: Any, place: str) -> Any:
    """Return a schema whose references from its root ("#/$defs/…") hold when it is at `place`.

    `place` is a JSON pointer in the whole schema, such as "#/properties/arguments".
    """
    if not isinstance(schema, Mapping):
        return schema
    made = _within(schema, lambda inner: moved(inner, place))
    target = schema.get("$ref")
    if isinstance(target, str) and (target == "#" or target.startswith("#/")):
        made["$ref"] = place + target[1:]
    return made


def closed(schema: Any) -> Any:
    """Return a schema whose objects have no properties but those that it names.

    Whatever follows it follows `schema` too; a small model left to itself goes on inventing
    properties. Left as they are: objects that name none or speak of additional ones, and those
    that several schemas describe together.
    """
    if not isinstance(schema, Mapping):
        return schema
    apart = not any(keyword in schema for keyword in _COMBINING)
    if not apart and any(keyword in schema for keyword in ("properties", *_JOINING)):
        kept = {key: schema[key] for key in schema if key not in ("$defs", "definitions")}
        named = {key: schema[key] for key in schema if key in ("$defs", "definitions")}
        return kept | _within(named, closed)
    made = _within(schema, closed)
    about = ("additionalProperties", "patternProperties", "unevaluatedProperties")
    if apart and schema.get("properties") and not any(keyword in schema for keyword in about):
        made["additionalProperties"] = False
    return made


def _within(schema: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a schema with every schema directly inside it changed."""
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _QUOTING:
            made[key] = value
        elif key in _NAMING and isinstance(value, Mapping):
            made[key] = {name: change(each) for name, each in value.items()}
        elif isinstance(value, list):
            made[key] = [change(each) for each in value]
        else:
            made[key] = change(value)
    return made
