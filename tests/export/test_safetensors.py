"""Another precision, the same model."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import tiny_model
from safetensors.numpy import save_file
from safetensors.torch import load_file

from solarmini.artifact import read_manifest, verify_artifact
from solarmini.errors import ConfigError, ExportError, OutputError
from solarmini.export.safetensors import export_safetensors


@pytest.mark.parametrize("precision", ["f32", "f16", "bf16"])
def test_values_are_rounded_as_torch_rounds(precision: str, tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m", layers=2)
    export_safetensors(folder, tmp_path / "out", precision)
    kind = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[precision]
    before = load_file(folder / "model.safetensors")
    after = load_file(tmp_path / "out/model.safetensors")
    for name, values in before.items():
        assert torch.equal(after[name], values.to(kind)), name
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert model.dtype == kind
    assert verify_artifact(tmp_path / "out") == []
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None
    assert (manifest.stage, manifest.parents[0].name) == ("export", "m")


def test_refusals(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m", layers=2)
    with pytest.raises(ConfigError, match="bf16"):
        export_safetensors(folder, tmp_path / "out", "q8_0")
    weights = {key: value.numpy() for key, value in load_file(folder / "model.safetensors").items()}
    weights["model.norm.weight"] = np.full_like(weights["model.norm.weight"], 1e6)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ExportError, match="16-bit"):
        export_safetensors(folder, tmp_path / "out", "f16")
    assert not (tmp_path / "out").exists()
    export_safetensors(folder, tmp_path / "out", "bf16")
    assert json.loads((tmp_path / "out/config.json").read_text())["dtype"] == "bfloat16"
    with pytest.raises(OutputError):
        export_safetensors(folder, tmp_path / "out", "bf16")
