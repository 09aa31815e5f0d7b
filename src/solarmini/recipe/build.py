"""`solar build`: run what a recipe names and is not done yet; end with the report.

A run folder holds one model folder per stage, `records/`, `samples/`, `report.html` and
`build.json`, which says what was made of what. A build killed at any moment and started again
skips finished stages and resumes the one it was in.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from solarmini.artifact import hash_file, read_manifest
from solarmini.checkpoint.atomic import write_file_atomic
from solarmini.console import err
from solarmini.errors import ConfigError, OutputError
from solarmini.recipe.schema import Recipe, Stage
from solarmini.recipe.stages import (
    check_measures,
    check_settings,
    measure,
    run_stage,
    sample,
    write_report,
)

BUILD_FILE = "build.json"


def build(recipe: Recipe, here: Path, run: Path, *, redo: Sequence[str] = ()) -> Path:
    """Run `recipe` into the folder `run`; return the path of the report.

    `here` is the recipe's folder. `redo` names stages to make again, with all that come of them.
    Raises ConfigError when a finished stage was made with other settings or data, OutputError when
    another build is at work in `run`, and whatever a stage raises.
    """
    check(recipe)
    run.mkdir(parents=True, exist_ok=True)
    with _lock(run):
        state = _State(recipe, here, run)
        state.remove(_descendants(recipe, redo))
        for number, stage in enumerate(recipe.stage, start=1):
            _one(state, stage, f"[{number}/{len(recipe.stage)}] {stage.kind} {stage.name}")
        state.finish()
        return write_report(run)


def check(recipe: Recipe) -> None:
    """Check every stage's settings and the measures; ConfigError before anything was begun."""
    for stage in recipe.stage:
        check_settings(stage)
    if any(stage.evaluate for stage in recipe.stage):
        check_measures(recipe.evaluate)


def plan(recipe: Recipe, here: Path, run: Path) -> list[dict[str, str]]:
    """Return what a build would do: one row per stage, with its state (done, to do, changed)."""
    check(recipe)
    state = _State(recipe, here, run)
    return [
        {
            "stage": stage.name,
            "kind": stage.kind,
            "from": ", ".join(stage.parents),
            "state": state.status(stage),
        }
        for stage in recipe.stage
    ]


def _one(state: "_State", stage: Stage, label: str) -> None:
    folder = state.run / stage.name
    status = state.status(stage)
    if status == "changed":
        raise ConfigError(
            f"stage '{stage.name}' was made with other settings or data",
            where=folder,
            mend=f"build with --redo {stage.name}, or into another run folder",
        )
    if status == "done":
        err().print(f"[green]✓[/] {label} [dim]was done[/]")
    else:
        err().print(f"[bold]▶ {label}[/]")
        started = time.monotonic()
        state.note(stage, key=state.key(stage))
        run_stage(stage, [state.run / parent for parent in stage.parents], folder)
        state.note(stage, seconds=round(time.monotonic() - started, 1))
    if stage.evaluate:
        _measured(state, stage, folder)
    if stage.samples:
        _sampled(state, stage, folder)


def _measured(state: "_State", stage: Stage, folder: Path) -> None:
    path = state.run / "records" / f"{stage.name}.json"
    key = _digest([_fingerprint(folder), state.plain(state.recipe.evaluate)])
    if path.exists() and state.entry(stage).get("measured") == key:
        return
    started = time.monotonic()
    measure(folder, state.recipe.evaluate, path)
    state.note(stage, records=f"records/{path.name}", measured=key)
    err().print(f"  [dim]measured in {time.monotonic() - started:.0f} s[/]")


def _sampled(state: "_State", stage: Stage, folder: Path) -> None:
    path = state.run / "samples" / f"{stage.name}.json"
    recipe = state.recipe
    key = _digest([_fingerprint(folder), recipe.prompts, recipe.answer_tokens])
    if path.exists() and state.entry(stage).get("sampled") == key:
        return
    sample(folder, recipe.prompts, recipe.answer_tokens, path)
    state.note(stage, samples=f"samples/{path.name}", sampled=key)


