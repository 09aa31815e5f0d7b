"""The one training loop: language model, instructions and preferences all run through it.

A run is a list of phases (sDPO has one per step, the others one); a phase is an objective and
the rows of every optimizer step. Random choices of a step (dropout) are seeded by run, step and
process, so a state needs no generator's state and a resumed run makes the same choices.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import nn

from solarmini.errors import TrainError
from solarmini.train.allocator import kept_memory
from solarmini.train.log import RunLog
from solarmini.train.memory import used_memory
from solarmini.train.model import Policy
from solarmini.train.objectives import Objective
from solarmini.train.optimizer import load_optimizer_state, make_optimizer, optimizer_state
from solarmini.train.plan import Row, micro_batches
from solarmini.train.runfolder import Cursor, RunFolder, State
from solarmini.train.schedule import learning_rate_factor, warmup_steps
from solarmini.train.select import trained_parameters
from solarmini.train.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training with an optimizer and a schedule of its own.

    `prepare` makes the objective when the phase starts, with the policy as it then is (a
    preference step's reference); `first_loss` is shown the first batch's loss.
    """

    name: str
    steps: Sequence[Sequence[Row]]
    prepare: Callable[[Policy, bool], Objective]
    first_loss: Callable[[float], None] | None = None


Evaluate = Callable[[Policy], Mapping[str, float]]


