"""Schemas put elsewhere and closed: what they admit is told by an independent validator."""

import json
from typing import Any

import jsonschema
import pytest

from solarmini.engine.json_schema import closed, moved

CITY = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def admits(schema: Any, value: Any) -> bool:
    return not list(jsonschema.Draft202012Validator(schema).iter_errors(value))


def test_references_hold_at_the_new_place() -> None:
    schema = {
        "type": "object",
        "properties": {
            "default": {"$ref": "#/$defs/City"},  # names of properties are no keywords
            "enum": {"$ref": "#"},
            "here": {"const": {"$ref": "#/$defs/City"}},
        },
        "$defs": {"City": CITY},
    }
    whole = {"properties": {"arguments": moved(schema, "#/properties/arguments")}}
    assert admits(whole, {"arguments": {"default": {"name": "Seoul"}, "enum": {"enum": {}}}})
    assert not admits(whole, {"arguments": {"default": {"name": 1}}})
    assert not admits(whole, {"arguments": {"enum": {"default": {"name": 1}}}})
    assert admits(whole, {"arguments": {"here": {"$ref": "#/$defs/City"}}})
    assert json.loads(json.dumps(schema)) == schema  # what was given is as it was


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (CITY, {"name": "a"}, {"name": "a", "more": 1}),
        ({"type": "array", "items": CITY}, [{"name": "a"}], [{"name": "a", "more": 1}]),
        ({"anyOf": [CITY, {"type": "null"}]}, {"name": "a"}, {"name": "a", "more": 1}),
        ({"$ref": "#/$defs/c", "$defs": {"c": CITY}}, {"name": "a"}, {"name": "a", "more": 1}),
        ({"properties": {"properties": CITY}}, {"properties": {"name": "a"}}, {"other": 1}),
    ],
)
def test_no_property_is_invented(schema: Any, good: Any, bad: Any) -> None:
    assert admits(schema, good)
    assert admits(schema, bad)
    assert admits(closed(schema), good)
    assert not admits(closed(schema), bad)


def test_what_is_denied_stays_denied() -> None:
    schema = {"not": CITY}
    assert not admits(schema, {"name": "a", "more": 1})
    assert not admits(closed(schema), {"name": "a", "more": 1})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "object"}, {"free": 1}),
        ({"properties": {"a": {}}, "additionalProperties": True}, {"a": 1, "b": 2}),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}, {"b": 2}),
        ({"properties": {"a": {}}, "patternProperties": {"^b": {}}}, {"a": 1, "b1": 2}),
        ({"allOf": [CITY, {"properties": {"size": {}}}]}, {"name": "a", "size": 1}),
        (
            {**CITY, "anyOf": [{"properties": {"x": {}}}, {"required": ["y"]}]},
            {"name": "a", "x": 1},
        ),
        (
            {"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}},
            {"a": 1, "b": 2},
        ),
        (  # what is referred to is a part of the object, not the whole
            {"allOf": [{"$ref": "#/$defs/c"}, {"properties": {"size": {}}}], "$defs": {"c": CITY}},
            {"name": "a", "size": 1},
        ),
        (
            {"$ref": "#/$defs/c", "properties": {"size": {}}, "$defs": {"c": CITY}},
            {"name": "a", "size": 1},
        ),
        (
            {"type": "array", "items": {"allOf": [{"$ref": "#/$defs/c"}]}, "$defs": {"c": CITY}},
            [{"name": "a", "size": 1}],
        ),
        ({**CITY, "dependentSchemas": {"name": {"properties": {"x": {}}}}}, {"name": "", "x": 1}),
    ],
)
def test_what_several_schemas_describe_stays_open(schema: Any, value: Any) -> None:
    assert admits(schema, value)
    assert admits(closed(schema), value)
