"""langchain-upstage 0.1 to 0.7: chat, tools, embeddings, tokens, groundedness, documents."""

import os

from checks import BASE, KEY, PDF, check, run

os.environ["UPSTAGE_API_BASE"] = f"{BASE}/v1/solar"
os.environ["UPSTAGE_API_KEY"] = KEY
os.environ["HF_ENDPOINT"] = BASE  # read when the hub's client is imported
os.environ.pop("HF_HUB_OFFLINE", None)

import langchain_upstage
from langchain_upstage import ChatUpstage, UpstageEmbeddings

KEYED = {"api_key": KEY, "base_url": f"{BASE}/v1/solar"}
chat = ChatUpstage(**KEYED, max_tokens=16, temperature=0)


@check
def invoke():
    answer = chat.invoke("Name one city in Korea.")
    assert answer.content
    assert answer.response_metadata["token_usage"]["total_tokens"] > 0


@check
def stream():
    parts = [part.content for part in chat.stream("Name one city in Korea.")]
    assert "".join(parts) == chat.invoke("Name one city in Korea.").content


@check
def batch():
    assert len(chat.batch(["Hello", "Bye"])) == 2


@check
async def asynchronous():
    assert (await chat.ainvoke("Hello")).content
    assert [part async for part in chat.astream("Hello")]


@check
def tools():
    from langchain_core.tools import tool

    @tool
    def weather(city: str) -> str:
        """Weather of a city."""
        return f"sunny in {city}"

    bound = chat.bind_tools([weather], tool_choice="weather")
    answer = bound.bind(max_tokens=60).invoke("Weather in Seoul?")
    assert answer.tool_calls[0]["name"] == "weather"
    assert set(answer.tool_calls[0]["args"]) == {"city"}


@check
def structured():
    from pydantic import BaseModel

    class City(BaseModel):
        """A city."""

        name: str

    if not hasattr(chat, "with_structured_output"):
        return
    made = ChatUpstage(**KEYED, max_tokens=120, temperature=0).with_structured_output(City)
    answer = made.invoke("Name one city in Korea.")
    assert isinstance(answer, City)


@check
def embeddings():
    made = UpstageEmbeddings(**KEYED, model="solar-embedding-1-large")
    assert len(made.embed_query("Seoul")) == len(made.embed_documents(["a", "b"])[1])


@check
def tokens():
    if not hasattr(chat, "_get_tokenizer"):
        return
    assert chat.get_num_tokens("Hello, world") > 0


@check
def groundedness():
    kind = getattr(langchain_upstage, "UpstageGroundednessCheck", None)
    if kind is None:
        return
    asked = {"context": "Seoul is the capital of Korea.", "answer": "Seoul is the capital."}
    tool = kind(api_key=KEY)
    name = tool.api_wrapper.model_name
    tool.api_wrapper = ChatUpstage(**KEYED, model=name)  # 0.1 knows no other way to say where
    assert tool.invoke(asked) in ("grounded", "notGrounded", "notSure")


@check
def document():
    if hasattr(langchain_upstage, "UpstageDocumentParseLoader"):
        for split in ("none", "page", "element"):
            found = langchain_upstage.UpstageDocumentParseLoader(
                PDF, api_key=KEY, split=split, base_url=f"{BASE}/v1/document-digitization"
            ).load()
            assert found
            assert found[0].page_content
        return
    from langchain_upstage import UpstageLayoutAnalysisLoader, layout_analysis_parsers

    layout_analysis_parsers.LAYOUT_ANALYSIS_URL = f"{BASE}/v1/document-ai/layout-analysis"
    found = UpstageLayoutAnalysisLoader(PDF, api_key=KEY, split="element").load()
    assert found[0].metadata["bounding_box"]


run()