class _State:
    """What build.json says, kept on disk after every change."""

    def __init__(self, recipe: Recipe, here: Path, run: Path) -> None:
        self.recipe = recipe
        self.run = run
        self._here = str(here.absolute())
        self._path = run / BUILD_FILE
        self._entries: dict[str, dict[str, Any]] = {}
        self._started = _now()
        if self._path.exists():
            saved = json.loads(self._path.read_text(encoding="utf-8"))
            self._started = saved["started"]
            self._entries = {entry["name"]: entry for entry in saved["stages"]}

    def entry(self, stage: Stage) -> dict[str, Any]:
        """Return what is noted of a stage."""
        return self._entries.get(stage.name, {})

    def status(self, stage: Stage) -> str:
        """Return "done", "to do", or "changed" (done or begun with other settings or data)."""
        noted = self.entry(stage).get("key")
        exists = read_manifest(self.run / stage.name) is not None
        if noted is None and exists:
            return "changed"
        if noted is not None and noted != self.key(stage):
            return "changed"
        return "done" if exists else "to do"

    def key(self, stage: Stage) -> str:
        """Digest of all that decides a stage's result: settings, data, and its parents' keys."""
        by_name = {other.name: other for other in self.recipe.stage}
        parents = [self.key(by_name[name]) for name in stage.parents]
        return _digest([stage.kind, self.plain(stage.settings), parents])

    def plain(self, settings: Mapping[str, Any]) -> list[Any]:
        """Settings without the machine's paths, and the hashes of the files they name."""
        text = json.dumps(settings, sort_keys=True, default=str)
        files = {path.name: hash_file(path) for path in _files_named(settings)}
        return [text.replace(self._here, "{here}"), files]

    def note(self, stage: Stage, **facts: object) -> None:
        """Add facts about a stage and save."""
        entry = self._entries.setdefault(stage.name, {"name": stage.name})
        entry |= {
            "kind": stage.kind,
            "from": list(stage.parents),
            "path": stage.name,
            "role": stage.role,
        }
        entry.setdefault("records", None)
        entry.setdefault("samples", None)
        entry |= facts
        self._save(None)

    def remove(self, names: Sequence[str]) -> None:
        """Remove the models, records and samples of the named stages."""
        for name in names:
            for path in (self.run / name, self.run / f"{name}.run"):
                shutil.rmtree(path, ignore_errors=True)
            for kind in ("records", "samples"):
                (self.run / kind / f"{name}.json").unlink(missing_ok=True)
            self._entries.pop(name, None)
        if names:
            self._save(None)

    def finish(self) -> None:
        """Note that all stages are done."""
        self._save(_now())

    def _save(self, finished: str | None) -> None:
        content = {
            "recipe": self.recipe.name,
            "name": self.recipe.title or self.recipe.name,
            "started": self._started,
            "finished": finished,
            "machine": f"{platform.machine()} {platform.system()}, {os.cpu_count()} cores",
            "stages": [
                self._entries[stage.name]
                for stage in self.recipe.stage
                if stage.name in self._entries
            ],
        }
        write_file_atomic(self._path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def _lock(run: Path) -> Generator[None]:
    with (run / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                "another build is at work in this run folder", where=run, mend="wait for it to end"
            ) from None
        yield


def _descendants(recipe: Recipe, names: Sequence[str]) -> list[str]:
    known = {stage.name for stage in recipe.stage}
    for name in names:
        if name not in known:
            raise ConfigError(
                f"--redo names no stage '{name}'", mend=f"stages: {', '.join(sorted(known))}"
            )
    found = set(names)
    for stage in recipe.stage:  # stages come in order, so one pass reaches all descendants
        if found.intersection(stage.parents):
            found.add(stage.name)
    return [stage.name for stage in recipe.stage if stage.name in found]


def _files_named(value: Any) -> list[Path]:
    """Return the files that strings anywhere in `value` name (`FILE`, `FILE#split`, `FILE@n`)."""
    if isinstance(value, str):
        path = Path(value.split("#")[0].split("@")[0])
        return [path] if path.is_absolute() and path.is_file() else []
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [path for inner in value for path in _files_named(inner)]
    return []


def _fingerprint(folder: Path) -> str:
    manifest = read_manifest(folder)
    return manifest.fingerprint if manifest else ""


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
