"""Any JSON at all: an answer or a refusal in the known form, never a fault of ours."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import Running

from solarmini.server.call_stream import calls_in
from solarmini.server.documents import listed
from solarmini.server.gate import Gate
from solarmini.server.metrics import Counter, Histogram
from solarmini.server.respond import string

FIELDS = [
    "model", "messages", "temperature", "top_p", "n", "stream", "stream_options", "stop", "seed",
    "max_tokens", "logprobs", "top_logprobs", "tools", "tool_choice", "response_format", "prompt",
    "logit_bias", "input", "encoding_format", "echo", "functions", "function_call", "query",
    "documents", "context", "answer",
]  # fmt: skip
scalars = st.none() | st.booleans() | st.integers(-5, 20) | st.floats(-3, 3) | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
message = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool", "x"])},
    optional={"content": st.text(max_size=20) | values, "tool_calls": values},
)
plausible = st.fixed_dictionaries(
    {"model": st.sampled_from(["solar-mini", "tiny", "embedding-query", "groundedness-check"])},
    optional={
        **{field: values for field in FIELDS if field not in ("model", "messages", "max_tokens")},
        "messages": st.lists(message, max_size=3) | values,
        "max_tokens": st.integers(1, 4),
        "tools": st.lists(st.fixed_dictionaries({"function": values}), max_size=2) | values,
        "response_format": st.fixed_dictionaries(
            {"type": st.sampled_from(["text", "json_object", "json_schema"])},
            optional={"json_schema": st.fixed_dictionaries({"schema": values}) | values},
        ),
    },
)
PATHS = [
    "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/search", "/v1/rerank",
    "/v1/groundedness", "/v1/information-extraction",
]  # fmt: skip
KNOWN = {200, 400, 404, 413, 415, 501}


@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PATHS), plausible | values)
def test_any_json(api: Running, path: str, body: Any) -> None:
    if isinstance(body, dict):
        body.setdefault("max_tokens", 2)  # an answer that is asked for need not be long
    answer = api.post(path, json.dumps(body))
    assert answer.status in KNOWN, (path, body, answer.body)
    if answer.status != 200:
        assert answer.error["message"]
    elif answer.headers["content-type"].startswith("text/event-stream"):
        assert answer.events[-1] == "[DONE]" or "error" in answer.events[-1]
    else:
        assert answer.json


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    st.binary(max_size=200),
    st.sampled_from(["application/json", "multipart/form-data; boundary=x"]),
)
def test_any_bytes(api: Running, data: bytes, kind: str) -> None:
    for path in ("/v1/chat/completions", "/v1/document-digitization"):
        answer = api.request("POST", path, data, {"Content-Type": kind})
        assert answer.status in (400, 415)
        assert answer.error["code"]


@given(st.text())
def test_a_text_in_an_event_is_one_line_of_json(text: str) -> None:
    written = string(text)
    assert json.loads(written) == text
    assert len(written.splitlines()) == 1


@given(st.text(max_size=60))
def test_lists_and_calls_never_fail(text: str) -> None:
    assert all(isinstance(name, str) for name in listed(text))
    for cut in (text, '{"name": "a", "arguments": ' + text, '[{"name": "' + text):
        calls, _ = calls_in(cut)
        assert all(call.name is not None for call in calls)


@given(st.lists(st.floats(0, 1000), max_size=30))
def test_a_histogram_holds_every_value(seconds: list[float]) -> None:
    histogram = Histogram("h", "x")
    for value in seconds:
        histogram.observe(value, route="a")
    found = {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1] for line in histogram.lines()}
    if seconds:
        assert int(found['h_bucket{route="a",le="+Inf"}']) == len(seconds)
        assert int(found['h_bucket{route="a",le="1"}']) == sum(value <= 1 for value in seconds)
        assert int(found['h_count{route="a"}']) == len(seconds)


def test_a_label_is_escaped() -> None:
    counter = Counter("c", "x")
    counter.add(2, path='a"b\\c\n')
    assert counter.lines() == ['c{path="a\\"b\\\\c\\n"} 2']


async def _crowd(cancelled: list[bool]) -> int:
    import asyncio

    gate = Gate(2, 100)
    served = 0

    async def one() -> None:
        nonlocal served
        await gate.acquire()
        try:
            await asyncio.sleep(0)
            served += 1
        finally:
            gate.release()

    tasks = [asyncio.create_task(one()) for _ in cancelled]
    await asyncio.sleep(0)
    for task, leave in zip(tasks, cancelled, strict=True):
        if leave:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gate.busy == 0
    assert gate.waiting == 0
    return served


@given(st.lists(st.booleans(), max_size=12))
def test_no_slot_is_lost_when_some_leave(cancelled: list[bool]) -> None:
    import asyncio

    # those that had a slot when they were told to leave may have been served or not
    assert asyncio.run(_crowd(cancelled)) >= cancelled.count(False)
