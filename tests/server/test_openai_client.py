"""OpenAI's own client, unmodified."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from serving import CITY, TOOLS, Running

openai = pytest.importorskip("openai")
ASKED = [{"role": "user", "content": "The quick brown fox"}]


@pytest.fixture(scope="module")
def client(api: Running) -> Iterator[openai.OpenAI]:
    url = f"http://127.0.0.1:{api.port}/v1"
    with openai.OpenAI(base_url=url, api_key="unused", max_retries=0) as client:
        yield client


def test_chat_whole_and_streamed(client: openai.OpenAI) -> None:
    asked = {"model": "solar-mini", "messages": ASKED, "temperature": 0, "max_tokens": 12}
    whole = client.chat.completions.create(**asked)
    stream = client.chat.completions.create(
        **asked, stream=True, stream_options={"include_usage": True}
    )
    parts, usage = [], None
    for chunk in stream:
        usage = chunk.usage or usage
        parts += [choice.delta.content or "" for choice in chunk.choices]
    assert "".join(parts) == whole.choices[0].message.content
    assert usage is not None
    assert usage.completion_tokens == whole.usage.completion_tokens == 12


def test_functions_and_schemas(client: openai.OpenAI) -> None:
    made = client.chat.completions.create(
        model="solar-mini", messages=ASKED, tools=TOOLS, tool_choice="required", max_tokens=150
    )
    call = made.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments)["city"] in ("Seoul", "Busan")
    form = {"type": "json_schema", "json_schema": {"name": "c", "schema": CITY, "strict": True}}
    made = client.chat.completions.create(
        model="solar-mini", messages=ASKED, response_format=form, max_tokens=80
    )
    assert json.loads(made.choices[0].message.content)["city"] in ("Seoul", "Busan")


def test_the_rest(client: openai.OpenAI) -> None:
    text = client.completions.create(model="tiny", prompt="The quick", max_tokens=4, temperature=0)
    assert text.usage.completion_tokens == 4
    made = client.embeddings.create(model="embedding-query", input=["Seoul", "Busan"])
    assert len(made.data) == 2
    assert len(made.data[0].embedding) == 384
    plain = client.embeddings.create(
        model="embedding-query", input="Seoul", encoding_format="float"
    )
    assert made.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert "solar-mini" in [model.id for model in client.models.list()]
    assert client.models.retrieve("tiny").id == "tiny"


def test_errors_are_the_clients_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-17", messages=ASKED)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as long:
        client.chat.completions.create(
            model="solar-mini", messages=[{"role": "user", "content": "fox " * 2000}]
        )
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError) as wrong:
        client.chat.completions.create(model="solar-mini", messages=ASKED, temperature=1.9, n=99)
    assert wrong.value.param == "n"


def test_many_at_once(api: Running) -> None:
    async def ask() -> list[str]:
        url = f"http://127.0.0.1:{api.port}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key="unused", max_retries=0) as client:

            async def one(seed: int) -> str:
                stream = await client.chat.completions.create(
                    model="solar-mini", messages=ASKED, seed=seed, max_tokens=10, stream=True
                )
                return "".join([c.choices[0].delta.content or "" async for c in stream])

            return list(await asyncio.gather(*(one(seed % 4) for seed in range(16))))

    found = asyncio.run(ask())
    assert len(set(found)) <= 4
    assert found[:4] == found[4:8] == found[8:12]
