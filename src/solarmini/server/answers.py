"""The answers to one request: each takes a slot, all are read as they come."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from solarmini.engine.interface import GenerationSettings, Prompt
from solarmini.server.errors import unavailable
from solarmini.server.gate import Gate
from solarmini.server.link import Call, EngineLink
from solarmini.server.metrics import Metrics

Scored = list[Any]  # [id, bytes in hex, logprob, [tops alike]]


@dataclass(frozen=True, slots=True)
class Step:
    """What one step brought to the answer `index`: text, and its tokens if asked for."""

    index: int
    text: str
    tokens: list[Scored]


@dataclass(frozen=True, slots=True)
class End:
    """The end of the answer `index`: "stop" or "length"."""

    index: int
    finish_reason: str


@dataclass(slots=True)
class Usage:
    """Tokens of a whole request."""

    prompt: int = 0
    cached: int = 0
    answer: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return what clients get."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.answer,
            "total_tokens": self.prompt + self.answer,
            "prompt_tokens_details": {"cached_tokens": self.cached},
        }


@dataclass(frozen=True, slots=True)
class Job:
    """One answer to make; `counted` where its prompt counts as used (once for each prompt)."""

    prompt: Prompt
    settings: GenerationSettings
    counted: bool = True


@dataclass(slots=True)
class Desk:
    """Where answers are ordered: the engine, its slots, and who counts."""

    link: EngineLink
    gate: Gate
    metrics: Metrics
    seconds: float


@dataclass(slots=True)
class Answers:
    """Runs `jobs`; iterate over steps and ends in the order in which they come."""

    desk: Desk
    jobs: Sequence[Job]
    usage: Usage = field(default_factory=Usage)
    _queue: asyncio.Queue[Step | End | BaseException] = field(default_factory=asyncio.Queue)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _turns: dict[int, "asyncio.Future[None]"] = field(default_factory=dict)
    _started: asyncio.Event = field(default_factory=asyncio.Event)
    _began: float = field(default_factory=time.monotonic)
    _first: bool = False

    async def begin(self) -> None:
        """Start; returns when the first answer has begun, raises when it cannot."""
        gate = self.desk.gate
        gate.check()
        self._turns = {index: gate.enter() for index in range(len(self.jobs))}
        for index, job in enumerate(self.jobs):
            self._tasks.append(asyncio.create_task(self._run(index, job)))
        try:
            async with self._in_time():
                await self._started.wait()
            for task in self._tasks:
                if task.done() and not task.cancelled() and (error := task.exception()):
                    raise error
        except BaseException:
            await self.close()
            raise

    async def _run(self, index: int, job: Job) -> None:
        gate = self.desk.gate
        try:
            await gate.wait(self._turns.pop(index))
            try:
                call = self.desk.link.generate(job.prompt, job.settings)
            except BaseException:
                gate.release()
                raise
            call.at_end = gate.release
            try:
                await self._read(index, job, call)
            finally:
                call.cancel()
        except BaseException as error:
            self._queue.put_nowait(error)
            raise
        finally:
            self._started.set()

    async def _read(self, index: int, job: Job, call: Call) -> None:
        while True:
            for item in await call.take():
                if isinstance(item, list):
                    self._note_first()
                    tokens = item[2] if len(item) > 2 else []
                    self._queue.put_nowait(Step(index, item[1], tokens))
                elif "started" in item:
                    self._started.set()
                else:
                    self._count(item["done"], job)
                    reason = "length" if item["done"]["finish_reason"] == "length" else "stop"
                    self._queue.put_nowait(End(index, reason))
                    return

    def _note_first(self) -> None:
        if not self._first:
            self._first = True
            self.desk.metrics.first.observe(time.monotonic() - self._began)

    def _count(self, facts: dict[str, Any], job: Job) -> None:
        metrics = self.desk.metrics
        self.usage.answer += facts["completion_tokens"]
        if job.counted:
            self.usage.prompt += facts["prompt_tokens"]
            self.usage.cached += facts["cached_tokens"]
        metrics.prompt.add(facts["prompt_tokens"])
        metrics.cached.add(facts["cached_tokens"])
        metrics.answer.add(facts["completion_tokens"])

    async def items(self) -> AsyncIterator[list[Step | End]]:
        """Yield all that has come, until every answer is at its end; raises what went wrong."""
        left = len(self.jobs)
        while left:
            async with self._in_time():
                arrived = [await self._queue.get()]
            while not self._queue.empty():
                arrived.append(self._queue.get_nowait())
            good: list[Step | End] = []
            for item in arrived:
                if isinstance(item, BaseException):
                    if good:
                        yield good
                    raise item
                left -= isinstance(item, End)
                good.append(item)
            yield good

    @contextlib.asynccontextmanager
    async def _in_time(self) -> AsyncGenerator[None]:
        """Raise ApiError 503 when the time for the whole answer is over."""
        try:
            async with asyncio.timeout(self._began + self.desk.seconds - time.monotonic()):
                yield
        except TimeoutError:
            what = f"The answer took more than {self.desk.seconds:g} seconds."
            raise unavailable(what, "timeout") from None

    async def close(self) -> None:
        """End whatever still runs."""
        running = [task for task in self._tasks if not task.done()]
        for task in running:
            task.cancel()
        if running:
            self.desk.metrics.cancelled.add(len(running))
        for task in self._tasks:
            with contextlib.suppress(BaseException):
                await task
        for turn in self._turns.values():  # of those that were told to end before they began
            self.desk.gate.leave(turn)
        self._turns.clear()
