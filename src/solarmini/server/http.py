"""uvicorn's HTTP protocol with bounds: on headers in bytes and seconds, and on connections."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from solarmini.server.errors import ApiError, invalid, unavailable
from solarmini.server.settings import Bounds

_SLACK = 256 * 1024  # what one read may bring together with the end of the headers
_LINGER_SECONDS = 1.0
ABORT = "solar.abort"  # in a request's state: closes its connection at once


def protocol_of(bounds: Bounds) -> type[HttpToolsProtocol]:
    """Return a protocol class with these bounds; uvicorn makes one object a connection."""

    class Bounded(_Bounded):
        limits = bounds

    return Bounded


class _Bounded(HttpToolsProtocol):
    limits: Bounds

    _refused = False
    _deadline: asyncio.TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._expect_headers()
        if len(self.connections) > self.limits.connections:
            self._refuse(unavailable("There are too many connections.", "too_many_connections"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused or self.transport.is_closing():
            return
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > self.limits.header_bytes + _SLACK:
                self._refuse_headers()
                return
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._await_more()

    def _await_more(self) -> None:
        """See to it that bytes which begin no request do not keep a connection for ever."""
        waits = self._deadline is None and self.timeout_keep_alive_task is None
        if waits and not self._refused and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self.limits.header_seconds, self._too_slow)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"] = {ABORT: self.transport.abort}
        self._expect_headers()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        self._headers_arrived()
        if not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self.cycle is not None and not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.cycle is not None and not self._refused:
            super().on_message_complete()

    _parsed_bytes = 0

    def _count(self, size: int) -> None:
        self._parsed_bytes += size
        if self._parsed_bytes > self.limits.header_bytes and not self._refused:
            self._refuse_headers()

    def _expect_headers(self) -> None:
        if not self._in_headers:
            self._header_bytes = 0
        self._headers_arrived()
        self._in_headers, self._parsed_bytes = True, 0
        self._deadline = self.loop.call_later(self.limits.header_seconds, self._too_slow)

    def _headers_arrived(self) -> None:
        self._in_headers = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if not self._refused and not self.transport.is_closing():
            what = "The request's headers did not arrive in time."
            self._refuse(ApiError(408, what, "request_timeout"))

    def _refuse_headers(self) -> None:
        what = f"The request's headers have more than {self.limits.header_bytes} bytes."
        self._refuse(ApiError(431, what, "headers_too_large"))

    def send_400_response(self, msg: str) -> None:
        """Say that this is no HTTP, in the form of all our errors."""
        if not self._refused:
            self._refuse(invalid(msg))

    def _refuse(self, error: ApiError) -> None:
        self._headers_arrived()
        body = error.encoded()
        head: list[Any] = [STATUS_LINE[error.status]]
        facts = error.headers | {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
        }
        head += [f"{name}: {value}\r\n".encode() for name, value in facts.items()]
        self._refused = True
        self.transport.write(b"".join([*head, b"\r\n", body]))
        if len(self.connections) > self.limits.connections or not self.transport.can_write_eof():
            self.transport.close()
            return
        # closed at once, with bytes unread, the connection would be reset and the answer lost
        self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)
