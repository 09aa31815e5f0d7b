"""POST /v1/chat/completions, whole and streamed."""

import json
from typing import Any

import pytest
from serving import CITY, CONTEXT, TOOLS, Running

from solarmini.engine.interface import GenerationSettings
from solarmini.engine.llama import LlamaEngine


@pytest.fixture(scope="module")
def raw(served_model: Any) -> Any:
    with LlamaEngine(served_model, threads=1, warm_up=False) as engine:
        yield engine


def joined(events: list[Any], index: int = 0) -> str:
    choices = [c for event in events if event != "[DONE]" for c in event["choices"]]
    return "".join(c["delta"].get("content") or "" for c in choices if c["index"] == index)


def test_an_answer_is_the_engines(api: Running, raw: LlamaEngine) -> None:
    turns = [{"role": "user", "content": "The quick brown fox"}]
    expected = raw.generate(turns, GenerationSettings(max_tokens=24))
    text = expected.text()
    answer = api.chat(max_tokens=24).json
    assert answer["choices"][0]["message"] == {
        "role": "assistant", "content": text, "refusal": None
    }  # fmt: skip
    assert answer["choices"][0]["finish_reason"] == expected.finish_reason
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "solar-mini"
    usage = answer["usage"]
    assert usage["prompt_tokens"] == expected.prompt_tokens
    assert usage["completion_tokens"] == expected.completion_tokens
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_stream_says_the_same_role_first_usage_last(api: Running) -> None:
    whole = api.chat(max_tokens=24).json
    events = api.chat(max_tokens=24, stream=True, stream_options={"include_usage": True}).events
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert joined(events) == whole["choices"][0]["message"]["content"]
    assert events[-1] == "[DONE]"
    assert events[-2]["choices"] == []
    counted = ("prompt_tokens", "completion_tokens", "total_tokens")
    assert {k: events[-2]["usage"][k] for k in counted} == {k: whole["usage"][k] for k in counted}
    assert events[-3]["choices"][0]["delta"] == {}
    assert events[-3]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert all(event["usage"] is None for event in events[:-2])
    assert len({event["id"] for event in events[:-1]}) == 1


def test_a_stream_has_no_usage_unless_asked(api: Running) -> None:
    events = api.chat(stream=True).events
    assert all("usage" not in event for event in events[:-1])
    assert all(event["choices"] for event in events[:-1])


def test_several_answers_differ_and_a_seed_repeats_them(api: Running) -> None:
    asked = {"n": 3, "seed": 7, "temperature": 1.5, "max_tokens": 12}
    first, again = api.chat(**asked).json, api.chat(**asked).json
    texts = [choice["message"]["content"] for choice in first["choices"]]
    assert [choice["index"] for choice in first["choices"]] == [0, 1, 2]
    assert len(set(texts)) == 3
    assert texts == [choice["message"]["content"] for choice in again["choices"]]
    assert 3 <= first["usage"]["completion_tokens"] <= 36
    streamed = api.chat(**asked, stream=True).events
    assert [joined(streamed, index) for index in range(3)] == texts


def test_a_stop_string_ends_the_answer_and_is_left_out(api: Running) -> None:
    text = api.chat(max_tokens=24).json["choices"][0]["message"]["content"]
    stop = next(letter for letter in text if letter.isascii() and letter != text[0])
    for stated in (stop, [stop, "never seen"]):
        choice = api.chat(max_tokens=24, stop=stated).json["choices"][0]
        assert choice["message"]["content"] == text[: text.index(stop)]
        assert choice["finish_reason"] == "stop"
    events = api.chat(max_tokens=24, stop=stop, stream=True).events
    assert joined(events) == text[: text.index(stop)]


def test_logprobs(api: Running) -> None:
    choice = api.chat(logprobs=True, top_logprobs=3, max_tokens=6).json["choices"][0]
    entries = choice["logprobs"]["content"]
    assert 1 <= len(entries) <= 6
    for entry in entries:
        assert entry["logprob"] < 0
        assert bytes(entry["bytes"]).decode("utf-8", "replace") == entry["token"]
        tops = entry["top_logprobs"]
        assert len(tops) == 3
        assert tops[0]["logprob"] == max(top["logprob"] for top in tops)
        assert tops[0]["token"] == entry["token"]  # greedy
    events = api.chat(logprobs=True, top_logprobs=3, max_tokens=6, stream=True).events
    streamed = [
        entry
        for event in events[:-1]
        if (scores := event["choices"][0]["logprobs"])
        for entry in scores["content"]
    ]
    assert streamed == entries
    assert api.chat().json["choices"][0]["logprobs"] is None


@pytest.mark.parametrize("choice", ["required", {"function": {"name": "population"}}])
@pytest.mark.parametrize("stream", [False, True])
def test_a_demanded_call_is_made(api: Running, choice: Any, stream: bool) -> None:
    asked = {"tools": TOOLS, "tool_choice": choice, "max_tokens": 150, "temperature": 1.0}
    answer = api.chat(**asked, seed=3, stream=stream, parallel_tool_calls=False)
    if stream:
        choices = [event["choices"][0] for event in answer.events[:-1]]
        calls = [call for c in choices for call in c["delta"].get("tool_calls", [])]
        assert not joined(answer.events)
        assert {call["index"] for call in calls} == {0}
        assert len(calls) > 3
        pieces = [call["function"]["arguments"] for call in calls]
        assert all("id" not in call and "name" not in call["function"] for call in calls[1:])
        calls[0]["function"]["arguments"] = "".join(pieces)
        reason = choices[-1]["finish_reason"]
    else:
        message = answer.json["choices"][0]["message"]
        calls, reason = message["tool_calls"], answer.json["choices"][0]["finish_reason"]
        assert message["content"] is None
    assert reason == "tool_calls"
    assert calls[0]["type"] == "function"
    assert calls[0]["id"]
    assert json.loads(calls[0]["function"]["arguments"])["city"] in ("Seoul", "Busan")
    assert calls[0]["function"]["name"] in ("weather", "population")
    if choice != "required":
        assert calls[0]["function"]["name"] == "population"


