"""One step is one step, however it is split over forward passes and processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from solarmini.train.objectives import PreferenceObjective, TokenLoss
from tests.conftest import ROOT
from tests.train.common import (
    CPU,
    PairRows,
    Rows,
    gradients,
    log_of,
    make_policy,
    max_difference,
    random_example,
    random_pair,
    write_chats,
    write_pairs,
)


@pytest.mark.parametrize("kind", ["tokens", "pairs"])
def test_one_by_eight_is_eight_by_one_is_two_by_four(kind: str, llama: Path) -> None:
    policy = make_policy("llama", llama)
    rng = np.random.default_rng(5)
    if kind == "tokens":
        objective = TokenLoss(
            Rows([random_example(rng, int(rng.integers(6, 40)), 4) for _ in range(8)])
        )
    else:
        pairs = PairRows([random_pair(rng, *rng.integers(2, 20, 3)) for _ in range(8)])
        reference = rng.normal(-50, 3, (8, 2)).astype(np.float32)
        objective = PreferenceObjective(pairs, reference, beta=0.1, label_smoothing=0.1)
    denominator = objective.denominator(range(8))
    results = []
    for size in (8, 1, 4):
        total = 0.0
        for start in range(0, 8, size):
            loss, _ = objective.loss(policy, range(start, start + size), CPU)
            (loss / denominator).backward()
            total += float(loss.detach()) / denominator
        results.append((total, gradients(policy)))
    for total, found in results[1:]:
        assert total == pytest.approx(results[0][0], abs=1e-6)
        assert max_difference(found, results[0][1]) < 1e-6


def test_two_processes_are_one(llama: Path, tmp_path: Path) -> None:
    chats, pairs = write_chats(tmp_path / "c.jsonl", 13), write_pairs(tmp_path / "p.jsonl", 9)
    # 13 and 9 rows in steps of 4: the last step has one row for two processes
    base = {
        "model": str(llama),
        "batch_size": 4,
        "lr": 1e-3,
        "micro_batch_tokens": 60,
        "precision": "fp32",
        "seq_len": 128,
    }
    stages = {"instruct": {"data": str(chats)}, "align": {"data": str(pairs)}}
    for stage, data in stages.items():
        for count in (1, 2):
            output = tmp_path / f"{stage}-{count}"
            job = {"stage": stage, "settings": {**base, **data, "output": str(output)}}
            path = tmp_path / f"{stage}-{count}.json"
            path.write_text(json.dumps(job))
    running = [
        subprocess.Popen(
            [*_launcher(count), *(str(tmp_path / f"{stage}-{count}.json") for stage in stages)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for count in (1, 2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors[-3000:]
    for stage in stages:
        one, two = tmp_path / f"{stage}-1", tmp_path / f"{stage}-2"
        for a, b in zip(log_of(one), log_of(two), strict=True):
            for key in ("loss", "grad_norm"):
                assert a[key] == pytest.approx(b[key], abs=2e-6)
            assert a["tokens"] == b["tokens"]
        first, second = (load_file(folder / "model.safetensors") for folder in (one, two))
        # Adam divides by the gradient's own size, which turns rounding into rate-sized noise
        # where a gradient is almost zero: compare all weights together
        moved = torch.cat([(first[k] - second[k]).flatten() for k in first])
        assert float(moved.abs().mean()) < 1e-6


def _launcher(processes: int) -> list[str]:
    if processes == 1:
        return [sys.executable, "-m", "tests.train.run_job"]
    return [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={processes}",
        "-m",
        "tests.train.run_job",
    ]
