"""A crew of worker processes; an item that crashes or hangs one costs that item alone."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, BinaryIO, cast

_POLL = 1.0  # seconds between two looks at the clock


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item: its value, or `failure`, why the worker died over it."""

    key: Any
    item: Any
    value: Any = None
    failure: str | None = None


@dataclass(slots=True)
class _Task:
    key: Any
    payload: Any
    items: deque[Any]


@dataclass(slots=True)
class _Worker:
    process: "subprocess.Popen[bytes]"
    connection: Connection
    errors: BinaryIO
    task: _Task | None = None
    since: float = field(default_factory=time.monotonic)


class Crew:
    """Up to `jobs` processes that each call `target` ("module:function") with (payload, item).

    Items of one task run in their order in one process, so that what the payload needs (an open
    file, a model) is made once. `wall_seconds` bounds an item that uses no processor time at all.
    Use as a context manager; leaving it ends every process.
    """

    def __init__(self, target: str, jobs: int, *, wall_seconds: float = 3600.0) -> None:
        self.jobs = max(jobs, 1)
        self._target = target
        self._wall = wall_seconds
        self._waiting: deque[_Task] = deque()
        self._workers: list[_Worker] = []

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the first process now, so that it loads while the caller does something else."""
        if not self._workers:
            self._workers.append(_start(self._target))

    def submit(self, key: Any, payload: Any, items: Sequence[Any], *, first: bool = False) -> None:
        """Queue a task; `first` puts it before those that wait."""
        if items:
            task = _Task(key, payload, deque(items))
            (self._waiting.appendleft if first else self._waiting.append)(task)

    def withdraw(self, key: Any) -> None:
        """Forget the tasks of `key` that no process has begun; what runs gives its results."""
        self._waiting = deque(task for task in self._waiting if task.key != key)

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not self._waiting and not any(worker.task for worker in self._workers)

    @property
    def queued(self) -> int:
        """How many tasks no process has begun yet."""
        return len(self._waiting)

    def results(self) -> Iterator[Result]:
        """Yield results as they come until nothing is left to do; tasks may be added meanwhile."""
        while True:
            self._hand_out()
            busy = [worker for worker in self._workers if worker.task]
            if not busy:
                return
            by_connection = {worker.connection: worker for worker in busy}
            for ready in wait(list(by_connection), timeout=_POLL):
                yield self._receive(by_connection[cast(Connection, ready)])
            for worker in busy:
                if worker.task and time.monotonic() - worker.since > self._wall:
                    worker.process.kill()  # seen as a closed connection in the next round
                    worker.since = time.monotonic()

    def close(self) -> None:
        """End every process, whatever it does."""
        workers, self._workers = self._workers, []
        self._waiting.clear()
        for worker in workers:
            worker.connection.close()
            if worker.task:
                worker.process.kill()
        for worker in workers:
            _end(worker)

    def _hand_out(self) -> None:
        for worker in [w for w in self._workers if not w.task and w.process.poll() is not None]:
            self._workers.remove(worker)  # it died between two tasks: nothing is lost
            worker.connection.close()
            _end(worker)
        for worker in self._workers:
            if not worker.task and self._waiting:
                self._give(worker, self._waiting.popleft())
        while self._waiting and len(self._workers) < self.jobs:
            worker = _start(self._target)
            self._workers.append(worker)
            self._give(worker, self._waiting.popleft())

    def _give(self, worker: _Worker, task: _Task) -> None:
        worker.task = task
        worker.since = time.monotonic()
        # a worker that is dead already is found by reading from it
        with contextlib.suppress(OSError):
            worker.connection.send((task.payload, list(task.items)))

    def _receive(self, worker: _Worker) -> Result:
        task = worker.task
        assert task is not None
        try:
            value = worker.connection.recv()
        except (EOFError, OSError):
            return self._lost(worker, task)
        item = task.items.popleft()
        worker.since = time.monotonic()
        if not task.items:
            worker.task = None
        return Result(task.key, item, value)

    def _lost(self, worker: _Worker, task: _Task) -> Result:
        """Bury a dead worker; the item it was at is lost, the others go to the next one."""
        self._workers.remove(worker)
        worker.connection.close()
        item = task.items.popleft()
        if task.items:
            self._waiting.appendleft(task)
        return Result(task.key, item, failure=_end(worker))


def _start(target: str) -> _Worker:
    ours, theirs = socket.socketpair()
    errors = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 (closed by _end)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "solarmini.layout.worker", str(theirs.fileno()), target],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=_environment(),
            start_new_session=True,  # Ctrl-C in the terminal reaches the caller alone
        )
    connection = Connection(ours.detach())
    with contextlib.suppress(OSError):
        connection.send(sys.path)
    return _Worker(process, connection, errors)


def _environment() -> dict[str, str]:
    """One thread a process: the pages are what runs in parallel."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    paths = [path for path in sys.path if path]
    return {**one, **os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _end(worker: _Worker) -> str:
    """Wait for a process, kill it if it does not end; return how it ended."""
    try:
        code = worker.process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        worker.process.kill()
        code = worker.process.wait()
    with worker.errors as errors:
        errors.seek(0)
        lines = errors.read()[-4096:].decode("utf-8", "replace").strip().splitlines()
    if code == -signal.SIGXCPU:
        return "took too much processor time and was stopped"
    if code == -signal.SIGKILL:
        return "was stopped by the system or for taking too long; memory may have run out"
    if code < 0:
        return f"crashed its worker process ({signal.Signals(-code).name})"
    return f"ended its worker process (exit code {code}{': ' + lines[-1] if lines else ''})"
