"""Who may work now, who waits, and who is told to come back."""

import asyncio
from collections import Counter, deque
from collections.abc import Generator
from contextlib import contextmanager

from solarmini.server.errors import too_many, unavailable


class Gate:
    """`slots` answers at a time, first come first served; at most `queue` requests wait."""

    def __init__(self, slots: int, queue: int) -> None:
        self.slots, self.queue = slots, queue
        self.busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many answers wait for a slot."""
        return len(self._waiting)

    def check(self) -> None:
        """Refuse a new request when the queue is full (503)."""
        if self.busy >= self.slots and len(self._waiting) >= self.queue:
            what = f"The server is busy: {len(self._waiting)} requests are waiting."
            raise unavailable(what, "server_overloaded", 1 + len(self._waiting) // self.slots)

    def enter(self) -> "asyncio.Future[None]":
        """Take a place at once: a turn that is granted already, or will be; see `wait`."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.busy < self.slots and not self._waiting:
            self.busy += 1
            turn.set_result(None)
        else:
            self._waiting.append(turn)
        return turn

    def leave(self, turn: "asyncio.Future[None]") -> None:
        """Give up a turn, granted or not."""
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif turn.done() and not turn.cancelled():
            self.release()

    async def wait(self, turn: "asyncio.Future[None]") -> None:
        """Wait until a turn is granted; a caller that is cancelled gives it up."""
        try:
            await turn
        except asyncio.CancelledError:
            self.leave(turn)
            raise

    async def acquire(self) -> None:
        """Wait for a slot."""
        await self.wait(self.enter())

    def release(self) -> None:
        """Give a slot to the next in the queue, or back."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.busy -= 1


class Clients:
    """How many requests each client has under way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: Counter[str] = Counter()

    @contextmanager
    def admitted(self, client: str) -> Generator[None]:
        """Count a request while it runs; 429 when the client has too many."""
        if self._running[client] >= self._most:
            raise too_many(f"This key has {self._most} requests under way; wait for one to end.")
        self._running[client] += 1
        try:
            yield
        finally:
            self._running[client] -= 1
            if not self._running[client]:
                del self._running[client]
