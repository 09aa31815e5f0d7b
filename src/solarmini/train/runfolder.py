"""The run folder `<output>.run`: settings, measures and the last complete state.

    settings.json          what the run was started with, and what it is made of
    metrics.jsonl          one row per step
    state/step-000123/     weights.safetensors, optimizer.safetensors, cursor.json (written last)
    data/, reference/      caches that are built again when lost

A state is written beside its place, flushed and renamed; the one before it is removed only then.
Whatever moment a process dies at, the newest complete state leads to the same final weights.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from solarmini.checkpoint.atomic import fsync_folder, fsync_tree, write_file_atomic
from solarmini.errors import TrainError

_CURSOR = "cursor.json"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a run stands: `step` optimizer steps of phase `phase` are done.

    `done` counts the steps of all phases, `tokens` and `seconds` what they took; `facts` keeps
    numbers that later rows of the log need.
    """

    phase: int = 0
    step: int = 0
    done: int = 0
    tokens: int = 0
    seconds: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """A saved state: the cursor, the trained weights, and AdamW's moments by weight name."""

    cursor: Cursor
    weights: dict[str, torch.Tensor]
    optimizer: dict[str, torch.Tensor]


class RunFolder:
    """Reads and writes one run's folder."""

    def __init__(self, output: Path) -> None:
        self.path = output.absolute().with_name(output.name + ".run")

    @property
    def log_path(self) -> Path:
        """The measures, a row a step."""
        return self.path / "metrics.jsonl"

    def remove(self) -> None:
        """Forget an earlier start."""
        if self.path.exists():
            shutil.rmtree(self.path)

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Make the folder, or check that it belongs to a run with the same `identity`.

        Raises TrainError naming the first key that differs.
        """
        path = self.path / "settings.json"
        new = json.loads(json.dumps(identity, default=str))
        if path.exists():
            old = json.loads(path.read_text(encoding="utf-8"))
            changed = first_difference(old, new)
            if changed:
                key, before, now = changed
                raise TrainError(
                    f"a run with other settings was begun here: '{key}' was {before!r}, is {now!r}",
                    where=self.path,
                    mend="go back to the old value to resume, or give --restart to begin anew",
                )
            return
        self.path.mkdir(parents=True, exist_ok=True)
        write_file_atomic(path, json.dumps(new, indent=2, ensure_ascii=False) + "\n")

    def save(self, state: State) -> None:
        """Write a state and then remove older ones."""
        from safetensors.torch import save_file

        states = self.path / "state"
        states.mkdir(parents=True, exist_ok=True)
        final = states / f"step-{state.cursor.done:09d}-{state.cursor.phase:03d}"
        if final.exists():  # written by an earlier start of this run, from the same numbers
            return
        staging = states / f".{final.name}.partial"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        save_file(_plain(state.weights), staging / "weights.safetensors")
        save_file(_plain(state.optimizer), staging / "optimizer.safetensors")
        cursor = json.dumps(asdict(state.cursor), indent=2) + "\n"
        (staging / _CURSOR).write_text(cursor, encoding="utf-8")
        fsync_tree(staging)
        staging.rename(final)
        fsync_folder(states)
        for old in states.iterdir():
            if old != final:
                shutil.rmtree(old, ignore_errors=True)

    def load(self) -> State | None:
        """Read the newest complete state, None if there is none yet."""
        from safetensors.torch import load_file

        found = sorted((self.path / "state").glob("step-*"))
        if not found:
            return None
        folder = found[-1]
        cursor = Cursor(**json.loads((folder / _CURSOR).read_text(encoding="utf-8")))
        return State(
            cursor=cursor,
            weights=load_file(folder / "weights.safetensors"),
            optimizer=load_file(folder / "optimizer.safetensors"),
        )

    def cut_log(self, done: int) -> list[dict[str, Any]]:
        """Forget rows after step `done` (they are made again); return the rows that stay."""
        if not self.log_path.exists():
            return []
        kept: list[dict[str, Any]] = []
        for line in self.log_path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                break  # the process died while it wrote this line
            if row["step"] > done:
                break
            kept.append(row)
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
        write_file_atomic(self.log_path, text)
        return kept

    def finish(self, *, keep_logs: bool) -> None:
        """Remove what only an unfinished run needs."""
        if not keep_logs:
            shutil.rmtree(self.path, ignore_errors=True)
            return
        for name in ("state", "data", "reference"):
            shutil.rmtree(self.path / name, ignore_errors=True)


def first_difference(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = ""
) -> tuple[str, Any, Any] | None:
    """Return (dotted key, old value, new value) of the first difference."""
    for key in [*old, *(key for key in new if key not in old)]:
        before, now = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            inner = first_difference(before, now, f"{prefix}{key}.")
            if inner:
                return inner
        elif before != now:
            return f"{prefix}{key}", before, now
    return None


def _plain(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
