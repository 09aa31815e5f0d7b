"""The description of the API says what is accepted, no more and no less."""

import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import CITY, CONTEXT, TOOLS, Running

from solarmini.server.openapi import Limits, _below, description
from solarmini.server.settings import Bounds

USER = {"role": "user", "content": "fox"}
ANSWERED = {"role": "assistant", "content": "fox"}
CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
FUNCTIONS = [tool["function"] for tool in TOOLS]
FORM = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
URL = "data:application/pdf;base64,{}"


def page(url: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "image_url", "image_url": url}]}


def allows(described: dict[str, Any], path: str, body: Any) -> bool:
    operation = described["paths"][path]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    whole = {**schema, "components": described["components"]}
    return jsonschema.Draft202012Validator(whole).is_valid(body)


def agree(api: Running, path: str, body: dict[str, Any]) -> None:
    described = api.get("/openapi.json").json
    answer = api.post(path, body)
    assert answer.status in (200, 400), answer.body
    assert allows(described, path, body) == (answer.status == 200), (body, answer.body)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"n": 16},
        {"n": 17},
        {"max_tokens": CONTEXT + 1},
        {"max_completion_tokens": 1.0},
        {"max_completion_tokens": 1.5},
        {"temperature": 2},
        {"temperature": 2.1},
        {"stop": ["a"] * 17},
        {"stop": ""},
        {"seed": 2**63},
        {"top_logprobs": 2},
        {"top_logprobs": 2, "logprobs": True},
        {"logit_bias": {"383": 1}},
        {"logit_bias": {"384": 1}},
        {"logit_bias": {"fox": 1}},
        {"logit_bias": {"٣": 1}},
        {"logit_bias": {"1": 101}},
        {"messages": []},
        {"messages": [ANSWERED]},
        {"messages": [{"role": "system", "content": "Be kind."}, ANSWERED, USER]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "fox"}]}]},
        {"messages": [page(URL.format("JVBERg=="))]},
        {"messages": [USER, {"role": "assistant"}]},
        {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}]},
        {"messages": [USER, {"role": "assistant", "tool_calls": [{"id": "c"}]}]},
        {"messages": [USER, {"role": "tool", "content": "sunny"}]},
        {"messages": [USER, {"role": "tool", "content": "sunny", "tool_call_id": "c"}]},
        {"tools": TOOLS},
        {"tools": FUNCTIONS},
        {"tools": [{"type": "function"}]},
        {"tools": [{"function": None, "name": "weather"}]},
        {"tools": [{"function": {"name": "weather", "parameters": "city"}}]},
        {"tools": TOOLS, "tool_choice": "required"},
        {"tools": TOOLS, "tool_choice": "perhaps"},
        {"tools": TOOLS, "tool_choice": {"type": "function", "name": "weather"}},
        {"tools": TOOLS, "tool_choice": {"function": {}}},
        {"tools": TOOLS, "response_format": FORM},
        {"tool_choice": "required"},
        {"tool_choice": "none", "function_call": {"name": "weather"}},
        {"function_call": {"name": "weather"}},
        {"functions": FUNCTIONS, "function_call": {"name": "weather"}},
        {"functions": [{"description": "nameless"}]},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": None}}},
        {"response_format": {"type": "xml"}},
        {"model": "groundedness-check"},
        {"model": "groundedness-check", "messages": [USER, ANSWERED]},
        {"model": "groundedness-check", "messages": [ANSWERED, USER]},
        {"model": "groundedness-check", "messages": [USER, {"role": "assistant"}]},
    ],
)
def test_conversations(api: Running, change: dict[str, Any]) -> None:
    body = {"model": "solar-mini", "messages": [USER], "max_tokens": 2, "temperature": 0}
    agree(api, "/v1/chat/completions", {**body, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": ""},
        {"prompt": ["fox", ""]},
        {"prompt": ["fox"] * 16},
        {"prompt": ["fox"] * 17},
        {"prompt": [1, 383]},
        {"prompt": [1, 384]},
        {"prompt": [[1], [384]]},
        {"prompt": [1] * 20},
        {"prompt": ["fox", "dog"], "n": 9},
        {"suffix": ""},
        {"suffix": "end"},
        {"best_of": 1},
        {"best_of": 2},
        {"echo": True},
        {"echo": True, "prompt": [1]},
        {"echo": True, "logprobs": 0},
        {"echo": True, "logprobs": 1},
        {"echo": True, "logprobs": 2},
        {"response_format": FORM},
        {"model": "groundedness-check"},
        {"model": "translation-enko"},
    ],
)
def test_texts(api: Running, change: dict[str, Any]) -> None:
    body = {"model": "solar-mini", "prompt": "fox", "max_tokens": 1, "temperature": 0}
    agree(api, "/v1/completions", {**body, **change})


@pytest.mark.parametrize(
    "filters",
    [
        None,
        {},
        {"sources": ["*.pdf"], "formats": ["pdf"], "kinds": ["table"], "metadata": {"by": "me"}},
        {"pages": [1, 2.0], "heading": "100%"},
        {"pages": [1]},
        {"pages": ["1", "2"]},
        {"pages": [1, 2**70]},
        {"kinds": ["picture"]},
        {"sources": ["x"] * 101},
        {"nonsense": 1},
    ],
)
def test_filters(api: Running, filters: Any) -> None:
    agree(api, "/v1/search", {"query": "fox", "mode": "lexical", "filters": filters})
    agree(api, "/v1/answers", {"question": "A fox?", "filters": filters})


@pytest.mark.parametrize(
    ("messages", "allowed"),
    [
        ([page(URL.format("JVBERg=="))], True),
        ([page({"url": URL.format("JVBE")})], True),
        ([USER, page({"url": URL.format("JVBERi0=")})], True),
        ([page(URL.format("JVBERg=="))] * 33, False),
        ([page(URL.format(""))], False),
        ([page(URL.format("JVBERg="))], False),
        ([page(URL.format("JV-E"))], False),
        ([page("https://example.org/a.pdf")], False),
        ([page({"url": None})], False),
        ([{"role": "user", "content": [{"type": "text", "text": "fox"}]}], False),
        ([USER], False),
    ],
)
def test_documents_in_conversations(api: Running, messages: Any, allowed: bool) -> None:
    path = "/v1/information-extraction/schema-generation"
    body = {"model": "information-extract", "messages": messages}
    assert allows(api.get("/openapi.json").json, path, body) == allowed
    answer = api.post(path, body)
    if allowed:  # no document is whole here: what is allowed is refused for what it holds
        assert answer.error["code"] in ("unsupported_format", "invalid_document")
    else:
        assert answer.status == 400


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_numbers_below_a_limit_as_a_pattern(limit: int, number: int) -> None:
    for at in (number, limit - 1, limit):
        assert bool(re.search(_below(limit), str(at))) == (at < limit)


def test_the_description_follows_the_servers_limits() -> None:
    said = [description(False, Limits(Bounds(choices=most))) for most in (2, 3)]
    chats = [d["components"]["schemas"]["ChatBody"]["properties"]["n"] for d in said]
    assert [chat["anyOf"][0]["maximum"] for chat in chats] == [2, 3]
    keyed = description(True, Limits(Bounds()))["paths"]["/v1/models"]["get"]
    assert keyed["security"] == [{"key": []}]
