"""The build skips what is done, resumes what is not, and ends in the same bits."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import solar
from recipe_fixture import make_recipe

from solarmini.artifact import read_manifest, verify_artifact

STAGES = ("base", "grown", "healed", "instructed", "aligned", "merged")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_recipe(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module")
def run(recipe: Path) -> Path:
    folder = recipe.parent / "whole"
    finished = solar("build", recipe, "--run", folder, "--json")
    assert finished.code == 0, finished.err
    assert json.loads(finished.out)["report"] == str(folder / "report.html")
    return folder


def fingerprints(run: Path) -> dict[str, str]:
    manifests = {name: read_manifest(run / name) for name in STAGES}
    return {name: manifest.fingerprint for name, manifest in manifests.items() if manifest}


def test_every_stage_is_an_artifact_with_records(run: Path) -> None:
    for name in STAGES:
        assert verify_artifact(run / name) == []
        assert json.loads((run / "records" / f"{name}.json").read_text())
    for name in ("base", "merged"):
        assert (run / "samples" / f"{name}.json").exists()
    page = (run / "report.html").read_text()
    assert all(name in page for name in STAGES)
    family = solar("show", run / "merged").out
    assert all(name in family for name in ("grown", "healed", "instructed", "aligned"))


def test_second_build_does_nothing(recipe: Path, run: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in run.rglob("*") if p.suffix == ".safetensors"}
    finished = solar("build", recipe, "--run", run)
    assert finished.code == 0
    assert finished.err.count("was done") == len(STAGES)
    assert before == {p: p.stat().st_mtime_ns for p in before}


def killed_when(recipe: Path, run: Path, condition: Callable[[], bool]) -> None:
    """Start a build and kill it the moment `condition` holds."""
    code = "import sys; from solarmini.cli import run; sys.exit(run(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "build", str(recipe), "--run", str(run)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 120
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            assert process.stderr is not None
            pytest.fail(f"never came to the moment to kill: {process.stderr.read()!r}")
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_killed_three_times_ends_with_the_same_bits(recipe: Path, run: Path) -> None:
    other = recipe.parent / "killed"

    def lines(stage: str) -> int:
        log = other / f"{stage}.run" / "metrics.jsonl"
        return log.read_text().count("\n") if log.exists() else 0

    killed_when(recipe, other, lambda: any(other.glob(".grown.partial-*")) or _has(other, "grown"))
    killed_when(recipe, other, lambda: lines("healed") >= 4)
    killed_when(recipe, other, lambda: lines("aligned") >= 2)
    assert not _has(other, "merged")
    finished = solar("build", recipe, "--run", other)
    assert finished.code == 0, finished.err
    assert fingerprints(other) == fingerprints(run)
    assert not list(other.glob(".*partial*"))


def _has(run: Path, stage: str) -> bool:
    return (run / stage / "solar.json").exists()


def test_changed_settings_are_refused_until_redo(recipe: Path, run: Path) -> None:
    changed = recipe.with_name("changed.toml")
    changed.write_text(recipe.read_text().replace("settings.t = [0.5]", "settings.t = [0.25]"))
    refused = solar("build", changed, "--run", run)
    assert refused.code == 2
    assert "stage 'merged' was made with other settings" in refused.err
    assert "--redo merged" in refused.err
    rows = json.loads(solar("build", changed, "--run", run, "--dry-run", "--json").out)["stages"]
    assert [row["state"] for row in rows] == ["done"] * 5 + ["changed"]
    before = fingerprints(run)
    redone = solar("build", changed, "--run", run, "--redo", "merged")
    assert redone.code == 0, redone.err
    after = fingerprints(run)
    assert before.pop("merged") != after.pop("merged")
    assert before == after


def test_unknown_redo(recipe: Path, run: Path) -> None:
    refused = solar("build", recipe, "--run", run, "--redo", "nothing")
    assert refused.code == 2
    assert "--redo names no stage 'nothing'" in refused.err


def test_two_builds_in_one_folder(recipe: Path, tmp_path: Path) -> None:
    import fcntl

    with (tmp_path / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused = solar("build", recipe, "--run", tmp_path)
    assert refused.code == 2
    assert "another build is at work" in refused.err
