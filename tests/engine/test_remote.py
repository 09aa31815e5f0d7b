"""The remote engine against a real server: llama.cpp's own, with the tiny model behind it."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from solarmini.engine.interface import ContextLengthError, GenerationSettings, UnsupportedError
from solarmini.engine.llama import LlamaEngine
from solarmini.engine.remote import RemoteEngine
from solarmini.errors import EngineError
from solarmini.server.errors import of_solar
from solarmini.server.wire import pack_error, unpack_error

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


def read_request(connection: socket.socket) -> None:
    """Read all of a request: the head and the body may come one by one."""
    with connection.makefile("rb") as lines:
        length = 0
        while (line := lines.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        lines.read(length)


class Scripted:
    """A server that says what it is told to, for what no real one does when asked."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.left = threading.Event()

    def answer(self, body: str, *, stay: bool = False, status: str = "200 OK") -> None:
        """Answer one request; `stay` until the client leaves."""
        connection, _ = self.listener.accept()
        with connection:
            read_request(connection)
            kind = f"HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n"
            data = body.encode()
            connection.sendall(kind.encode() + f"{len(data):x}\r\n".encode() + data + b"\r\n")
            if stay:
                with contextlib.suppress(OSError):
                    connection.recv(1)
                self.left.set()
                return
            connection.sendall(b"0\r\n\r\n")


@pytest.fixture
def scripted() -> Iterator[tuple[Scripted, RemoteEngine]]:
    server = Scripted()
    listing = '{"data": [{"id": "tiny", "context_length": 256}]}'
    threading.Thread(target=server.answer, args=(listing,)).start()
    yield server, RemoteEngine(server.url)
    server.listener.close()


def event(**choice: Any) -> str:
    return f"data: {json.dumps({'choices': [choice]})}\n\n"


def test_cancel_does_not_wait_for_the_next_token(scripted: tuple[Scripted, RemoteEngine]) -> None:
    server, remote = scripted
    assert remote.context_length == 256
    said = event(delta={"content": "fox"})
    threading.Thread(target=server.answer, args=(said,), kwargs={"stay": True}).start()
    generation = remote.generate(TALK)
    assert next(generation) == "fox"
    threading.Timer(0.1, generation.cancel).start()
    assert list(generation) == []
    assert generation.finish_reason == "cancelled"
    assert server.left.wait(10)


def test_an_answer_that_breaks_off_is_an_error(scripted: tuple[Scripted, RemoteEngine]) -> None:
    server, remote = scripted
    threading.Thread(target=server.answer, args=(event(delta={"content": "fox"}),)).start()
    with pytest.raises(EngineError, match="broke off"):
        remote.generate(TALK).text()


def test_log_probabilities_of_the_old_form(scripted: tuple[Scripted, RemoteEngine]) -> None:
    server, remote = scripted
    scores = {
        "tokens": ["fox", " é"],
        "token_logprobs": [-0.5, -0.25],
        "top_logprobs": [{"fox": -0.5, "dog": -2.0}, None],
    }
    said = event(text="fox é", logprobs=scores, finish_reason="stop") + "data: [DONE]\n\n"
    threading.Thread(target=server.answer, args=(said,)).start()
    made = remote.generate("The", GenerationSettings(logprobs=2))
    first, second = (token for event in made.events() for token in event.tokens)
    assert (first.score.text, first.score.logprob) == ("fox", -0.5)
    assert [(top.text, top.logprob) for top in first.top] == [("fox", -0.5), ("dog", -2.0)]
    assert (second.score.raw, second.top) == (" é".encode(), ())


def test_what_the_server_refuses_is_known_at_once(scripted: tuple[Scripted, RemoteEngine]) -> None:
    server, remote = scripted
    said = '{"error": {"message": "maximum context length is 256", "code": 400}}'
    thread = threading.Thread(
        target=server.answer, args=(said,), kwargs={"status": "400 Bad Request"}
    )
    thread.start()
    with pytest.raises(ContextLengthError, match="256") as refused:
        remote.generate("fox " * 400)
    again = unpack_error(pack_error(refused.value))
    answer = of_solar(again)
    assert (answer.status, answer.code) == (400, "context_length_exceeded")
    assert answer.message == "maximum context length is 256"


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
