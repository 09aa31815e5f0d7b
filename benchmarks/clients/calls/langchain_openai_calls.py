"""langchain-openai: chat, streams, tools, schemas, embeddings."""

from checks import BASE, KEY, check, run
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

chat = ChatOpenAI(
    base_url=f"{BASE}/v1", api_key=KEY, model="solar-mini", max_tokens=16, temperature=0
)


class City(BaseModel):
    """A city."""

    name: str


@tool
def weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


@check
def invoke():
    answer = chat.invoke("Name one city in Korea.")
    assert answer.content
    assert answer.usage_metadata["total_tokens"] > 0


@check
def stream():
    chunks = list(chat.stream("Name one city in Korea.", stream_usage=True))
    text = "".join(chunk.content for chunk in chunks)
    assert text == chat.invoke("Name one city in Korea.").content
    assert any(chunk.usage_metadata for chunk in chunks)


@check
def tools():
    for choice in ("required", "weather"):
        bound = chat.bind_tools([weather], tool_choice=choice).bind(max_tokens=60)
        assert bound.invoke("Weather in Seoul?").tool_calls[0]["name"] == "weather"


@check
def schemas():
    for method in ("json_schema", "function_calling"):
        longer = ChatOpenAI(
            base_url=f"{BASE}/v1", api_key=KEY, model="solar-mini", max_tokens=80, temperature=0
        )
        found = longer.with_structured_output(City, method=method).invoke("Name one city in Korea.")
        assert isinstance(found, City)


@check
def embeddings():
    made = OpenAIEmbeddings(
        base_url=f"{BASE}/v1",
        api_key=KEY,
        model="embedding-passage",
        check_embedding_ctx_length=False,
    )
    assert len(made.embed_documents(["a", "b"])) == 2


@check
async def asynchronous():
    assert [part async for part in chat.astream("Hello")]


run()
