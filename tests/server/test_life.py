"""Loading, hang-ups, the death of the engine, the end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from serving import Answer, Client, Running, until

from solarmini.engine import pages
from solarmini.errors import SolarError
from solarmini.server.link import _environment
from solarmini.server.run import Server
from solarmini.server.settings import EngineSettings, ServeSettings

ENDLESS = {"max_tokens": 900, "temperature": 1.0, "logit_bias": {"2": -100, "0": -100}}


def open_stream(port: int, **rest: Any) -> tuple[http.client.HTTPConnection, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = {"model": "tiny", "messages": [{"role": "user", "content": "fox"}], **ENDLESS, **rest}
    connection.request("POST", "/v1/chat/completions", json.dumps({**body, "stream": True}))
    return connection, connection.getresponse()


@pytest.mark.parametrize(("size", "asks"), [(2**30, True), (2**30 - 1, False)])
def test_a_large_file_lies_on_huge_pages_from_the_start(
    size: int, asks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a small one it is not worth the memory that the allocator's arenas take more."""
    monkeypatch.setattr(pages, "page_size", lambda: 2**21)
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    path = tmp_path / "model.gguf"
    with path.open("wb") as file:
        file.truncate(size)
    for engine, suits in (("auto", True), ("llama", True), ("transformers", False)):
        settings = EngineSettings(model=str(path), engine=engine)  # ty: ignore
        assert ("GLIBC_TUNABLES" in _environment(settings)) is (asks and suits)


def test_a_client_that_leaves_a_stream_frees_its_slot(api: Running) -> None:
    state = api.server.state
    assert state is not None
    for _ in range(6):  # more than there are slots
        connection, answer = open_stream(api.port)
        assert answer.status == 200
        answer.read(200)
        answer.close()
        connection.close()
    until(lambda: state.gate.busy == 0)
    assert api.chat().status == 200


def test_a_client_that_leaves_while_it_waits_frees_its_place(start) -> None:
    with start(engine={"parallel": 1}) as running:
        state = running.server.state
        first, answer = open_stream(running.port)
        answer.read(100)
        with running.frozen():
            waiting, body = http.client.HTTPConnection("127.0.0.1", running.port), dict(ENDLESS)
            body |= {"model": "tiny", "messages": [{"role": "user", "content": "fox"}]}
            waiting.request("POST", "/v1/chat/completions", json.dumps(body))
            until(lambda: state.gate.waiting == 1)
            waiting.close()
            until(lambda: state.gate.waiting == 0)
        answer.close()
        first.close()
        until(lambda: state.gate.busy == 0)
        assert running.chat().status == 200
        assert 499 in [event["status"] for event in running.events("request")]


def test_while_the_model_loads_it_is_503(start) -> None:
    with start(wait=False) as running:
        answer = running.get("/health")
        asked = running.chat()
        if answer.status == 503:  # it may have been quicker than we
            assert answer.json["status"] == "loading"
            assert "retry-after" in answer.headers
        if asked.status == 503:
            assert asked.error["code"] == "loading"
            assert "retry-after" in asked.headers
        running.wait_until_ready()
        assert running.chat().status == 200


def test_a_dead_engine_is_replaced_and_reported(start) -> None:
    with start() as running:
        state = running.server.state
        connection, stream = open_stream(running.port)
        stream.read(300)
        answers: list[Answer] = []
        other = threading.Thread(target=lambda: answers.append(running.chat(**ENDLESS)))
        with running.frozen():
            other.start()
            until(lambda: state.gate.busy == 2)
            os.kill(state.link.pid, signal.SIGKILL)
        rest = stream.read().decode()
        connection.close()
        other.join()
        assert "engine_restarted" in rest
        assert "[DONE]" not in rest
        assert answers[0].status == 503
        assert answers[0].error["code"] == "engine_restarted"
        running.wait_until_ready()
        assert running.chat().status == 200
        assert running.get("/health").json["engine_restarts"] == 1
        assert "solar_engine_restarts 1" in running.get("/metrics").body.decode()
        died = running.events("engine died")
        assert [event["exit_status"] for event in died] == [-signal.SIGKILL]
        assert state.gate.busy == 0


def test_an_engine_that_obeys_no_more_is_replaced(start) -> None:
    with start(bounds={"answer_seconds": 0.5, "stuck_seconds": 0.5}) as running:
        state = running.server.state
        os.kill(state.link.pid, signal.SIGSTOP)
        answer = running.chat(**ENDLESS)
        assert (answer.status, answer.error["code"]) == (503, "timeout")
        until(lambda: state.link.restarts == 1)
        running.wait_until_ready()
        assert running.chat().status == 200
        assert running.events("engine stuck")
        assert state.gate.busy == 0


def test_a_client_that_does_not_read_is_left(start) -> None:
    with start(bounds={"write_seconds": 0.5}) as running, socket.socket() as client:
        state = running.server.state
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", running.port))
        body = {"model": "tiny", "messages": [{"role": "user", "content": "fox"}], **ENDLESS}
        body |= {"stream": True, "n": 4, "logprobs": True, "top_logprobs": 20}
        sent = json.dumps(body).encode()
        head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        client.sendall(f"{head}Content-Length: {len(sent)}\r\n\r\n".encode() + sent)
        until(lambda: 499 in [event["status"] for event in running.events("request")], 30)
        until(lambda: state.gate.busy == 0)
        client.settimeout(10)  # the connection itself is closed too, not waiting to be read
        read = b""
        while part := client.recv(65536):
            read += part
        assert b"[DONE]" not in read
        assert running.chat().status == 200


def test_a_model_that_cannot_be_loaded_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + b"\0" * 100)
    settings = {"engine": {"model": str(path), "engine": "llama"}, "port": 0}
    server = Server(ServeSettings.model_validate(settings))
    with pytest.raises(SolarError):
        server.serve()


def test_told_to_stop_it_finishes_what_it_does(served_model: Path) -> None:
    command = [sys.executable, "-m", "solarmini", "serve", str(served_model), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--threads", "1"], stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL
    )
    assert process.stderr is not None
    with process, process.stderr:
        listening = json.loads(process.stderr.readline())
        client = Client(int(listening["url"].rsplit(":", 1)[1]))
        client.wait_until_ready()
        connection, stream = open_stream(client.port)
        begun = stream.read(500)
        process.send_signal(signal.SIGTERM)
        text = (begun + stream.read()).decode()
        connection.close()
        assert text.endswith("data: [DONE]\n\n")
        assert process.wait(20) == 0
        left = process.stderr.read()
        assert '"event": "stopped"' in left
        engine = next(json.loads(x) for x in left.splitlines() if "engine ready" in x)["pid"]
        deadline = time.monotonic() + 10
        while Path(f"/proc/{engine}").exists():
            assert time.monotonic() < deadline, "the engine process was left behind"
            time.sleep(0.05)


def test_metrics_count(api: Running) -> None:
    def value(name: str) -> float:
        lines = api.get("/metrics").body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    before = value("solar_answer_tokens_total"), value('solar_requests_total{route="chat_comple')
    api.chat(max_tokens=5)
    after = value("solar_answer_tokens_total"), value('solar_requests_total{route="chat_comple')
    assert after[0] == before[0] + 5
    assert after[1] == before[1] + 1
    page = api.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE solar_request_seconds histogram" in page.body.decode()
    assert value("solar_engine_up") == 1
    assert value("solar_engine_resident_bytes") > 1e7
