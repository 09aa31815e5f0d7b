"""The same YAML through mergekit and through us gives the same model."""

from pathlib import Path

import numpy as np
import pytest
from helpers import tiny_model
from oracles import run_mergekit

from solarmini.checkpoint.reader import Checkpoint
from solarmini.merge.mergekit_yaml import read_mergekit
from solarmini.merge.run import run_merge

CONFIGS = {
    "linear": """
merge_method: linear
models:
  - {model: ONE, parameters: {weight: 0.3}}
  - {model: TWO, parameters: {weight: [0.9, 0.1]}}
""",
    "slerp": """
merge_method: slerp
base_model: ONE
slices:
  - sources:
      - {model: ONE, layer_range: [0, 4]}
      - {model: TWO, layer_range: [0, 4]}
parameters:
  t:
    - {filter: self_attn, value: [0, 0.5, 0.3, 0.7, 1]}
    - {filter: mlp, value: [1, 0.5, 0.7, 0.3, 0]}
    - {value: [0.2, 0.9]}
""",
    "ties": """
merge_method: ties
base_model: BASE
models:
  - {model: ONE, parameters: {weight: 1.0, density: 0.4}}
  - {model: TWO, parameters: {weight: 0.6, density: [0.3, 0.8]}}
parameters: {lambda: 0.9}
""",
    "task_arithmetic": """
merge_method: task_arithmetic
base_model: BASE
models:
  - {model: ONE, parameters: {weight: 0.7}}
  - {model: TWO, parameters: {weight: 0.5}}
""",
    "passthrough": """
merge_method: passthrough
slices:
  - sources: [{model: ONE, layer_range: [0, 3]}]
  - sources:
      - model: TWO
        layer_range: [1, 4]
        parameters:
          scale: [{filter: o_proj, value: 0.5}, {filter: mlp, value: [0.1, 2]}, {value: 1}]
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with every merge's YAML, and with what mergekit makes of it."""
    folder = tmp_path_factory.mktemp("oracle")
    models = {
        name: tiny_model("llama", folder / name, seed=seed, tie=False)
        for seed, name in enumerate(("BASE", "ONE", "TWO"))
    }
    merges = {}
    for method, text in CONFIGS.items():
        for name, path in models.items():
            text = text.replace(name, str(path))
        config = folder / f"{method}.yaml"
        config.write_text(text + "dtype: float32\n")
        merges[config] = folder / f"{method}-theirs"
    run_mergekit(merges)
    return folder


@pytest.mark.parametrize("method", list(CONFIGS))
def test_equals_mergekit(method: str, folder: Path) -> None:
    run_merge(read_mergekit(folder / f"{method}.yaml"), folder / f"{method}-ours")
    ours = Checkpoint.open(folder / f"{method}-ours")
    theirs = Checkpoint.open(folder / f"{method}-theirs")
    assert ours.tensors.keys() == theirs.tensors.keys()
    for name in ours.tensors:
        left, right = ours.numpy(name), theirs.numpy(name)
        if method == "passthrough":
            assert np.array_equal(left, right), name
        else:  # sums in another order, roundings of the last bit
            np.testing.assert_allclose(left, right, rtol=0, atol=3e-7, err_msg=name)
