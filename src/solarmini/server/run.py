"""Run the server until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Generator
from typing import Any

import uvicorn

from solarmini.errors import ConfigError, SolarError
from solarmini.server.app import make_app
from solarmini.server.http import protocol_of
from solarmini.server.keys import check_exposure
from solarmini.server.log import Log
from solarmini.server.settings import ServeSettings
from solarmini.server.state import State

_BACKLOG = 1024
_LIBRARIES = ("uvicorn", "python_multipart", "asyncio")
_STOPPED = (signal.SIGTERM, signal.SIGINT)


class Server:
    """A server that listens already; `serve` answers until `stop` or a signal.

    SIGTERM or SIGINT lets answers under way come to their end, for at most `drain_seconds`; new
    connections are refused meanwhile. A second signal ends at once.
    """

    def __init__(self, settings: ServeSettings, log: Log | None = None) -> None:
        """Listen; ConfigError when that is not possible or would be careless."""
        check_exposure(settings.host, settings.keys)
        self.settings, self.log = settings, log or Log()
        self.state: State | None = None
        self.error: SolarError | None = None
        self._watch: asyncio.Task[None] | None = None
        self._socket = _listen(settings.host, settings.port)
        self.port: int = self._socket.getsockname()[1]
        bounds = settings.bounds
        config = uvicorn.Config(
            make_app(settings, self.log, self._ready),
            http=protocol_of(bounds),
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=bounds.idle_seconds,
            timeout_graceful_shutdown=bounds.drain_seconds,
        )
        self._uvicorn = uvicorn.Server(config)

    @property
    def url(self) -> str:
        """Where it listens."""
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"http://{host}:{self.port}"

    def serve(self) -> None:
        """Answer until the end; raises what kept the model from being loaded."""
        self.log.write("listening", url=self.url, model=self.settings.engine.model)
        with _quiet_signals(), self.log.heard(*_LIBRARIES):
            self._uvicorn.run(sockets=[self._socket])
        self.log.write("stopped")
        if self.error is not None:
            raise self.error

    def stop(self) -> None:
        """Begin the end, as SIGTERM does; safe to call from another thread."""
        self._uvicorn.should_exit = True

    def _ready(self, state: State) -> None:
        self.state = state
        self._watch = asyncio.create_task(self._wait_for_model(state))

    async def _wait_for_model(self, state: State) -> None:
        try:
            model = await state.link.loaded
        except SolarError as error:
            self.error = error
            self.stop()
        else:
            state.log.write("ready", model=model.name, context=model.context, slots=model.parallel)


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with contextlib.ExitStack() as undo:
            listener = undo.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
            undo.pop_all()
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            where="--port",
            mend="choose another port, or stop what listens there",
        ) from None
    return listener


@contextlib.contextmanager
def _quiet_signals() -> Generator[None]:
    """Let a signal that has been obeyed not end the process a second time.

    uvicorn raises it again, for whoever was to hear it before: that is us, and we are done.
    """
    former: dict[int, Any] = {}

    def obeyed(number: int, frame: Any) -> None:
        """Do nothing: the server has stopped already."""

    with contextlib.suppress(ValueError):  # not in the main thread: no signals there
        for number in _STOPPED:
            former[number] = signal.signal(number, obeyed)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
