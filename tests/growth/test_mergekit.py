"""Bit-identical to mergekit's passthrough where mergekit works."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch
from growth.reference import load, logits
from helpers import ARCHITECTURES, tiny_model

from solarmini.checkpoint.reader import Checkpoint
from solarmini.growth.methods import dus
from solarmini.growth.upscale import run_upscale

# mergekit 0.1.5 writes weights but crashes on the config where it has per-layer lists, and cannot
# read GPT-NeoX as transformers 5 saves it.
WHOLE = ("llama", "mistral", "phi3", "olmo2", "mixtral")
WEIGHTS_ONLY = ("qwen2", "qwen3", "gemma2", "gemma3")


@pytest.fixture(scope="module")
def merged(mergekit_python: Path, tmp_path_factory) -> dict[str, tuple[Path, Path, str | None]]:
    """{architecture: (base, mergekit's output, mergekit's error)}, all from one process."""
    root = tmp_path_factory.mktemp("mergekit")
    bases = {arch: tiny_model(arch, root / arch, layers=6) for arch in ARCHITECTURES}
    jobs = {str(base): str(root / f"{arch}-merged") for arch, base in bases.items()}
    driver = Path(__file__).with_name("mergekit_driver.py")
    done = subprocess.run(
        [mergekit_python, driver, json.dumps(jobs), "[[0, 4], [2, 6]]"],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    errors = json.loads(done.stdout.splitlines()[-1])
    return {arch: (base, Path(jobs[str(base)]), errors[str(base)]) for arch, base in bases.items()}


# Mixtral: mergekit writes the experts fused, so only what the model computes can be compared.
@pytest.mark.parametrize("arch", [*WHOLE[:-1], *WEIGHTS_ONLY])
def test_weights_are_bit_identical(arch: str, merged, tmp_path: Path) -> None:
    base, theirs, _ = merged[arch]
    ours = Checkpoint.open(run_upscale(base, tmp_path / "ours", plan=dus(6, 2)))
    if not (theirs / "config.json").exists():  # it crashed behind the weights
        (theirs / "config.json").write_text("{}")
    other = Checkpoint.open(theirs)
    assert {n: ours.raw(n) for n in ours.tensors} == {n: other.raw(n) for n in other.tensors}


@pytest.mark.parametrize("arch", WHOLE)
def test_models_compute_the_same(arch: str, merged, tmp_path: Path) -> None:
    base, theirs, error = merged[arch]
    assert error is None
    ours = run_upscale(base, tmp_path / "ours", plan=dus(6, 2))
    assert torch.equal(logits(load(ours)), logits(load(theirs)))


def test_where_mergekit_fails_we_do_not(merged, tmp_path: Path) -> None:
    """If this fails, mergekit got better: move the architecture to WHOLE."""
    for arch in (*WEIGHTS_ONLY, "gpt_neox"):
        base, _, error = merged[arch]
        assert error is not None
        load(run_upscale(base, tmp_path / arch, plan=dus(6, 2)))
