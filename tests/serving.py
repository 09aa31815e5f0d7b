"""A server under test, and an HTTP client of our own that hides nothing of what is on the wire."""

import contextlib
import http.client
import io
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from solarmini.server.run import Server

CONTEXT = 1024  # tokens of the model under test
CITY = {
    "type": "object",
    "properties": {"city": {"enum": ["Seoul", "Busan"]}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": CITY}}
    for name in ("weather", "population")
]


@dataclass
class Answer:
    """Status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error, once its form has been checked."""
        value = self.json
        assert set(value) == {"error"}
        assert set(value["error"]) == {"message", "type", "param", "code"}
        return value["error"]

    @property
    def events(self) -> list[Any]:
        """The events of a stream, "[DONE]" among them."""
        assert self.headers["content-type"].startswith("text/event-stream")
        parts = self.body.decode().split("\n\n")
        assert parts[-1] == ""
        values = [part.removeprefix("data: ") for part in parts[:-1]]
        return [value if value == "[DONE]" else json.loads(value) for value in values]


@dataclass
class Client:
    """Speaks to one server on this machine."""

    port: int
    key: str | None = field(default=None, kw_only=True)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        seconds: float = 60,
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        sent = dict(headers or {})
        if self.key:
            sent.setdefault("Authorization", f"Bearer {self.key}")
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.request("POST", path, body, headers)

    def upload(
        self,
        path: str,
        data: bytes,
        name: str | None = "a.pdf",
        part: str = "document",
        **fields: str,
    ) -> Answer:
        """Send a form with one document, as clients do that state no content type for it."""
        mark = "----8f3bc1"
        pieces = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        named = f'; filename="{name}"' if name else ""
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{part}"{named}\r\n\r\n'
        pieces += [head.encode(), data, f"\r\n--{mark}--\r\n".encode()]
        kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        return self.request("POST", path, b"".join(pieces), kind, 120)

    def chat(self, text: str = "The quick brown fox", **rest: Any) -> Answer:
        """Ask the model, greedily unless told otherwise."""
        turns = rest.pop("messages", [{"role": "user", "content": text}])
        body = {"model": "solar-mini", "temperature": 0, "max_tokens": 8, "messages": turns}
        return self.post("/v1/chat/completions", {**body, **rest})

    def wait_until_ready(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while self.get("/health").status != 200:
            assert time.monotonic() < end, "the model was not loaded"
            time.sleep(0.05)


@dataclass
class Running(Client):
    """A server in a thread of this process, and a client for it."""

    server: Server
    log: io.StringIO

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the engine process for a while, so that no answer ends before its time."""
        assert self.server.state is not None
        pid = self.server.state.link.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return what the log says of one kind of event."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == name]


def until(wanted: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
