"""One method of a store at a time, and its errors in our words."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar


class Guarded(Protocol):
    """A store with a lock of its own."""

    _lock: threading.RLock

    def _guard(self) -> AbstractContextManager[None]:
        """Turn errors of what keeps the data into ours."""
        ...


S = TypeVar("S", bound=Guarded)
P = ParamSpec("P")
R = TypeVar("R")


def guarded(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Run a method alone in its store, under its guard."""

    @wraps(method)
    def run(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._lock, self._guard():
            return method(self, *args, **kwargs)

    return run
