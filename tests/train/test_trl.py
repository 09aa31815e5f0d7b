"""TRL as the oracle: the same loss and the same gradients on the same batch."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from solarmini.train.model import Policy, load_model
from solarmini.train.objectives import PreferenceObjective, TokenLoss
from tests.train.common import (
    CPU,
    PairRows,
    Rows,
    gradients,
    max_difference,
    random_example,
    random_pair,
)

ORACLE = Path(__file__).with_name("trl_oracle.py")
BETA = 0.1


def test_loss_and_gradients_equal_trl(llama: Path, trl_python: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [random_example(rng, n, prompt) for n, prompt in ((30, 9), (7, 3), (19, 12), (25, 1))]
    pairs = [random_pair(rng, *sizes) for sizes in ((12, 5, 9), (3, 14, 2), (20, 4, 4))]
    reference = rng.normal(-60, 5, (len(pairs), 2)).astype(np.float32)
    prompts = (12, 3, 20)
    cases = {
        "beta": BETA,
        "sft": [{"ids": r.ids.tolist(), "mask": r.mask.tolist()} for r in rows],
        "dpo": [
            {
                "prompt_ids": chosen.ids[:prompt].tolist(),
                "chosen_ids": chosen.ids[prompt:].tolist(),
                "rejected_ids": rejected.ids[prompt:].tolist(),
                "ref_chosen_logps": float(reference[i, 0]),
                "ref_rejected_logps": float(reference[i, 1]),
            }
            for i, ((chosen, rejected), prompt) in enumerate(zip(pairs, prompts, strict=True))
        ],
    }
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    out = tmp_path / "trl.safetensors"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    done = subprocess.run(
        [trl_python, ORACLE, llama, tmp_path / "cases.json", out],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    oracle = load_file(out)

    policy = Policy(load_model(llama, CPU))
    sft = TokenLoss(Rows(rows))
    loss, _ = sft.loss(policy, range(4), CPU)
    loss = loss / sft.denominator(range(4))
    loss.backward()
    _compare(oracle, "sft", loss, policy)

    dpo = PreferenceObjective(PairRows(pairs), reference, beta=BETA, label_smoothing=0.0)
    loss, _ = dpo.loss(policy, range(3), CPU)
    loss = loss / dpo.denominator(range(3))
    loss.backward()
    _compare(oracle, "dpo", loss, policy)


def _compare(
    oracle: dict[str, torch.Tensor], name: str, loss: torch.Tensor, policy: Policy
) -> None:
    assert abs(float(loss.detach()) - float(oracle[f"{name}/loss"])) < 1e-5
    theirs = {
        "model." + key.removeprefix(f"{name}/"): value
        for key, value in oracle.items()
        if key.startswith(f"{name}/") and not key.endswith("/loss")
    }
    ours = gradients(policy)
    assert max(float(value.abs().max()) for value in theirs.values()) > 1e-3
    assert max_difference(ours, theirs) < 1e-5
