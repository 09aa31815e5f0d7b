"""openai, 1.0 to 3.x: everything that the client can ask of us."""

import json
from types import SimpleNamespace

import openai
from checks import BASE, KEY, check, run

client = openai.OpenAI(base_url=f"{BASE}/v1", api_key=KEY, max_retries=0, timeout=120)
OLD = openai.__version__.startswith("1.0.")
ASKED = [{"role": "user", "content": "Name one city in Korea."}]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Seoul", "Busan"]}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": CITY}}
CHAT = {"model": "solar-mini", "messages": ASKED, "max_tokens": 12, "temperature": 0}


@check
def chat():
    made = client.chat.completions.create(**CHAT)
    assert made.choices[0].message.content
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens


@check
def stream():
    whole = client.chat.completions.create(**CHAT).choices[0].message.content
    chunks = list(client.chat.completions.create(**CHAT, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")


@check
def stream_usage():
    extra = {"stream_options": {"include_usage": True}}
    chunks = list(client.chat.completions.create(**CHAT, stream=True, extra_body=extra))
    assert chunks[-1].choices == []
    usage = chunks[-1].usage
    assert (usage["completion_tokens"] if isinstance(usage, dict) else usage.completion_tokens) > 0


@check
def several():
    made = client.chat.completions.create(**{**CHAT, "temperature": 1.2}, n=2)
    assert [choice.index for choice in made.choices] == [0, 1]


@check
def function():
    made = client.chat.completions.create(
        **{**CHAT, "max_tokens": 60},
        functions=[TOOL["function"]],
        function_call={"name": "weather"},
    )
    call = made.choices[0].message.function_call
    assert made.choices[0].finish_reason == "function_call"
    assert json.loads(call.arguments)["city"] in ("Seoul", "Busan")


@check
def demanded_tool():
    if OLD:  # knew functions only
        return
    made = client.chat.completions.create(
        **{**CHAT, "max_tokens": 60}, tools=[TOOL], tool_choice="required"
    )
    call = made.choices[0].message.tool_calls[0]
    assert call.function.name == "weather"
    assert json.loads(call.function.arguments)["city"] in ("Seoul", "Busan")
    again = [
        *ASKED,
        made.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    after = client.chat.completions.create(**{**CHAT, "messages": again}, tools=[TOOL])
    assert after.choices[0].finish_reason


@check
def streamed_tool():
    if OLD:
        return
    named = {"type": "function", "function": {"name": "weather"}}
    stream = client.chat.completions.create(
        **{**CHAT, "max_tokens": 60}, tools=[TOOL], tool_choice=named, stream=True
    )
    parts = [p for c in stream for p in (c.choices[0].delta.tool_calls or [])]
    text = "".join(part.function.arguments or "" for part in parts)
    assert json.loads(text)["city"] in ("Seoul", "Busan")


@check
def schema():
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY, "strict": True}}
    more = {"response_format": form}
    made = client.chat.completions.create(**{**CHAT, "max_tokens": 40}, extra_body=more)
    assert json.loads(made.choices[0].message.content)["city"] in ("Seoul", "Busan")


@check
def logprobs():
    made = client.chat.completions.create(**CHAT, extra_body={"logprobs": True, "top_logprobs": 2})
    scores = made.choices[0].logprobs
    content = scores["content"] if isinstance(scores, dict) else scores.content
    assert content


@check
def parsed_model():
    if OLD or not hasattr(client.chat.completions, "parse"):
        return
    from typing import Literal

    from pydantic import BaseModel

    class City(BaseModel):
        city: Literal["Seoul", "Busan"]

    made = client.chat.completions.parse(**{**CHAT, "max_tokens": 40}, response_format=City)
    assert made.choices[0].message.parsed.city in ("Seoul", "Busan")


@check
def completion():
    made = client.completions.create(model="solar-mini", prompt="Seoul is", max_tokens=4)
    assert made.usage.completion_tokens <= 4


@check
def embeddings():
    made = client.embeddings.create(model="embedding-passage", input=["Seoul", "Busan"])
    plain = client.embeddings.create(
        model="embedding-passage", input=["Seoul"], encoding_format="float"
    )
    assert len(made.data) == 2
    pairs = zip(made.data[0].embedding, plain.data[0].embedding, strict=True)
    assert max(abs(a - b) for a, b in pairs) < 1e-5


@check
def models():
    assert "solar-mini" in [model.id for model in client.models.list()]
    assert client.models.retrieve("solar-mini").id == "solar-mini"


def refused(other, change, kind):
    try:
        other.chat.completions.create(**{**CHAT, **change})
    except kind as error:
        if OLD:  # kept the body as it was
            return SimpleNamespace(**error.response.json()["error"])
        return error
    raise AssertionError(f"{change} was accepted")


@check
def errors():
    assert refused(client, {"model": "gpt-17"}, openai.NotFoundError).code == "model_not_found"
    wrong = refused(client, {"temperature": 9}, openai.BadRequestError)
    assert (wrong.code, wrong.param) == ("invalid_request_body", "temperature")
    long = refused(client, {"max_tokens": 10**6}, openai.BadRequestError)
    assert long.code == "context_length_exceeded"
    stranger = openai.OpenAI(base_url=f"{BASE}/v1", api_key="sk-wrong-key", max_retries=0)
    unknown = refused(stranger, {}, openai.AuthenticationError)
    assert unknown.code == "invalid_api_key"
    assert "sk-wrong-key" not in str(unknown)


@check
async def asynchronous():
    async with openai.AsyncOpenAI(base_url=f"{BASE}/v1", api_key=KEY) as other:
        stream = await other.chat.completions.create(**CHAT, stream=True)
        parts = [c.choices[0].delta.content or "" async for c in stream]
    assert "".join(parts)


run()
