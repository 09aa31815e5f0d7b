"""mergekit's YAML: what it means, and that nothing in it is passed over."""

from pathlib import Path

import numpy as np
import pytest
from helpers import solar, tiny_model

from solarmini.artifact import read_manifest
from solarmini.checkpoint.reader import Checkpoint
from solarmini.errors import MergeError
from solarmini.merge import methods
from solarmini.merge.mergekit_yaml import read_mergekit
from solarmini.merge.run import run_merge
from solarmini.merge.spec import Filtered, Slice, Source, evaluate


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pair")
    one = tiny_model("llama", folder / "one", seed=1)
    return one, tiny_model("llama", folder / "two", seed=2)


def written(tmp_path: Path, text: str, pair: tuple[Path, Path] | None = None) -> Path:
    if pair:
        text = text.replace("ONE", str(pair[0])).replace("TWO", str(pair[1]))
    path = tmp_path / "merge.yaml"
    path.write_text(text)
    return path


GRADIENT = """
slices:
  - sources:
      - {model: ONE, layer_range: [0, 4]}
      - {model: TWO, layer_range: [0, 4]}
merge_method: slerp
base_model: ONE
parameters:
  t:
    - filter: self_attn
      value: [0, 0.5, 0.3, 0.7, 1]
    - filter: mlp
      value: [1, 0.5, 0.7, 0.3, 0]
    - value: 0.5
dtype: bfloat16
"""


def test_reads_the_slerp_example(tmp_path: Path) -> None:
    spec = read_mergekit(written(tmp_path, GRADIENT))
    assert (spec.method, spec.models, spec.base, spec.dtype) == (
        "slerp",
        ("ONE", "TWO"),
        0,
        "bfloat16",
    )
    assert spec.slices == (Slice((Source(0, 0, 4), Source(1, 0, 4))),)
    t = spec.parameters["t"]
    assert isinstance(t, Filtered)
    assert evaluate(t, "model.layers.1.self_attn.q_proj.weight", 0.25) == 0.5
    assert evaluate(t, "model.layers.0.self_attn.q_proj.weight", 0.125) == 0.25
    assert evaluate(t, "model.layers.3.mlp.up_proj.weight", 1.0) == 0
    assert evaluate(t, "model.norm.weight", 0.0) == 0.5


def test_slerp_config_end_to_end(pair: tuple[Path, Path], tmp_path: Path) -> None:
    text = GRADIENT.replace("bfloat16", "float32")
    done = solar("merge", written(tmp_path, text, pair), "-o", tmp_path / "out")
    assert done.code == 0, done.err
    one, two, made = (Checkpoint.open(p) for p in (*pair, tmp_path / "out"))
    name = "model.layers.1.self_attn.q_proj.weight"  # a third of the way: 4/3 of 4 steps
    t = (1 - 1 / 3) * 0.5 + 1 / 3 * 0.3
    expected = methods.slerp(one.numpy(name), two.numpy(name), t)
    np.testing.assert_allclose(made.numpy(name), expected, rtol=0, atol=1e-7)
    head = "model.embed_tokens.weight"
    assert np.array_equal(made.numpy(head), methods.slerp(one.numpy(head), two.numpy(head), 0.5))


STACK = """
merge_method: passthrough
slices:
  - sources:
      - model: ONE
        layer_range: [0, 3]
  - sources:
      - model: TWO
        layer_range: [1, 4]
        parameters:
          scale:
            - filter: o_proj
              value: 0.0
            - filter: down_proj
              value: 0.25
            - value: 1.0
"""


def test_passthrough_of_two_models_with_scale(pair: tuple[Path, Path], tmp_path: Path) -> None:
    run_merge(read_mergekit(written(tmp_path, STACK, pair)), tmp_path / "out")
    one, two, made = (Checkpoint.open(p) for p in (*pair, tmp_path / "out"))
    assert made.config["num_hidden_layers"] == 6
    origins = [(one, 0), (one, 1), (one, 2), (two, 1), (two, 2), (two, 3)]
    for index, (source, layer) in enumerate(origins):
        for name in [n for n in one.tensors if n.startswith("model.layers.0.")]:
            suffix = name.removeprefix("model.layers.0.")
            got = made.numpy(f"model.layers.{index}.{suffix}")
            original = source.numpy(f"model.layers.{layer}.{suffix}")
            factor = 1.0
            if source is two and "o_proj" in name:
                factor = 0.0
            elif source is two and "down_proj" in name:
                factor = 0.25
            assert np.array_equal(got, original * np.float32(factor)), (index, suffix)
    assert made.raw("model.embed_tokens.weight") == one.raw("model.embed_tokens.weight")
    assert made.raw("model.norm.weight") == two.raw("model.norm.weight")
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None
    assert manifest.growth is not None
    assert [(s["source"], s["model"]) for s in manifest.growth["plan"]] == [
        (0, 0),
        (1, 0),
        (2, 0),
        (1, 1),
        (2, 1),
        (3, 1),
    ]


