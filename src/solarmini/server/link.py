"""The server's side of the engine process: start it, ask it, replace it when it dies."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from solarmini.engine.interface import GenerationSettings, Prompt
from solarmini.engine.open import engine_for
from solarmini.engine.pages import with_huge_pages
from solarmini.errors import EngineError, SolarError
from solarmini.server import wire
from solarmini.server.errors import ApiError, of_solar, unavailable
from solarmini.server.settings import EngineSettings

State = Literal["loading", "ready", "restarting", "closed"]
Item = list[Any] | dict[str, Any]
Report = Callable[..., None]
_PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0)  # before the next start, after deaths without an answer
_LAST_WORDS = 20
_LARGE = 2**30  # bytes of a file


@dataclass(frozen=True, slots=True)
class Model:
    """What was loaded."""

    name: str
    context: int
    parallel: int


class Call:
    """One request to the engine process, and what came back so far."""

    def __init__(self, key: int, link: "EngineLink") -> None:
        self.key, self._link = key, link
        self._items: deque[Item | SolarError | ApiError] = deque()
        self._arrived = asyncio.Event()
        self.ended = False
        self.at_end: Callable[[], None] | None = None

    def put(self, item: Item | SolarError | ApiError, *, last: bool) -> None:
        """Take in a line, or what went wrong."""
        if self.ended:
            return
        self._items.append(item)
        self._arrived.set()
        if last:
            self._end()

    def _end(self) -> None:
        self.ended = True
        if self.at_end is not None:
            self.at_end()

    async def take(self) -> list[Item]:
        """Return all that has arrived, at least one item; raises what went wrong."""
        while not self._items:
            self._arrived.clear()
            await self._arrived.wait()
        taken: list[Item] = []
        while self._items:
            item = self._items.popleft()
            if isinstance(item, (SolarError, ApiError)):
                if taken:
                    self._items.appendleft(item)
                    return taken
                raise item if isinstance(item, ApiError) else of_solar(item)
            taken.append(item)
        return taken

    def cancel(self) -> None:
        """Tell the engine that nobody waits any more; its slot is free when it has let go."""
        if not self.ended:
            self._link.send({"id": self.key, "op": "cancel"})
            self._link.expect_end(self)


class _Lines(asyncio.Protocol):
    """Cuts what arrives into lines."""

    def __init__(self, take: Callable[[Any], None], lost: Callable[[], None]) -> None:
        self._take, self._lost, self._rest = take, lost, bytearray()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        if b"\n" not in data:
            return
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        for text in lines:
            self._take(json.loads(text))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        self._lost()


class EngineLink:
    """Keeps one engine process alive; `report` is told of what happens to it."""

    def __init__(self, settings: EngineSettings, report: Report, stuck_seconds: float) -> None:
        """Start within the event loop; an engine that obeys no more for so long is replaced."""
        self.settings, self._report = settings, report
        self._stuck_seconds = stuck_seconds
        self.state: State = "loading"
        self.model: Model | None = None
        self.restarts = 0
        self.pid: int | None = None
        self.loaded: asyncio.Future[Model] = asyncio.get_running_loop().create_future()
        self._calls: dict[int, Call] = {}
        self._keys = itertools.count(1)
        self._transport: asyncio.Transport | None = None
        self._answered = False
        self._task = asyncio.create_task(self._supervise())

    async def _supervise(self) -> None:
        deaths = 0
        while self.state != "closed":
            self._answered = False
            code, words = await self._run_once()
            if self.state == "closed" or (self.loaded.done() and self.loaded.exception()):
                return
            if not self.loaded.done():
                said = " ".join(words[-3:]) or f"exit status {code}"
                what = f"the engine process died while it loaded the model: {said}"
                self.loaded.set_exception(EngineError(what))
                return
            self.state = "restarting"
            self.restarts += 1
            deaths = 0 if self._answered else deaths + 1
            self._report("engine died", exit_status=code, restarts=self.restarts, said=words)
            await asyncio.sleep(_PAUSES[min(deaths, len(_PAUSES) - 1)])

    async def _run_once(self) -> tuple[int, list[str]]:
        """Start a process and stay with it to its end; return its status and last words."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "solarmini.server.worker", str(theirs.fileno())]
        process = subprocess.Popen(
            command,
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=_environment(self.settings),
        )
        theirs.close()
        self.pid = process.pid
        words: deque[str] = deque(maxlen=_LAST_WORDS)
        listener = threading.Thread(target=self._listen, args=(process, words), daemon=True)
        listener.start()
        gone = asyncio.Event()
        ours.setblocking(False)
        transport, _ = await loop.create_connection(lambda: _Lines(self._take, gone.set), sock=ours)
        self._transport = transport
        transport.write(self.settings.model_dump_json().encode() + b"\n")
        try:
            await gone.wait()
        finally:
            if self.state == "ready":
                self.state = "restarting"
            self._transport = None
            transport.close()
            self._fail_all()
            await asyncio.shield(asyncio.to_thread(_reap, process))
            await asyncio.to_thread(listener.join, 1.0)
        return process.returncode, list(words)

    def _listen(self, process: subprocess.Popen[bytes], words: deque[str]) -> None:
        """Keep a process's last words; while it loads, they are news (a file is being written)."""
        assert process.stderr is not None
        with process.stderr as lines:
            for text in lines:
                words.append(text.decode("utf-8", "replace").rstrip()[:500])
                if self.state != "ready" and words[-1]:
                    self._report("engine said", said=words[-1])

    def _take(self, value: Any) -> None:
        if isinstance(value, list):
            call = self._calls.get(value[0])
            if call is not None:
                call.put(value, last=False)
            return
        if value["id"] == 0:
            self._greeted(value)
            return
        last = "started" not in value
        call = self._calls.pop(value["id"], None) if last else self._calls.get(value["id"])
        if call is None:
            return
        self._answered = True
        item = wire.unpack_error(value["error"]) if "error" in value else value
        call.put(item, last=last)

    def _greeted(self, value: dict[str, Any]) -> None:
        if "error" in value:
            error = wire.unpack_error(value["error"])
            if not self.loaded.done():
                self.loaded.set_exception(error)
            return
        again = self.model is not None
        self.model = Model(**value["result"])
        self.state = "ready"
        if not self.loaded.done():
            self.loaded.set_result(self.model)
        self._report("engine ready", pid=self.pid, again=again)

    def _fail_all(self) -> None:
        calls, self._calls = list(self._calls.values()), {}
        for call in calls:
            what = "The engine stopped while it worked on this request; another is being started."
            call.put(unavailable(what, "engine_restarted"), last=True)

    def send(self, value: Mapping[str, Any]) -> None:
        """Send one request line."""
        if self._transport is not None:
            self._transport.write(wire.line(value))

    def expect_end(self, call: Call) -> None:
        """Replace the engine should it not end a call that it was told to end."""
        pid = self.pid

        def look() -> None:
            if not call.ended and self.pid == pid and pid is not None and self.state == "ready":
                self._report("engine stuck", pid=pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

        asyncio.get_running_loop().call_later(self._stuck_seconds, look)

    def ask(self, op: str, **facts: Any) -> Call:
        """Begin a request; raises ApiError 503 while there is no engine."""
        if self.state != "ready" or self._transport is None:
            what = (
                "The model is being loaded." if self.state == "loading" else "The engine restarts."
            )
            raise unavailable(what, "loading")
        call = Call(next(self._keys), self)
        self._calls[call.key] = call
        self.send({"id": call.key, "op": op, **facts})
        return call

    def generate(self, prompt: Prompt, settings: GenerationSettings) -> Call:
        """Begin an answer."""
        changed = settings.model_dump(exclude_defaults=True)
        return self.ask("generate", prompt=prompt, settings=changed)

    async def result(self, op: str, **facts: Any) -> Any:
        """Ask for something that comes in one piece."""
        call = self.ask(op, **facts)
        try:
            return (await call.take())[0]["result"]  # ty: ignore[invalid-argument-type]
        finally:
            call.cancel()

    async def close(self) -> None:
        """End the process."""
        self.state = "closed"
        if self._transport is not None:
            self._transport.close()
        await self._task


def _environment(settings: EngineSettings) -> dict[str, str]:
    """Return the environment of the engine process.

    Only a large file is worth it: each arena of the allocator takes whole huge pages then, and
    moving the weights of a small one after loading is a matter of tenths of a second.
    """
    path = Path(settings.model).expanduser()
    llama = engine_for(settings.model, settings.engine) == "llama"
    large = llama and path.is_file() and path.stat().st_size >= _LARGE
    return with_huge_pages(os.environ) if large else dict(os.environ)


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
