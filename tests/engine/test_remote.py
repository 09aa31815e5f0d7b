"""The remote engine against a real server: llama.cpp's own, with the tiny model behind it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from solarmini.engine.interface import ContextLengthError, GenerationSettings, UnsupportedError
from solarmini.engine.llama import LlamaEngine
from solarmini.engine.remote import RemoteEngine
from solarmini.errors import EngineError

TALK = [{"role": "user", "content": "The quick brown fox"}]


@pytest.fixture(scope="module")
def url(gguf: Path) -> Iterator[str]:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.n_ctx, params.n_parallel, params.n_gpu_layers = 256, 1, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, ["key"]
    params.warmup, params.ui, params.fit_params, params.verbosity = False, False, False, 0
    params.model_alias = {"tiny"}
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture(scope="module")
def remote(url: str) -> RemoteEngine:
    return RemoteEngine(url, api_key="key")


def test_answers_equal_the_engine_in_process(remote: RemoteEngine, llama: LlamaEngine) -> None:
    settings = GenerationSettings(max_tokens=12, top_k=1)
    mine = remote.generate("The quick brown", settings)
    theirs = llama.generate("The quick brown", settings)
    assert mine.text() == theirs.text()
    assert mine.prompt_tokens == theirs.prompt_tokens
    assert mine.completion_tokens == theirs.completion_tokens
    assert mine.finish_reason == theirs.finish_reason
    talk = remote.generate(TALK, settings)
    assert talk.text() == llama.generate(TALK, settings).text()
    ids = llama.encode("The quick brown")
    assert remote.generate(ids, settings).text() == theirs.text() or ids
    assert remote.tokenize("The fox 한국") == llama.tokenize("The fox 한국")


def test_logprobs_and_schema(remote: RemoteEngine) -> None:
    settings = GenerationSettings(max_tokens=4, logprobs=2)
    tokens = [t for event in remote.generate(TALK, settings).events() for t in event.tokens]
    assert tokens
    assert all(len(token.top) == 2 and token.score.logprob <= 0 for token in tokens)
    schema: dict[str, Any] = {"enum": ["fox", "dog"]}
    for prompt in (TALK, "The"):
        settings = GenerationSettings(max_tokens=60, json_schema=schema)
        assert remote.generate(prompt, settings).text().strip() in ('"fox"', '"dog"')


def test_cancel(remote: RemoteEngine) -> None:
    generation = remote.generate("The", GenerationSettings(max_tokens=150, ignore_end=True))
    next(generation)
    generation.cancel()
    list(generation)
    assert generation.finish_reason == "cancelled"


def test_refusals(remote: RemoteEngine, url: str) -> None:
    with pytest.raises(EngineError, match="401"):
        RemoteEngine(url, api_key="wrong").generate("x").text()
    with pytest.raises(EngineError, match="no model"):
        RemoteEngine(f"{url}#other", api_key="key")
    with pytest.raises(EngineError, match="does not answer"):
        RemoteEngine("http://127.0.0.1:9/v1")
    with pytest.raises(EngineError, match="not a URL"):
        RemoteEngine("127.0.0.1:8000")
    with pytest.raises(UnsupportedError):
        remote.generate("x", GenerationSettings(grammar="start: /x/"))
    with pytest.raises(UnsupportedError):
        assert remote.chat
    with pytest.raises(UnsupportedError):
        remote.trace([1, 2], [3])
    with pytest.raises((ContextLengthError, EngineError)):
        remote.generate("fox " * 400).text()
