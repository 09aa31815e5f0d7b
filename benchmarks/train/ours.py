"""Train with solar-mini on given rows and print what it took; one process, one measurement.

usage: ours.py JOB.json
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solarmini.data.examples import Example
from solarmini.train.loop import Phase, Trainer
from solarmini.train.model import Policy, load_model
from solarmini.train.objectives import Objective, PreferenceObjective, TokenLoss
from solarmini.train.plan import Budget, Pool, plan_steps
from solarmini.train.precision import choose_precision
from solarmini.train.reference import reference_logprobs
from solarmini.train.runfolder import RunFolder
from solarmini.train.session import make_accelerator
from solarmini.train.settings import AlignSettings, InstructSettings


class Rows:
    """Examples in memory."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.examples = [
            Example(np.array(row["ids"], dtype=np.int32), np.array(row["mask"], dtype=bool))
            for row in rows
        ]
        self.lengths = np.array([len(example) for example in self.examples])
        self.supervised = np.array([example.supervised for example in self.examples])

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        return self.examples[index]


class Pairs:
    """Pairs in memory."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.pairs = [
            (
                _joined(row["prompt_ids"], row["chosen_ids"]),
                _joined(row["prompt_ids"], row["rejected_ids"]),
            )
            for row in rows
        ]
        self.lengths = np.array([len(a) + len(b) for a, b in self.pairs])

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Example, Example]:
        return self.pairs[index]


def _joined(prompt: list[int], answer: list[int]) -> Example:
    mask = np.zeros(len(prompt) + len(answer), dtype=bool)
    mask[len(prompt) :] = True
    return Example(np.array(prompt + answer, dtype=np.int32), mask)


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(job["threads"])
    rows = json.loads(Path(job["rows"]).read_text())
    device = torch.device("cpu")
    with tempfile.TemporaryDirectory() as place:
        options: dict[str, Any] = {
            "model": Path(job["model"]),
            "output": Path(place) / "out",
            "batch_size": job["batch_size"],
            "micro_batch_tokens": job.get("micro_batch_tokens", 768),
            "precision": job["precision"],
            "device": "cpu",
            "lr": 1e-5,
            "save_minutes": None,
        }
        kind = AlignSettings if job["kind"] == "dpo" else InstructSettings
        settings = kind(**options)
        precision = choose_precision(settings.precision, device)
        folder = RunFolder(settings.output)
        folder.begin({})
        accelerator = make_accelerator(settings, folder, restart=False)
        policy = Policy(load_model(settings.model, device), precision)
        began = time.perf_counter(), time.process_time()
        objective: Objective
        if job["kind"] == "dpo":
            pairs = Pairs(rows)
            table = reference_logprobs(
                policy,
                pairs,
                cache=folder.path / "reference",
                data_fingerprint="",
                precision=precision,
                micro_batch_tokens=settings.micro_batch_tokens,
            )
            objective = PreferenceObjective(
                pairs,
                table,
                beta=job["beta"],
                label_smoothing=0.0,
            )
        else:
            objective = TokenLoss(Rows(rows))
        prepared = time.perf_counter() - began[0], time.process_time() - began[1]
        if job.get("check"):
            print(json.dumps({"first_loss": _first_loss(policy, objective, job["batch_size"])}))
            return
        steps = plan_steps(
            [Pool(0, objective.lengths)], Budget(epochs=1), batch_size=settings.batch_size, seed=0
        )
        trainer = Trainer(policy, settings, accelerator, folder, None)
        trainer._save = lambda _optimizer: None  # ty: ignore  # writing states is not measured
        began = time.perf_counter(), time.process_time()
        log = trainer.train([Phase("bench", steps, lambda _policy, _resumed: objective)])
        wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    print(
        json.dumps(
            {
                "wall_seconds": wall,
                "cpu_seconds": cpu,
                "reference_cpu_seconds": prepared[1],
                "last_loss": log[-1]["loss"],
                "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "precision": precision,
                "versions": {"torch": torch.__version__},
            }
        )
    )


@torch.no_grad()
def _first_loss(policy: Policy, objective: Objective, size: int) -> float:
    """Loss of the first rows in float32, to be compared with the other side's.

    Preferences: with references of zero, since with real ones it is ln 2 whatever the log-probs.
    """
    policy.precision = "fp32"
    if isinstance(objective, PreferenceObjective):
        objective.reference.zero_()
    rows = range(min(size, len(objective.lengths)))
    loss, _ = objective.loss(policy, rows, torch.device("cpu"))
    return float(loss) / objective.denominator(rows)


if __name__ == "__main__":
    main()
