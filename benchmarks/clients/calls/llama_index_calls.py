"""llama-index's Upstage model, embeddings and reader of documents."""

import os

from checks import BASE, KEY, PDF, check, run

os.environ["HF_ENDPOINT"] = BASE
os.environ.pop("HF_HUB_OFFLINE", None)

from llama_index.core.llms import ChatMessage
from llama_index.llms.upstage import Upstage

llm = Upstage(
    api_key=KEY, api_base=f"{BASE}/v1/solar", model="solar-mini", max_tokens=16, temperature=0
)
ASKED = [ChatMessage(role="user", content="Name one city in Korea.")]


@check
def chat():
    assert llm.chat(ASKED).message.content


@check
def stream():
    parts = [part.delta or "" for part in llm.stream_chat(ASKED)]
    assert "".join(parts) == llm.chat(ASKED).message.content


@check
def complete():
    assert str(llm.complete("Seoul is"))


@check
async def asynchronous():
    assert (await llm.achat(ASKED)).message.content


@check
def embeddings():
    from llama_index.embeddings.upstage import UpstageEmbedding

    made = UpstageEmbedding(
        api_key=KEY, api_base=f"{BASE}/v1/solar", model="solar-embedding-1-large"
    )
    assert len(made.get_query_embedding("Seoul")) == len(made.get_text_embedding("Seoul"))
    assert len(made.get_text_embedding_batch(["a", "b", "c"])) == 3


def reader(**options):
    from llama_index.readers.upstage import UpstageDocumentParseReader

    url = f"{BASE}/v1/document-ai/document-parse"
    return UpstageDocumentParseReader(api_key=KEY, base_url=url, **options)


@check
def read_whole():
    (document,) = reader(output_format="text").load_data(PDF)
    assert "The lamp burns well." in document.text
    assert document.metadata["total_pages"] == 1


@check
def read_pages():
    (page,) = reader(split="page", output_format="markdown").load_data(PDF)
    assert page.metadata["page"] == 1
    assert "lighthouse" in page.text


@check
def read_elements():
    found = reader(split="element", base64_encoding=["heading1"]).load_data(PDF)
    assert [one.metadata["id"] for one in found] == list(range(len(found)))
    assert all(len(one.metadata["coordinates"]) == 4 for one in found)
    pictured = [one for one in found if "base64_encoding" in one.metadata]
    assert {one.metadata["category"] for one in pictured} <= {"heading1"}


run()
