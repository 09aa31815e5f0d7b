"""Bounds on processor time that hold against slow Python and against native code that hangs."""

import contextlib
import signal
import threading
import time
from collections.abc import Generator
from types import FrameType

_GRACE = 2.0  # seconds between the polite stop and the kill


class OutOfTimeError(BaseException):
    """The time is over. Not an Exception, so that no handler on the way takes it for a bug."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"took more than {seconds:g} s of processor time")


@contextlib.contextmanager
def time_limit(seconds: float, *, kill: bool = False) -> Generator[None]:
    """Raise OutOfTimeError in the block when it has used `seconds` of processor time.

    The exception can only come between two steps of Python. With `kill` (in a worker process) the
    system also ends this process if the block goes on for two seconds more, as native code may.
    Works in the main thread where no other profiling timer runs; elsewhere the block is not
    bounded.
    """
    if not _can_limit():
        yield
        return
    armed = True

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if armed:
            raise OutOfTimeError(seconds)

    before = signal.signal(signal.SIGPROF, stop)
    # repeated, in case the first one falls where an exception cannot get out (a finalizer)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.5)
    if kill:
        _kill_after(seconds + _GRACE)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)
        if kill:
            _kill_after(None)


def _can_limit() -> bool:
    return (
        threading.current_thread() is threading.main_thread()
        and hasattr(signal, "SIGPROF")
        and signal.getsignal(signal.SIGPROF) in (signal.SIG_DFL, signal.SIG_IGN)
        and signal.getitimer(signal.ITIMER_PROF)[0] == 0.0
    )


def _kill_after(seconds: float | None) -> None:
    """Have the system end this process after so much more processor time; None: never."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if seconds is None:
        soft = hard
    else:
        soft = int(time.process_time() + seconds) + 1
        if hard != resource.RLIM_INFINITY:
            soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
