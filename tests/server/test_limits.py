"""What a hostile or broken client may do to the server: little, and it is told why."""

import contextlib
import json
import socket
import threading
import time

import pytest
from serving import Answer, Client, Running, until

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"


def raw(port: int, data: bytes, seconds: float = 20) -> bytes:
    """Send bytes; return everything that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(data)
        with contextlib.suppress(OSError):  # it may have been closed already
            connection.shutdown(socket.SHUT_WR)
        return rest(connection)


def rest(connection: socket.socket) -> bytes:
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def answered(text: bytes) -> Answer:
    head, _, body = text.partition(b"\r\n\r\n")
    return Answer(int(head.split()[1]), {}, body)


@pytest.fixture(scope="module")
def small(start):
    bounds = {
        "header_seconds": 0.5, "body_seconds": 0.5, "header_bytes": 8192, "json_bytes": 20_000,
        "upload_bytes": 2**20, "queue": 2, "per_key": 3, "messages": 10, "idle_seconds": 1,
        "connections": 20,
    }  # fmt: skip
    with start(bounds=bounds, engine={"parallel": 1}) as running:
        yield running


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"nan", b'{"model": "solar-mini"}', b"\xff\xfe", b'"text"',
     b"[[" * 9000, b'{"a":' * 3000,
     b'{"model":"solar-mini","messages":[{"role":"user","content":"\\ud800"}]}'],
)  # fmt: skip
def test_bodies_that_are_no_request(small: Running, body: bytes) -> None:
    for path in ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/search"):
        answer = small.request("POST", path, body)
        assert answer.status == 400
        assert answer.error["code"] == "invalid_request_body"


def test_a_body_that_is_too_large_is_refused_and_the_answer_heard(small: Running) -> None:
    for size in (30_000, 70_000, 3_000_000):
        answer = small.request("POST", "/v1/chat/completions", b" " * size)
        assert answer.status == 413
        assert answer.error["code"] == "request_too_large"


def test_a_stated_size_is_enough_to_refuse(small: Running) -> None:
    head = POST + b"Content-Length: 1000000000\r\n\r\n"
    began = time.monotonic()
    assert answered(raw(small.port, head)).status == 413
    assert time.monotonic() - began < 5


def test_an_endless_body_in_chunks_is_refused(small: Running) -> None:
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
    assert answered(raw(small.port, head + chunk * 20)).status == 413


def test_too_many_messages(small: Running) -> None:
    answer = small.chat(messages=[{"role": "user", "content": "x"}] * 11)
    assert (answer.status, answer.error["param"]) == (400, "messages")


def test_headers_that_do_not_come(small: Running) -> None:
    for begun in (b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: localhost\r\nA: b\r\n"):
        with socket.create_connection(("127.0.0.1", small.port), timeout=10) as connection:
            connection.sendall(begun)
            answer = answered(rest(connection))
            assert (answer.status, answer.error["code"]) == (408, "request_timeout")


def test_headers_one_by_one_do_not_hold_a_connection(small: Running) -> None:
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\n")
        began = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT011 - reset or broken pipe
            while time.monotonic() - began < 5:
                connection.sendall(b"A: b\r\n")
                time.sleep(0.1)
        assert time.monotonic() - began < 3


def test_headers_that_are_too_large(small: Running) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
    for flood in (b"A: " + b"b" * 10_000 + b"\r\n", b"A: b\r\n" * 2000, b"A: " + b"b" * 300_000):
        answer = answered(raw(small.port, head + flood + b"\r\n"))
        assert (answer.status, answer.error["code"]) == (431, "headers_too_large")
    assert answered(raw(small.port, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n")).status == 431


@pytest.mark.parametrize(
    "data",
    [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n",
     b"GET /\xff HTTP/1.1\r\n\r\n",
     b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"GET http://[::1 HTTP/1.1\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_http(small: Running, data: bytes) -> None:
    answer = answered(raw(small.port, data))
    assert answer.status == 400
    assert answer.error["code"] == "invalid_request_body"


def test_a_body_that_does_not_come(small: Running) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as connection:
        connection.sendall(head)
        data = connection.recv(65536)
        assert answered(data).status == 408


def test_an_idle_connection_is_closed(small: Running) -> None:
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answered(rest(connection)).status == 200
        connection.close()
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.2)
        connection.sendall(b"\r\n")  # bytes that begin nothing
        assert rest(connection)


def asking(client: Client, count: int, answers: list[Answer]) -> list[threading.Thread]:
    """Ask several times at once, each in a thread."""
    threads = [threading.Thread(target=lambda: answers.append(client.chat())) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_a_full_queue_is_503_and_says_when_to_come_back(small: Running) -> None:
    answers: list[Answer] = []
    with small.frozen():
        threads = asking(small, 8, answers)
        until(lambda: len(answers) == 5)  # one has the slot and two wait
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [200] * 3 + [503] * 5
    assert answers[0].error["code"] == "server_overloaded"
    assert int(answers[0].headers["retry-after"]) >= 1


def test_a_key_may_have_so_many_requests_at_once(start) -> None:
    keys = ("sk-number-one", "sk-number-two")
    with start(keys=keys, bounds={"per_key": 2}, wait=False) as running:
        running.key = keys[0]
        running.wait_until_ready()
        answers: list[Answer] = []
        with running.frozen():
            threads = asking(running, 2, answers)
            until(lambda: running.server.state.gate.busy == 2)
            refused = running.chat()
            assert (refused.status, refused.error["code"]) == (429, "rate_limit_exceeded")
            assert int(refused.headers["retry-after"]) >= 1
            other = Client(running.port, key=keys[1])
            threads += asking(other, 1, answers)
            until(lambda: running.server.state.gate.busy == 3)
        for thread in threads:
            thread.join()
        assert [answer.status for answer in answers] == [200] * 3


def test_too_many_connections(small: Running) -> None:
    held = [socket.create_connection(("127.0.0.1", small.port)) for _ in range(25)]
    try:
        answer = answered(rest(held[-1]))
        assert (answer.status, answer.error["code"]) == (503, "too_many_connections")
    finally:
        for connection in held:
            connection.close()
    until(lambda: small.get("/health").status == 200)


def test_a_form_that_is_broken(small: Running) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x\r\n", b"--x\r\nnonsense", b"\x00" * 100):
        answer = small.request("POST", "/v1/document-digitization", body, kind)
        assert answer.status == 400
        assert answer.error["code"] == "invalid_request_body"
    assert small.post("/v1/document-digitization", {"document": "x"}).status == 400
    many = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' for _ in range(100)
    )
    assert small.request("POST", "/v1/document-digitization", many + b"--x--", kind).status == 400
    answer = small.upload("/v1/document-digitization", b"x" * (2**20 + 1))
    assert answer.status == 413
    assert answer.error["message"] == "uploaded document is too large. max allowed size is 1MB"
    assert not list(small.server.state.folder.iterdir())


def test_json_that_is_sent_slowly_but_in_time(small: Running) -> None:
    body = json.dumps({"model": "tiny", "prompt": "x", "max_tokens": 1}).encode()
    head = (
        f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as connection:
        connection.sendall(head.encode())
        for byte in body[:5]:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)
        connection.sendall(body[5:])
        assert answered(connection.recv(65536)).status == 200