@pytest.mark.parametrize("stream", [False, True])
def test_functions_beside_a_form(api: Running, stream: bool) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
    asked = {"tools": TOOLS, "response_format": form, "max_tokens": 150, "temperature": 1.0}
    seen = set()
    for seed in range(12):
        answer = api.chat(**asked, seed=seed, stream=stream)
        if stream:
            deltas = [event["choices"][0]["delta"] for event in answer.events[:-1]]
            calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
            made = "".join(call["function"]["arguments"] for call in calls)
            text = joined(answer.events)
        else:
            message = answer.json["choices"][0]["message"]
            made = "".join(c["function"]["arguments"] for c in message.get("tool_calls") or [])
            text = message["content"] or ""
        assert bool(text) != bool(made)
        if text:
            assert json.loads(text)["city"] in ("Seoul", "Busan")
        seen.add(bool(text))
    assert seen == {True, False}


def test_words_stream_though_functions_are_offered(api: Running) -> None:
    asked = {"tools": TOOLS, "max_tokens": 12, "temperature": 1.0}
    for seed in range(6):
        choice = api.chat(**asked, seed=seed).json["choices"][0]
        events = api.chat(**asked, seed=seed, stream=True).events
        if choice["message"].get("tool_calls") is None:
            assert joined(events) == choice["message"]["content"]
            return
    pytest.fail("never words")


def test_the_old_functions_work(api: Running) -> None:
    functions = [tool["function"] for tool in TOOLS]
    asked = {"functions": functions, "function_call": {"name": "weather"}, "max_tokens": 150}
    choice = api.chat(**asked, temperature=1.0, seed=1).json["choices"][0]
    assert choice["message"]["function_call"]["name"] == "weather"
    assert choice["finish_reason"] == "function_call"


def test_a_tools_result_is_understood(api: Running) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    turns = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]
    assert api.chat(messages=turns, tools=TOOLS[:1], max_tokens=4).status == 200


def test_json_follows_the_schema(api: Running) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
    for stream in (False, True):
        answer = api.chat(response_format=form, max_tokens=80, temperature=1.0, stream=stream)
        text = joined(answer.events) if stream else answer.json["choices"][0]["message"]["content"]
        assert json.loads(text)["city"] in ("Seoul", "Busan")


def test_parts_of_text_and_a_developers_message(api: Running) -> None:
    parts = [{"type": "text", "text": "The quick "}, {"type": "text", "text": "brown fox"}]
    whole = api.chat().json["choices"][0]["message"]
    assert api.chat(messages=[{"role": "user", "content": parts}]).json["choices"][0][
        "message"
    ] == whole  # fmt: skip
    turns = [{"role": "developer", "content": "Be kind."}, {"role": "user", "content": "fox"}]
    told = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "fox"}]
    assert api.chat(messages=turns).json["choices"] == api.chat(messages=told).json["choices"]


def test_the_same_under_upstages_address(api: Running) -> None:
    body = {"model": "solar-1-mini-chat", "temperature": 0, "max_tokens": 8}
    body["messages"] = [{"role": "user", "content": "The quick brown fox"}]
    answer = api.post("/v1/solar/chat/completions", body).json
    assert answer["choices"] == api.chat().json["choices"]


def test_a_translation_is_asked_for(api: Running) -> None:
    plain = api.chat().json["usage"]["prompt_tokens"]
    for name in ("solar-1-mini-translate-enko", "translation-koen"):
        answer = api.chat(model=name)
        assert answer.status == 200
        assert answer.json["usage"]["prompt_tokens"] > plain


def test_a_context_that_overflows_is_refused_with_both_counts(api: Running) -> None:
    for extra in ({"text": "fox " * 1000}, {"max_tokens": 5000}):
        for stream in (False, True):
            answer = api.chat(**extra, stream=stream)
            assert answer.status == 400
            assert answer.error["code"] == "context_length_exceeded"
            assert f"maximum context length is {CONTEXT} tokens" in answer.error["message"]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 1000}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0"),
        ({"stop": ""}, "stop"),
        ({"logit_bias": {"fox": 1}}, "logit_bias"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
        ({"tools": TOOLS, "tool_choice": {"function": {"name": "no"}}}, "tools"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"model": None}, "model"),
    ],
)
def test_what_is_wrong_is_named(api: Running, change: dict[str, Any], param: str) -> None:
    answer = api.chat(**change)
    assert answer.status == 400
    assert answer.error["code"] == "invalid_request_body"
    assert answer.error["param"] == param


def test_an_impossible_schema_is_refused(api: Running) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    answer = api.chat(response_format=form)
    assert answer.status == 400
    assert answer.error["code"] == "invalid_request_body"


def test_unknown_fields_and_nulls_are_ignored(api: Running) -> None:
    more = {"store": True, "metadata": {"a": 1}, "top_p": None, "tools": None, "stop": None}
    assert api.chat(**more).json["choices"] == api.chat().json["choices"]


def test_an_unknown_model_is_404(api: Running) -> None:
    answer = api.chat(model="gpt-17")
    assert answer.status == 404
    assert answer.error["code"] == "model_not_found"
    assert "gpt-17" in answer.error["message"]