def test_linear_slices_with_weights_nearest_first(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """A source's own weight wins over the slice's, the slice's over the file's."""
    text = """
merge_method: linear
slices:
  - sources:
      - {model: ONE, layer_range: [0, 2], parameters: {weight: 3}}
      - {model: TWO, layer_range: [0, 2]}
    parameters: {weight: 2}
  - sources:
      - {model: ONE, layer_range: [2, 4]}
      - {model: TWO, layer_range: [1, 3]}
parameters: {weight: 1, normalize: true}
"""
    run_merge(read_mergekit(written(tmp_path, text, pair)), tmp_path / "out")
    one, two, made = (Checkpoint.open(p) for p in (*pair, tmp_path / "out"))
    for index, share, other in ((1, (3, 2), 1), (2, (1, 1), 1), (3, (1, 1), 2)):
        suffix = "mlp.up_proj.weight"
        a = one.numpy(f"model.layers.{index}.{suffix}")
        b = two.numpy(f"model.layers.{other}.{suffix}")
        got = made.numpy(f"model.layers.{index}.{suffix}")
        assert np.array_equal(got, methods.linear([a, b], share)), index
    for name, share in (("model.embed_tokens.weight", (3, 2)), ("model.norm.weight", (1, 1))):
        expected = methods.linear([one.numpy(name), two.numpy(name)], share)
        assert np.array_equal(made.numpy(name), expected), name


def test_whole_models_and_base_added(tmp_path: Path) -> None:
    text = """
merge_method: ties
models:
  - {model: A, parameters: {weight: 1.0, density: 0.5}}
  - {model: B, parameters: {weight: [0, 1]}}
base_model: Z
parameters: {lambda: 0.8, density: 1}
tokenizer_source: base
"""
    spec = read_mergekit(written(tmp_path, text))
    assert spec.models == ("Z", "A", "B")
    assert [source.model for source in spec.slices[0].sources] == [1, 2, 0]
    assert spec.slices[0].sources[1].parameters == {"weight": (0.0, 1.0)}
    assert spec.parameters == {"lambda": 0.8, "density": 1.0}


@pytest.mark.parametrize(
    ("old", "new", "message", "where"),
    [
        ("dtype:", "dtyp:", "'dtyp' is not supported", "dtyp"),
        ("base_model:", "tokenizer_source: union\nbase_model:", "tokenizer_source", "tokenizer"),
        ("dtype: bfloat16", "chat_template: auto", "'chat_template' is not supported", "chat"),
        ("merge_method: slerp", "merge_method: dare_ties", "'dare_ties' is not supported", "merge"),
        ("  t:", "  tt:", "'tt' is not supported", "parameters.tt"),
        ("filter: mlp", "only: mlp", "'only' is not supported", "parameters.t[1].only"),
        ("dtype: bfloat16", "dtype: int8", "dtype 'int8'", "dtype"),
        ("layer_range: [0, 4]}", "layer_range: [0]}", "two numbers", "layer_range"),
        ("base_model: ONE", "base_model: ONE+lora", "adapters", "base_model"),
        ("value: 0.5", "value: half", "'half' is no number", "parameters.t[2].value"),
        ("base_model: ONE\n", "", "slerp needs 'base_model'", "base_model"),
        ("slices:", "models: []\nslices:", "exactly one of", "slices"),
        ("  - sources:", "  - residual_weight: 1\n    sources:", "residual_weight", "slices[0]"),
        ("dtype:", "dtype: float32\ndtype:", "'dtype' is written twice", "line 16"),
        ("dtype:", "x: !!python/object:os.system {}\ndtype:", "not valid YAML", "merge.yaml"),
    ],
)
def test_every_unknown_key_is_named(
    old: str, new: str, message: str, where: str, tmp_path: Path
) -> None:
    assert old in GRADIENT
    path = written(tmp_path, GRADIENT.replace(old, new, 1))
    with pytest.raises(MergeError) as caught:
        read_mergekit(path)
    assert message in caught.value.what
    assert where in str(caught.value.where)


def test_layers_that_do_not_exist(pair: tuple[Path, Path], tmp_path: Path) -> None:
    path = written(tmp_path, STACK.replace("[1, 4]", "[1, 5]"), pair)
    with pytest.raises(MergeError, match=r"layers 1 to 5 \(exclusive\) do not exist"):
        run_merge(read_mergekit(path), tmp_path / "out")
    uneven = GRADIENT.replace("TWO, layer_range: [0, 4]", "TWO, layer_range: [0, 3]")
    with pytest.raises(MergeError, match="the sources give 3 and 4 layers"):
        run_merge(read_mergekit(written(tmp_path, uneven, pair)), tmp_path / "out")


def test_options_beside_a_file_are_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    path = written(tmp_path, STACK, pair)
    done = solar("merge", path, "-o", tmp_path / "out", "--t", "0.5")
    assert done.code == 2
    assert "a configuration file says everything itself" in done.err
