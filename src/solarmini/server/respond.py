"""Responses: JSON in one piece, events one by one; both notice a client that goes away."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, TypeVar

from starlette.responses import Response

from solarmini.server.body import Disconnected, Receive, Scope
from solarmini.server.errors import ApiError, internal

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
T = TypeVar("T")
Fault = Callable[[BaseException], None]

string = json.encoder.encode_basestring_ascii  # a text as JSON; no line break of any kind inside
DONE = b"data: [DONE]\n\n"


class Json(Response):
    """A JSON answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


async def gone(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Do `work`; when the client goes away it is cancelled, and Disconnected raised."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(gone(receive))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Disconnected
        return task.result()
    finally:
        for one in (task, watch):
            one.cancel()
        with contextlib.suppress(BaseException):
            await task
        with contextlib.suppress(BaseException):
            await watch


class Events:
    """A stream of server-sent events.

    `pieces` are ready events; an error after the first becomes an event of its own, and the
    stream ends without [DONE]. A client that goes away, or does not read for `write_seconds`,
    ends the work. `close` is called in the end, whatever happened.
    """

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        close: Callable[[], Awaitable[None]],
        write_seconds: float,
        at_fault: Fault,
    ) -> None:
        self._pieces, self._close = pieces, close
        self._seconds, self._at_fault = write_seconds, at_fault

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
        ]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await while_connected(receive, self._write(send))
        finally:
            await self._close()

    async def _write(self, send: Send) -> None:
        try:
            async for piece in self._pieces:
                await self._send(send, piece)
        except ApiError as error:
            await self._send(send, b"data: " + error.encoded() + b"\n\n")
        except Disconnected:
            raise
        except Exception as error:
            self._at_fault(error)
            await self._send(send, b"data: " + internal().encoded() + b"\n\n")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, piece: bytes) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            raise Disconnected(unread=True) from None
