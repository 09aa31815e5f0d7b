"""JSON schemas made ready to bind a model's answer: put elsewhere, and closed."""

from collections.abc import Callable, Mapping
from typing import Any

# keywords whose value is quoted, not a schema; and those whose value names schemas
_QUOTING = frozenset({"const", "enum", "default", "example", "examples", "required"})
_NAMING = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
# with these, several schemas describe one value together, or say what it is not
_JOINING = frozenset({"allOf", "if", "not", "dependentSchemas"})
_CHOOSING = frozenset({"anyOf", "oneOf", "$ref", "$dynamicRef"})


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
    properties. Objects that name none, or speak of additional ones, are left as they are; so is
    the whole where several schemas describe one object together: none of them knows all of it.
    """
    return schema if _joins(schema) else _closed(schema)


def _joins(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    if not _JOINING.isdisjoint(schema):
        return True
    if "properties" in schema and not _CHOOSING.isdisjoint(schema):
        return True
    found: list[bool] = []
    _within(schema, lambda inner: found.append(_joins(inner)))
    return any(found)


def _closed(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    made = _within(schema, _closed)
    about = ("additionalProperties", "patternProperties", "unevaluatedProperties")
    if schema.get("properties") and not any(keyword in schema for keyword in about):
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
