"""What a run reports: one JSON row a step, and a line that is alive in the terminal."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from solarmini.console import err, progress_wanted

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_QUIET_SECONDS = 30.0  # between two lines when there is no terminal to draw a bar in


class RunLog:
    """Appends rows to a JSONL file and shows the newest; does nothing on other ranks."""

    def __init__(self, path: Path, total: int, done: int, *, active: bool) -> None:
        self.path = path
        self.total = total
        self.active = active
        self.rows: list[dict[str, Any]] = []
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._done = done
        self._first = done
        self._began = time.monotonic()
        self._told = 0.0

    def __enter__(self) -> Self:
        """Start the bar."""
        if self.active and progress_wanted():
            from rich import progress as bars

            self._bar = bars.Progress(
                bars.TextColumn("{task.description}"),
                bars.BarColumn(),
                bars.MofNCompleteColumn(),
                bars.TextColumn("{task.fields[facts]}"),
                bars.TimeElapsedColumn(),
                bars.TextColumn("eta"),
                bars.TimeRemainingColumn(),
                console=err(),
                transient=False,
            )
            self._bar.start()
            self._task = self._bar.add_task(
                "training", total=self.total, completed=self._done, facts=""
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the bar."""
        if self._bar is not None:
            self._bar.stop()

    def write(self, row: Mapping[str, Any]) -> None:
        """Append a row and show it."""
        if not self.active:
            return
        self.rows.append(dict(row))
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._done = int(row["step"])
        facts = describe(row)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done, facts=facts)
        elif time.monotonic() - self._told > _QUIET_SECONDS or "eval_loss" in row:
            self._told = time.monotonic()
            err().print(f"step {self._done}/{self.total} {facts}{self._eta()}", soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a line beside the bar."""
        if self.active:
            err().print(text, soft_wrap=True)

    def _eta(self) -> str:
        made = self._done - self._first
        if made <= 0:
            return ""
        left = (time.monotonic() - self._began) / made * (self.total - self._done)
        return f" eta {int(left // 60)}:{int(left % 60):02d}"


def describe(row: Mapping[str, Any]) -> str:
    """Return one line: loss, held-out loss, rate, speed, memory."""
    parts = []
    for key, text in (
        ("loss", "loss {:.4f}"),
        ("eval_loss", "held-out {:.4f}"),
        ("accuracy", "accuracy {:.2f}"),
        ("lr", "lr {:.2e}"),
        ("tokens_per_second", "{:,.0f} tok/s"),
    ):
        if row.get(key) is not None:
            parts.append(text.format(row[key]))
    if row.get("memory_bytes"):
        parts.append(f"{row['memory_bytes'] / 1e9:.2f} GB")
    return " ".join(parts)