@dataclass(slots=True)
class _Stop:
    """Set by SIGTERM or SIGINT; the loop finishes its step, saves, and leaves."""

    number: int | None = None
    previous: dict[int, Any] = field(default_factory=dict)

    def handle(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        signal.signal(number, self.previous[number])  # a second signal acts at once


class Trainer:
    """Runs phases from a saved state, or from the start, to the end."""

    def __init__(
        self,
        policy: Policy,
        settings: TrainSettings,
        accelerator: Any,
        folder: RunFolder,
        evaluate: Evaluate | None,
    ) -> None:
        self.policy = policy
        self.settings = settings
        self.accelerator = accelerator
        self.folder = folder
        self.evaluate = evaluate
        self.device = accelerator.device
        self.parameters: dict[str, nn.Parameter] = trained_parameters(policy)
        self.run: Any = accelerator.prepare(policy)
        self.cursor = Cursor()
        self.saved_at = time.monotonic()
        self._pending: dict[str, torch.Tensor] | None = None

    def train(self, phases: Sequence[Phase]) -> list[dict[str, Any]]:
        """Train through all phases; return the rows of the log, also those of earlier starts."""
        self._resume()
        total = sum(len(phase.steps) for phase in phases)
        main = self.accelerator.is_main_process
        rows = self.folder.cut_log(self.cursor.done) if main else []
        self.accelerator.wait_for_everyone()
        log = RunLog(self.folder.log_path, total, self.cursor.done, active=main)
        with log, kept_memory(), _signals() as stop:
            if self.cursor.done:
                log.note(f"resuming after step {self.cursor.done} of {total}")
            if not rows:
                self._measure(log, {"step": 0, "tokens": 0, "phase": phases[0].name})
            while self.cursor.phase < len(phases):
                self._run_phase(phases, log, stop, total)
        return rows + log.rows

    def _run_phase(self, phases: Sequence[Phase], log: RunLog, stop: _Stop, total: int) -> None:
        phase = phases[self.cursor.phase]
        if self.cursor.step == 0 and self.cursor.phase > 0:
            self._save(None)  # what the phase starts from can be had again after a kill
        objective = phase.prepare(self.policy, self.cursor.step > 0)
        optimizer = make_optimizer(self.parameters, self.settings)
        if self._pending is not None:
            load_optimizer_state(optimizer, self.parameters, self._pending)
            self._pending = None
        self.run.train()
        while self.cursor.step < len(phase.steps):
            row = self._step(phase, objective, optimizer)
            last = self.cursor.done == total
            every = self.settings.eval_every
            if last or (every and self.cursor.done % every == 0):
                self._measure(log, row)
            else:
                self._write(log, row)
            if self._must_stop(stop):
                self._save(optimizer)
                self._leave(stop, log)
            if self._save_due() and not last:
                self._save(optimizer)
        is_last = self.cursor.phase + 1 == len(phases)
        if is_last:
            self._save(optimizer)
        self.cursor = Cursor(
            self.cursor.phase + 1, 0, self.cursor.done, self.cursor.tokens, self.cursor.seconds
        )

    def _step(self, phase: Phase, objective: Objective, optimizer: Any) -> dict[str, Any]:
        began = time.perf_counter()
        settings, number = self.settings, self.cursor.step
        rows = phase.steps[number]
        torch.manual_seed(_step_seed(settings.seed, self.cursor.done, self._rank))
        everything = [index for row in rows for index in row]
        denominator = objective.denominator(everything)
        if denominator == 0:
            raise TrainError(
                f"step {number} has no supervised token",
                where=phase.name,
                mend="check the data and the chat template with 'solar data show'",
            )
        rate = settings.lr * learning_rate_factor(
            number,
            len(phase.steps),
            schedule=settings.schedule,
            warmup=warmup_steps(settings.warmup, len(phase.steps)),
            min_ratio=settings.min_lr_ratio,
            decay_share=settings.decay_share,
        )
        for group in optimizer.param_groups:
            group["lr"] = rate
        sums = self._accumulate(objective, rows, denominator, phase.name)
        norm = self._clip()
        loss = sums.pop("loss") / denominator
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainError(
                f"loss {loss} and gradient norm {norm} at step {self.cursor.done + 1} of rows "
                f"{everything[:16]}",
                where=phase.name,
                mend="lower --lr, or look at these rows",
            )
        if number == 0 and phase.first_loss is not None:
            phase.first_loss(loss)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        tokens = int(objective.lengths[everything].sum())
        seconds = time.perf_counter() - began
        cursor = self.cursor
        self.cursor = Cursor(
            cursor.phase,
            number + 1,
            cursor.done + 1,
            cursor.tokens + tokens,
            cursor.seconds + seconds,
        )
        return {
            "step": self.cursor.done,
            "tokens": self.cursor.tokens,
            "loss": loss,
            "lr": rate,
            "grad_norm": norm,
            "seconds": round(self.cursor.seconds, 4),
            "tokens_per_second": round(tokens / seconds, 2),
            "memory_bytes": used_memory(self.device),
            "phase": phase.name,
            **{name: value / denominator for name, value in sums.items()},
        }

    def _accumulate(
        self, objective: Objective, rows: Sequence[Row], denominator: int, where: str
    ) -> dict[str, float]:
        """Add up the gradients of this process's share of a step; return the global sums."""
        world = self.accelerator.num_processes
        mine = list(rows[self._rank :: world])
        weight = 1.0 if mine else 0.0  # a process without a row still takes part in the sum
        groups = micro_batches(
            mine or list(rows[:1]),
            objective.lengths,
            self.settings.micro_batch_size,
            self.settings.micro_batch_tokens,
        )
        sums: dict[str, torch.Tensor] = {}
        for position, group in enumerate(groups):
            last = position + 1 == len(groups)
            with nullcontext() if last else self.accelerator.no_sync(self.run):
                loss, extra = objective.loss(self.run, group, self.device)
                if not torch.isfinite(loss):
                    raise TrainError(
                        f"loss {loss.item()} at step {self.cursor.done + 1} in rows {group[:16]}",
                        where=where,
                        mend="lower --lr, or look at these rows",
                    )
                # parallel wrappers average over the processes: undo that
                self.accelerator.backward(loss * (weight * world / denominator))
            for name, value in {"loss": loss.detach(), **extra}.items():
                sums[name] = sums.get(name, 0.0) + value.double() * weight
        names = list(sums)
        table = torch.stack([sums[name] for name in names])
        if world > 1:
            table = self.accelerator.reduce(table, reduction="sum")
        return dict(zip(names, table.tolist(), strict=True))

    def _clip(self) -> float:
        limit = self.settings.max_grad_norm or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(self.parameters.values(), limit)
        return float(norm)

    @property
    def _rank(self) -> int:
        return int(self.accelerator.process_index)

    def _measure(self, log: RunLog, row: dict[str, Any]) -> None:
        """Write a row with the held-out measures beside it."""
        if self.evaluate is not None:
            training = self.run.training
            self.run.eval()
            with torch.no_grad():
                row |= self.evaluate(self.policy)
            self.run.train(training)
        if self.evaluate is not None or row["step"]:
            self._write(log, row)

    def _write(self, log: RunLog, row: dict[str, Any]) -> None:
        log.write(row)
        if self.settings.tracker:
            numbers = {k: v for k, v in row.items() if isinstance(v, (int, float))}
            self.accelerator.log(numbers, step=row["step"])

    def _save_due(self) -> bool:
        steps, minutes = self.settings.save_steps, self.settings.save_minutes
        if steps and self.cursor.done % steps == 0:
            return True
        if minutes is None:
            return False
        return self._agree(time.monotonic() - self.saved_at > minutes * 60)

    def _save(self, optimizer: Any | None) -> None:
        if self.accelerator.is_main_process:
            moments = optimizer_state(optimizer, self.parameters) if optimizer else {}
            self.folder.save(State(self.cursor, dict(self.parameters), moments))
        self.accelerator.wait_for_everyone()
        self.saved_at = time.monotonic()

    def _resume(self) -> None:
        state = self.folder.load()
        if state is None:
            return
        if set(state.weights) != set(self.parameters):
            raise TrainError("the saved state holds other weights", where=self.folder.path)
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(state.weights[name])
        self.cursor = state.cursor
        self._pending = state.optimizer or None

    def _must_stop(self, stop: _Stop) -> bool:
        return self._agree(stop.number is not None)

    def _agree(self, wanted: bool) -> bool:
        """Whether any process wants it; all processes get the same answer."""
        if self.accelerator.num_processes == 1:
            return wanted
        flag = torch.tensor([float(wanted)], device=self.device)
        return bool(self.accelerator.reduce(flag, reduction="sum").item() > 0)

    def _leave(self, stop: _Stop, log: RunLog) -> None:
        number = stop.number or signal.SIGTERM
        log.note(
            f"stopped by {signal.Signals(number).name} after step {self.cursor.done}; "
            "the same command goes on from there"
        )
        raise SystemExit(128 + int(number))


@contextmanager
def _signals() -> Generator[_Stop]:
    """Catch SIGTERM and SIGINT while the block runs (in the main thread)."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    caught = (signal.SIGTERM, signal.SIGINT)
    stop.previous = {int(number): signal.getsignal(number) for number in caught}
    for number in caught:
        signal.signal(number, stop.handle)
    try:
        yield stop
    finally:
        for number, handler in stop.previous.items():
            signal.signal(number, handler)


def _step_seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0]) >> 1
