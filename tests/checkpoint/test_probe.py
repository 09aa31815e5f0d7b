"""A model is done only when transformers loads it whole and it speaks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import tiny_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from solarmini.checkpoint.probe import probe_generates
from solarmini.errors import CheckpointError


def change(folder: Path, **tensors: torch.Tensor | None) -> None:
    """Replace (or with None drop) tensors whose name ends in the given suffix."""
    weights = load_file(folder / "model.safetensors")
    for suffix, value in tensors.items():
        name = next(n for n in weights if n.endswith(suffix.replace("__", ".")))
        if value is None:
            del weights[name]
        else:
            weights[name] = value
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_says_what_generate_says(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m")
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer("The", return_tensors="pt")
    out = model.generate(**inputs, max_new_tokens=8, min_new_tokens=8, do_sample=False)
    expected = tokenizer.decode(out[0, -8:])
    assert probe_generates(folder) == expected


def test_refuses_nan(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m")
    change(folder, model__norm__weight=torch.full((32,), np.nan))
    with pytest.raises(CheckpointError, match="not finite"):
        probe_generates(folder)


def test_refuses_missing_weights_and_foreign_ones(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m")
    change(folder, layers__2__mlp__up_proj__weight=None)
    with pytest.raises(CheckpointError, match=r"missing_keys model\.layers\.2\.mlp\.up_proj"):
        probe_generates(folder)
    folder = tiny_model("llama", tmp_path / "n")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(CheckpointError, match=r"unexpected_keys model\.layers\.3"):
        probe_generates(folder)


def test_refuses_a_folder_without_tokenizer(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(CheckpointError, match="cannot load"):
        probe_generates(folder)
