"""A run that was killed, stopped and started again ends with the same bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from solarmini.artifact import hash_file
from solarmini.errors import TrainError
from solarmini.train.pretrain import run_pretrain
from solarmini.train.runfolder import Cursor, RunFolder, State, first_difference
from solarmini.train.settings import PretrainSettings
from tests.conftest import ROOT
from tests.train.common import log_of, write_chats, write_pairs, write_text

COMMON = {"seq_len": 96, "batch_size": 2, "save_steps": 3, "lr": 1e-3, "save_minutes": None}


def _jobs(model: Path, place: Path) -> dict[str, dict]:
    text, chats = write_text(place / "t.jsonl"), write_chats(place / "c.jsonl")
    pairs = write_pairs(place / "p.jsonl")
    base = {"model": str(model), **COMMON}
    lora = {"train": "lora", "lora": {"rank": 4, "dropout": 0.1}}
    text_data = {"data": str(text), "eval": [f"{text}@5"], "eval_every": 4, "max_steps": 24}
    steps = {"steps": [f"{pairs}@12", str(pairs)], "eval": [f"{pairs}@4"]}
    return {
        "full": {"stage": "pretrain", "settings": base | text_data},
        "lora": {"stage": "instruct", "settings": base | lora | {"data": str(chats), "epochs": 2}},
        "sdpo": {"stage": "align", "settings": base | steps},
        "sdpo-lora": {"stage": "align", "settings": base | lora | steps},
    }


# rows of the log after which a start is stopped, seconds more, and how
STOPS: dict[str, list[tuple[int, float, str]]] = {
    "full": [(2, 0.0, "SIGKILL"), (8, 0.004, "SIGKILL"), (15, 0.0, "SIGTERM"), (20, 0.1, "SIGINT")],
    "lora": [(5, 0.001, "SIGKILL"), (14, 0.006, "SIGKILL")],
    "sdpo": [(3, 0.0, "SIGKILL"), (8, 0.003, "SIGKILL"), (13, 0.002, "SIGKILL")],
    "sdpo-lora": [(6, 0.01, "SIGKILL"), (9, 0.0, "SIGTERM")],
}


def test_stopped_at_any_moment_ends_with_the_same_weights(llama: Path, tmp_path: Path) -> None:
    jobs = _jobs(llama, tmp_path)
    rows = []
    for name, job in jobs.items():
        for kind, stops in (("whole", []), ("stopped", STOPS[name])):
            settings = job["settings"] | {"output": str(tmp_path / f"{name}-{kind}")}
            rows.append({"job": {**job, "settings": settings}, "stops": stops})
    (tmp_path / "jobs.json").write_text(json.dumps(rows))
    done = subprocess.run(
        [sys.executable, "-m", "tests.train.kill_driver", tmp_path / "jobs.json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    codes = [json.loads(line) for line in done.stdout.splitlines()]
    answers = {"SIGKILL": {-9}, "SIGTERM": {143, -15}, "SIGINT": {130}}
    for row, found in zip(rows, codes, strict=True):
        assert found[-1] == 0, done.stderr[-3000:]
        for code, (_, _, name) in zip(found[:-1], row["stops"], strict=False):
            assert code in answers[name]
        assert any(found) == bool(row["stops"])
    assert "the same command goes on from there" in done.stderr
    for name in jobs:
        whole, stopped = tmp_path / f"{name}-whole", tmp_path / f"{name}-stopped"
        assert hash_file(whole / "model.safetensors") == hash_file(stopped / "model.safetensors")
        assert hash_file(llama / "model.safetensors") != hash_file(whole / "model.safetensors")
        timing = {"seconds", "tokens_per_second", "memory_bytes"}
        logs = [
            [{k: v for k, v in row.items() if k not in timing} for row in log_of(folder)]
            for folder in (whole, stopped)
        ]
        assert logs[0] == logs[1]
        assert not list(tmp_path.glob("*.run"))


def test_changed_settings_are_named(llama: Path, tmp_path: Path) -> None:
    text = write_text(tmp_path / "t.jsonl")
    options = {"model": llama, "output": tmp_path / "o", "data": str(text), "max_steps": 2}
    first = PretrainSettings(**options, seq_len=64, device="cpu")
    RunFolder(first.output).begin({"lr": 1.0})
    with pytest.raises(TrainError, match=r"'lr' was 1\.0, is 2\.0"):
        RunFolder(first.output).begin({"lr": 2.0})
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 2}}) == ("a.b", 1, 2)
    assert first_difference({"a": 1}, {"a": 1, "c": 3}) == ("c", None, 3)
    with pytest.raises(TrainError, match="a run with other settings was begun here") as caught:
        run_pretrain(first)
    assert "--restart" in str(caught.value)
    assert run_pretrain(first, restart=True) == tmp_path / "o"
    assert not RunFolder(first.output).path.exists()


def test_a_torn_log_and_a_torn_state_are_passed_over(tmp_path: Path) -> None:
    import torch

    folder = RunFolder(tmp_path / "o")
    folder.begin({})
    folder.log_path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"ste')
    assert [row["step"] for row in folder.cut_log(2)] == [1, 2]
    assert folder.log_path.read_text() == '{"step": 1}\n{"step": 2}\n'
    assert folder.load() is None
    weights = {"w": torch.arange(3.0)}
    folder.save(State(Cursor(step=2, done=2), weights, {}))
    folder.save(State(Cursor(step=4, done=4), weights, {"w/exp_avg": torch.ones(3)}))
    assert [p.name for p in (folder.path / "state").iterdir()] == ["step-000000004-000"]
    (folder.path / "state" / ".step-000000006-000.partial").mkdir()
    state = folder.load()
    assert state is not None
    assert state.cursor == Cursor(step=4, done=4)
    assert state.optimizer["w/exp_avg"].tolist() == [1.0, 1.0, 1.0]
