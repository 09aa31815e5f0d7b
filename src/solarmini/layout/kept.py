"""Worker processes kept from one call of `parse` to the next, so that only the first one waits."""

import atexit
import contextlib
import os
import threading
from collections.abc import Generator

from solarmini.layout.workers import Crew

_IDLE = 30.0  # seconds after which processes that nobody needs are ended

_Kind = tuple[int, str, int, float]  # process id, target, jobs, wall seconds


class _Kept:
    """At most one crew waits here; who takes it has it alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: tuple[_Kind, Crew] | None = None
        self._timer: threading.Timer | None = None

    def take(self, kind: _Kind) -> Crew:
        """Return the crew that waits if it is of this kind, else a new one."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
            self._stop_timer()
        if waiting and waiting[0] == kind:
            return waiting[1]
        if waiting and waiting[0][0] == os.getpid():  # after a fork they are the parent's
            waiting[1].close()
        return Crew(kind[1], kind[2], wall_seconds=kind[3])

    def give_back(self, kind: _Kind, crew: Crew) -> None:
        """Keep an idle crew for the next call; end one that is busy or one too many."""
        with self._lock:
            if crew.idle and self._waiting is None:
                self._waiting = (kind, crew)
                self._stop_timer()
                self._timer = threading.Timer(_IDLE, self.end)
                self._timer.daemon = True
                self._timer.start()
                return
        crew.close()

    def end(self) -> None:
        """End the processes of the crew that waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
            self._stop_timer()
        if waiting and waiting[0][0] == os.getpid():
            waiting[1].close()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


_KEPT = _Kept()
atexit.register(_KEPT.end)


@contextlib.contextmanager
def kept_crew(target: str, jobs: int, wall_seconds: float) -> Generator[Crew]:
    """Lend a crew to the calling thread; its processes outlive the call for half a minute."""
    kind = (os.getpid(), target, jobs, wall_seconds)
    crew = _KEPT.take(kind)
    try:
        yield crew
    finally:
        _KEPT.give_back(kind, crew)


def end_kept_processes() -> None:
    """End the processes that `parse` keeps for its next call, now."""
    _KEPT.end()
