"""POST /v1/embeddings."""

import base64
from typing import Any

import numpy as np
import pytest
from serving import Running

from solarmini.engine.llama import LlamaEngine
from solarmini.rag.embed.interface import open_embedder


def embed(api: Running, model: str, text: Any, **rest: Any) -> Any:
    return api.post("/v1/embeddings", {"model": model, "input": text, **rest})


def vectors(answer: Any) -> np.ndarray:
    return np.asarray([entry["embedding"] for entry in answer.json["data"]])


def test_the_models_own_vectors(api: Running, served_model: Any) -> None:
    texts = ["The quick brown fox", "하나의 모델"]
    answer = embed(api, "tiny", texts)
    with LlamaEngine(served_model, threads=1, warm_up=False) as engine:
        expected = np.asarray(engine.embed(texts))
        count = sum(len(engine.encode(text)) for text in texts)
    np.testing.assert_allclose(vectors(answer), expected, atol=1e-5)
    assert answer.json["usage"] == {"prompt_tokens": count, "total_tokens": count}
    assert [entry["index"] for entry in answer.json["data"]] == [0, 1]


@pytest.mark.parametrize("end", ["query", "passage"])
def test_questions_and_passages_as_search_sees_them(api: Running, end: str) -> None:
    embedder = open_embedder()
    assert embedder is not None
    text = "Where is Seoul?"
    expected = embedder.query(text) if end == "query" else embedder.passages([text])[0]
    for name in (f"embedding-{end}", f"solar-embedding-1-large-{end}"):
        found = vectors(embed(api, name, text))
        np.testing.assert_allclose(found[0], expected, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_base64_is_the_same_numbers(api: Running) -> None:
    plain = vectors(embed(api, "embedding-query", "fox"))[0]
    packed = embed(api, "embedding-query", "fox", encoding_format="base64")
    raw = base64.b64decode(packed.json["data"][0]["embedding"])
    np.testing.assert_allclose(np.frombuffer(raw, "<f4"), plain, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "param", "status"),
    [
        ({"input": []}, "input", 400),
        ({"input": ""}, "input", 400),
        ({"input": ["a", ""]}, "input", 400),
        ({"input": [1, 2]}, "input", 400),
        ({"input": ["a"] * 1000}, "input", 400),
        ({"input": None}, "input", 400),
        ({"dimensions": 7}, "dimensions", 400),
        ({"encoding_format": "hex"}, "encoding_format", 400),
        ({"model": "none"}, "model", 404),
    ],
)
def test_what_is_wrong_is_named(
    api: Running, change: dict[str, Any], param: str, status: int
) -> None:
    answer = api.post("/v1/embeddings", {"model": "embedding-query", "input": "a", **change})
    assert answer.status == status
    assert answer.error["param"].split(".")[0] == param


def test_a_text_beyond_the_context_is_refused(api: Running) -> None:
    answer = embed(api, "tiny", "fox " * 2000)
    assert answer.error["code"] == "context_length_exceeded"
