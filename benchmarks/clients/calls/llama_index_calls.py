"""llama-index's Upstage model and embeddings."""

import os

from checks import BASE, KEY, check, run

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


run()
