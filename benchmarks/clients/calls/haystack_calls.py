"""haystack: chat generator, streams, tools, embedders."""

from checks import BASE, KEY, check, run
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage, Document
from haystack.tools import Tool
from haystack.utils import Secret

KEYED = {"api_key": Secret.from_token(KEY), "api_base_url": f"{BASE}/v1"}
ASKED = [ChatMessage.from_user("Name one city in Korea.")]
SETTINGS = {"max_tokens": 16, "temperature": 0}


def generator(**more):
    settings = {**SETTINGS, **more.pop("settings", {})}
    return OpenAIChatGenerator(model="solar-mini", generation_kwargs=settings, **KEYED, **more)


@check
def chat():
    reply = generator().run(ASKED)["replies"][0]
    assert reply.text
    assert reply.meta["usage"]["total_tokens"] > 0


@check
def stream():
    parts = []
    reply = generator(streaming_callback=lambda chunk: parts.append(chunk.content)).run(ASKED)
    assert "".join(parts) == reply["replies"][0].text == generator().run(ASKED)["replies"][0].text


@check
def tools():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    weather = Tool("weather", "Weather of a city.", schema, str.upper)
    asked = generator(settings={"max_tokens": 60, "tool_choice": "required"}, tools=[weather])
    assert asked.run(ASKED)["replies"][0].tool_calls[0].tool_name == "weather"


@check
def embeddings():
    query = OpenAITextEmbedder(model="embedding-query", **KEYED).run("Seoul")["embedding"]
    found = OpenAIDocumentEmbedder(model="embedding-passage", **KEYED).run([Document(content="a")])
    assert len(found["documents"][0].embedding) == len(query)


run()
