"""Whole merges on tiny models: exact values, refusals, the artifact that results."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import solar, tiny_model, tiny_tokenizer
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from solarmini.artifact import read_manifest, verify_artifact
from solarmini.checkpoint.reader import Checkpoint
from solarmini.errors import CheckpointError, MergeError, TokenizerMismatchError
from solarmini.merge import methods
from solarmini.merge.run import run_merge
from solarmini.merge.spec import Filtered, MergeSpec


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Return a base and two models that could have been tuned from it."""
    folder = tmp_path_factory.mktemp("family")
    base = tiny_model("llama", folder / "base", seed=0)
    one = tiny_model("llama", folder / "one", seed=1, shard="60KB")
    two = tiny_model("llama", folder / "two", seed=2)
    return base, one, two


def weights(folder: Path) -> dict[str, np.ndarray]:
    checkpoint = Checkpoint.open(folder)
    return {name: checkpoint.numpy(name) for name in checkpoint.tensors}


def test_slerp_endpoints_are_the_models(family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, two = family
    for t, folder in ((0, one), (1, two)):
        done = solar("merge", one, two, "-o", tmp_path / str(t), "--method", "slerp", "--t", t)
        assert done.code == 0, done.err
        made, original = weights(tmp_path / str(t)), weights(folder)
        assert all(made[name].tobytes() == original[name].tobytes() for name in original)


def test_slerp_gradient_over_layers(family: tuple[Path, ...], tmp_path: Path) -> None:
    """Values spread over 4 layers: 0, 1/3, 2/3, 1; outside the layers the first one."""
    _, one, two = family
    done = solar("merge", one, two, "-o", tmp_path / "m", "--method", "slerp", "--t", 0, 1)
    assert done.code == 0, done.err
    made, a, b = weights(tmp_path / "m"), weights(one), weights(two)
    for name in made:
        t = int(name.split(".")[2]) / 3 if "layers" in name else 0
        assert np.array_equal(made[name], methods.slerp(a[name], b[name], t)), name


def test_filters_choose_by_tensor_name(family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, two = family
    cases = Filtered((("self_attn", (0.0, 0.3)), ("mlp", 1.0), (None, 0.5)))
    spec = MergeSpec.whole("slerp", [str(one), str(two)], base=0, parameters={"t": cases})
    run_merge(spec, tmp_path / "m")
    made, a, b = weights(tmp_path / "m"), weights(one), weights(two)
    for name in made:
        t = 0.5
        if "self_attn" in name:
            t = 0.3 * int(name.split(".")[2]) / 3
        elif "mlp" in name:
            t = 1
        expected = methods.slerp(a[name], b[name], t)
        np.testing.assert_allclose(made[name], expected, rtol=0, atol=1e-7, err_msg=name)


def test_linear_task_arithmetic_and_ties(family: tuple[Path, ...], tmp_path: Path) -> None:
    base, one, two = family
    z, a, b = weights(base), weights(one), weights(two)
    both = ["--weights", 0.3, 0.7]
    tasks = {
        "linear": ([], lambda n: methods.linear([a[n], b[n]], [0.3, 0.7])),
        "task_arithmetic": (
            ["--base", base, "--lambda", 0.5],
            lambda n: methods.task_arithmetic(z[n], [a[n], b[n]], [0.3, 0.7], 0.5),
        ),
        "ties": (
            ["--base", base, "--density", 0.4],
            lambda n: methods.ties(z[n], [a[n], b[n]], [0.3, 0.7], [0.4, 0.4]),
        ),
    }
    for method, (options, expected) in tasks.items():
        out = tmp_path / method
        done = solar("merge", one, two, "-o", out, "--method", method, *both, *options, "--json")
        assert done.code == 0, done.err
        made = weights(out)
        assert all(np.array_equal(made[name], expected(name)) for name in z), method
        facts = json.loads(done.out)
        assert facts["parents"] == (
            ["one", "two"] if method == "linear" else ["one", "two", "base"]
        )


def test_result_is_a_model_with_a_family(family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, two = family
    spec = MergeSpec.whole("slerp", [str(one), str(two)], base=0, parameters={"t": 0.5})
    run_merge(spec, tmp_path / "merged")
    manifest = read_manifest(tmp_path / "merged")
    assert manifest is not None
    assert (manifest.stage, manifest.licence) == ("merged", "apache-2.0")
    assert [(p.name, p.role) for p in manifest.parents] == [("one", "base"), ("two", "merged")]
    assert manifest.settings["parameters"] == {"t": 0.5}
    assert manifest.metrics["probe_text"]
    assert verify_artifact(tmp_path / "merged") == []
    auto: Any = AutoModelForCausalLM
    model, report = auto.from_pretrained(tmp_path / "merged", output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert (tmp_path / "merged" / "tokenizer.json").exists()
    assert model.dtype == torch.float32


def test_strictest_licence_is_carried(family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, _ = family
    gemma = tiny_model("llama", tmp_path / "gemma", seed=5)
    (gemma / "README.md").write_text("---\nlicense: gemma\n---\n")
    unknown = tiny_model("llama", tmp_path / "unknown", seed=6)
    (unknown / "README.md").unlink()
    for other, licence in ((gemma, "gemma"), (unknown, None)):
        out = tmp_path / f"with-{other.name}"
        assert solar("merge", one, other, "-o", out).code == 0
        manifest = read_manifest(out)
        assert manifest is not None
        assert manifest.licence == licence


def test_dtype_of_the_first_model(family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, two = family
    narrow = tiny_model("llama", tmp_path / "narrow", seed=1, dtype="bfloat16")
    spec = MergeSpec.whole("slerp", [str(narrow), str(two)], base=0, parameters={"t": 0.5})
    run_merge(spec, tmp_path / "out")
    made, a, b = Checkpoint.open(tmp_path / "out"), weights(narrow), weights(two)
    assert {tensor.dtype for tensor in made.tensors.values()} == {"BF16"}
    for name in a:
        exact = torch.from_numpy(methods.slerp(a[name], b[name], 0.5))
        assert np.array_equal(made.numpy(name), exact.bfloat16().float().numpy()), name
    spec = MergeSpec.whole(
        "slerp", [str(one), str(two)], base=0, parameters={"t": 0.5}, dtype="float16"
    )
    run_merge(spec, tmp_path / "half")
    half = Checkpoint.open(tmp_path / "half")
    assert {tensor.dtype for tensor in half.tensors.values()} == {"F16"}
    assert half.config["dtype"] == "float16"


def refused(one: Path, two: Path, out: Path, error: type[Exception], message: str) -> None:
    spec = MergeSpec.whole("slerp", [str(one), str(two)], base=0, parameters={"t": 0.5})
    with pytest.raises(error, match=message):
        run_merge(spec, out)
    assert not out.exists()
    assert not list(out.parent.glob(".*partial*"))


def test_unlike_tokenizers(family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, _ = family
    other = tiny_model("llama", tmp_path / "other", seed=3)
    path = other / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    vocab = tokenizer["model"]["vocab"]
    last, before = sorted(vocab, key=vocab.__getitem__)[-2:]
    vocab[last], vocab[before] = vocab[before], vocab[last]
    path.write_text(json.dumps(tokenizer))
    refused(one, other, tmp_path / "out", TokenizerMismatchError, "token 382 is")
    tiny_tokenizer(other, vocab=380)
    refused(one, other, tmp_path / "out", TokenizerMismatchError, "token 380 is .* and None")


def test_same_tokenizer_in_another_spelling(family: tuple[Path, ...], tmp_path: Path) -> None:
    """Merges as texts or pairs, indented or not: the same tokenizer."""
    _, one, _ = family
    other = tiny_model("llama", tmp_path / "other", seed=3)
    path = other / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["merges"] = [" ".join(pair) for pair in tokenizer["model"]["merges"]]
    path.write_text(json.dumps(tokenizer))
    assert solar("merge", one, other, "-o", tmp_path / "out").code == 0


def test_unlike_models(family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, _ = family
    deep = tiny_model("llama", tmp_path / "deep", layers=5)
    refused(one, deep, tmp_path / "out", MergeError, "'num_hidden_layers' is 4 and 5")
    qwen = tiny_model("qwen2", tmp_path / "qwen")
    refused(one, qwen, tmp_path / "out", MergeError, "unlike architectures: llama and qwen2")
    turned = tiny_model("llama", tmp_path / "turned", seed=3)
    config = json.loads((turned / "config.json").read_text())
    config["rope_parameters"]["rope_theta"] = 5e5
    (turned / "config.json").write_text(json.dumps(config))
    refused(one, turned, tmp_path / "out", MergeError, "'rope_parameters' is")


def edited(folder: Path, name: str, value: torch.Tensor | None) -> Path:
    tensors = load_file(folder / "model.safetensors")
    if value is None:
        del tensors[name]
    else:
        tensors[name] = value
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_unlike_tensors(family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, _ = family
    name = "model.layers.1.mlp.up_proj.weight"
    lacking = edited(tiny_model("llama", tmp_path / "lacking", seed=3), name, None)
    refused(one, lacking, tmp_path / "out", MergeError, f"'{name}' is in one model only")
    wide = edited(tiny_model("llama", tmp_path / "wide", seed=3), name, torch.ones(65, 32))
    refused(one, wide, tmp_path / "out", MergeError, r"has shape \(64, 32\) and \(65, 32\)")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite(bad: float, family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, _ = family
    name = "model.layers.1.mlp.up_proj.weight"
    value = torch.ones(64, 32)
    value[3, 4] = bad
    broken = edited(tiny_model("llama", tmp_path / "broken", seed=3), name, value)
    refused(one, broken, tmp_path / "out", MergeError, f"'{name}' holds NaN or infinity")


def test_a_result_that_cannot_speak(family: tuple[Path, ...], tmp_path: Path) -> None:
    """Every weight is finite, yet the model is not: found by loading it, before it is an output."""
    _, one, _ = family
    name = "model.layers.1.mlp.up_proj.weight"
    loud = edited(tiny_model("llama", tmp_path / "loud", seed=3), name, torch.full((64, 32), 3e38))
    refused(one, loud, tmp_path / "out", CheckpointError, "logits are not finite")


def test_overflow_of_the_output_type(family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, _ = family
    name = "model.layers.1.mlp.up_proj.weight"
    value = torch.full((64, 32), 2e5)
    huge = edited(tiny_model("llama", tmp_path / "huge", seed=3), name, value)
    spec = MergeSpec.whole(
        "linear",
        [str(one), str(huge)],
        dtype="float16",
        parameters={"normalize": 0.0},
        by_model={0: {"weight": 1.0}, 1: {"weight": 1.0}},
    )
    with pytest.raises(MergeError, match="which F16 cannot hold"):
        run_merge(spec, tmp_path / "out")


def test_command_line_refusals(family: tuple[Path, ...], tmp_path: Path) -> None:
    base, one, two = family
    cases = (
        ([one], "one model cannot be merged"),
        ([one, two, "--method", "ties"], "needs the models' common ancestor"),
        ([one, two, "--method", "linear", "--t", "0.5"], "linear does not use --t"),
        ([one, two, "--method", "slerp", "--base", base], "slerp does not use --base"),
        ([one, two, base, "--method", "slerp"], "slerp takes two models, not 3"),
        ([one, two, "--method", "linear", "--weights", "1", "2", "3"], "3 values for 2 models"),
        ([one, two, "--method", "ties", "--base", one], "the base is one of the models"),
    )
    for arguments, message in cases:
        done = solar("merge", *arguments, "-o", tmp_path / "out")
        assert (done.code, message in done.err) == (2, True), (arguments, done.err)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    done = solar("merge", one, two, "-o", tmp_path / "full")
    assert done.code == 2
    assert "exists already" in done.err


def test_growth_map_is_carried(family: tuple[Path, ...], tmp_path: Path) -> None:
    _, one, _ = family
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "merge_method: passthrough\nslices:\n"
        f"- sources: [{{model: {one}, layer_range: [0, 3]}}]\n"
        f"- sources: [{{model: {one}, layer_range: [1, 4]}}]\n"
    )
    for name in ("a", "b"):
        assert solar("merge", plan, "-o", tmp_path / name).code == 0
    assert solar("merge", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "ab").code == 0
    manifest = read_manifest(tmp_path / "ab")
    assert manifest is not None
    assert manifest.growth is not None
    assert [slot["source"] for slot in manifest.growth["plan"]] == [0, 1, 2, 1, 2, 3]
