"""What every request goes through: origin, key, limits, errors in one form, log and counts."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from starlette.exceptions import HTTPException
from starlette.routing import Match

from solarmini.errors import SolarError
from solarmini.server.body import Disconnected, Receive, Scope, header
from solarmini.server.errors import ApiError, internal, invalid, invalid_key, of_solar
from solarmini.server.http import ABORT
from solarmini.server.keys import is_loopback
from solarmini.server.respond import Send
from solarmini.server.state import State

_LEFT = 499  # the client went away before the answer (nginx' number; only in log and metrics)
_OPEN = ("/health", "/openapi.json", "/docs", "/upstage/", "/v1/document-digitization/results/")
_FREE = ("/health", "/metrics")  # do not count against a client's limit
_LINGER_SECONDS = 1.0
_ALLOWED = "authorization, content-type, x-requested-with, x-stainless-os"

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Front:
    """The outermost layer. `state` is set once the server has started."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.state: State | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["app"] = self  # so that routes find the state, and the router raises its errors
        if scope["type"] != "http" or self.state is None:
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(self.state, scope, receive, send)
        await exchange.run(self._app)


class _Exchange:
    """One request and what became of it."""

    def __init__(self, state: State, scope: Scope, receive: Receive, send: Send) -> None:
        self.state, self.scope = state, scope
        self._client_receive, self._send = receive, send
        self._read = False  # the whole body, or the client is gone
        self._status = 0
        self._bytes = 0
        self._began = time.monotonic()
        self._origin = header(scope, b"origin")
        self._headers: list[tuple[bytes, bytes]] = []
        self.id = uuid.uuid4().hex
        self._abort: Callable[[], None] | None = scope.get("state", {}).get(ABORT)
        scope["state"] = {"id": self.id, "client": "", "model": None}

    async def run(self, app: App) -> None:
        """Let the request in and answer it, whatever happens."""
        try:
            await self._admitted(app)
        except Disconnected as left:
            self._status = _LEFT
            if left.unread and self._abort is not None:
                self._abort()  # closed gently, it would wait for its reader for ever
        except ApiError as error:
            await self._refuse(error)
        except SolarError as error:
            await self._refuse(of_solar(error), error)
        except HTTPException as error:
            await self._refuse(_of_http(error, self.scope, app))
        except Exception as error:
            await self._refuse(internal(), error)
        finally:
            self._note()

    async def _admitted(self, app: App) -> None:
        path = self.scope["path"]
        if self._preflight():
            await self._answer_preflight()
            return
        self._check_origin()
        state = self.state
        client = state.keys.client(header(self.scope, b"authorization"))
        if state.keys and client is None and not self._is_open(path):
            raise invalid_key()
        self.scope["state"]["client"] = client or ""
        with contextlib.ExitStack() as stack:
            if client is not None and path not in _FREE:
                stack.enter_context(state.clients.admitted(client))
            await app(self.scope, self._receive, self._sent)

    def _is_open(self, path: str) -> bool:
        """Whether a path needs no key: what tells nothing, and the page that asks for the key."""
        if path.startswith(_OPEN):
            return True
        return self.scope["method"] in ("GET", "HEAD") and not path.startswith(("/v1", "/metrics"))

    def _check_origin(self) -> None:
        """Refuse what a web page of somebody else sends, and names that are not ours.

        Without a key the host has to be this machine's: a page elsewhere could otherwise let its
        own name point to us (DNS rebinding).
        """
        host = header(self.scope, b"host") or ""
        if not self.state.keys and host:
            name = _split(f"//{host}").hostname or ""
            allowed = is_loopback(name) or name == self.state.settings.host
            if not allowed:
                what = "The Host header names another machine."
                raise ApiError(403, what, "host_not_allowed", kind="permission_error")
        if self._origin is None or self._allowed():
            return
        if _split(self._origin).netloc == host:
            return
        what = "This server does not answer other web pages (start it with --origin to allow one)."
        raise ApiError(403, what, "origin_not_allowed", kind="permission_error")

    def _allowed(self) -> bool:
        origins = self.state.settings.origins
        return self._origin is not None and (self._origin in origins or "*" in origins)

    def _preflight(self) -> bool:
        return (
            self.scope["method"] == "OPTIONS"
            and self._origin is not None
            and header(self.scope, b"access-control-request-method") is not None
        )

    async def _answer_preflight(self) -> None:
        if not self._allowed():
            what = "This server does not answer other web pages."
            raise ApiError(403, what, "origin_not_allowed", kind="permission_error")
        asked = header(self.scope, b"access-control-request-headers") or _ALLOWED
        self._headers = [
            (b"access-control-allow-methods", b"GET, POST, DELETE"),
            (b"access-control-allow-headers", asked.encode("latin-1")),
            (b"access-control-max-age", b"600"),
        ]
        await self._sent({"type": "http.response.start", "status": 204, "headers": []})
        await self._sent({"type": "http.response.body", "body": b""})

    async def _receive(self) -> MutableMapping[str, Any]:
        message = await self._client_receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            self._read = True
        return message

    async def _sent(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            added = [*self._headers, (b"x-request-id", self.id.encode())]
            added += [(b"x-content-type-options", b"nosniff")]
            if self._allowed() and self._origin is not None:
                added += [
                    (b"access-control-allow-origin", self._origin.encode("latin-1")),
                    (b"vary", b"Origin"),
                ]
            message["headers"] = [*message.get("headers", []), *added]
        else:
            self._bytes += len(message.get("body", b""))
        await self._send(message)

    async def _refuse(self, error: ApiError, cause: Exception | None = None) -> None:
        if error.status == 500 and cause is not None:
            import traceback

            where = "".join(traceback.format_exception(cause)[-4:])
            self.state.log.write("fault", id=self.id, error=repr(cause), where=where)
        if self._status:
            return  # too late to say it: the connection is closed unfinished
        body = error.encoded()
        headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
        headers += [(b"content-type", b"application/json")]
        headers += [(b"content-length", str(len(body)).encode())]
        await self._sent(
            {"type": "http.response.start", "status": error.status, "headers": headers}
        )
        if self.scope["method"] == "HEAD":
            body = b""
        # the answer is whole now; what the client still sends is let in for a moment, so that it
        # does not find its connection reset before it has read why
        await self._sent({"type": "http.response.body", "body": body, "more_body": True})
        await self._let_in()
        await self._sent({"type": "http.response.body", "body": b"", "more_body": False})

    async def _let_in(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self._read:
                    await self._receive()

    def _note(self) -> None:
        route = self.scope.get("endpoint")
        name = getattr(route, "__name__", "none")
        seconds = time.monotonic() - self._began
        self.state.metrics.requests.add(route=name, status=str(self._status))
        self.state.metrics.seconds.observe(seconds, route=name)
        facts = self.scope["state"]
        self.state.log.write(
            "request",
            id=self.id,
            client=facts["client"] or None,
            method=self.scope["method"],
            path=self.scope["path"],
            route=name,
            model=facts["model"],
            status=self._status,
            seconds=round(seconds, 4),
            bytes=self._bytes,
        )


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        raise invalid("The Host or Origin header is not an address.") from None


def _of_http(error: HTTPException, scope: Scope, app: App) -> ApiError:
    where = f"{scope['method']} {scope['path']}"
    if error.status_code == 404:
        return ApiError(404, f"Unknown route: {where}", "unknown_url")
    if error.status_code == 405:
        methods: set[str] = set()
        for route in getattr(app, "routes", ()):
            match, _ = route.matches(scope)
            if match is not Match.NONE:
                methods |= getattr(route, "methods", None) or set()
        headers = {"allow": ", ".join(sorted(methods))}
        return ApiError(405, f"Not allowed: {where}", "method_not_allowed", headers=headers)
    return ApiError(error.status_code, str(error.detail), "invalid_request_body")
