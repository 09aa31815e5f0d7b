"""Reading model folders and writing them tensor by tensor."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import ARCHITECTURES, tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from solarmini.checkpoint.layers import LayerNames
from solarmini.checkpoint.reader import Checkpoint, read_tensor
from solarmini.checkpoint.safetensors import read_header
from solarmini.checkpoint.writer import OutTensor, Zeros, write_checkpoint
from solarmini.errors import CheckpointError, UnsafeFormatError


def copy_all(checkpoint: Checkpoint) -> list[OutTensor]:
    return [OutTensor(t.name, t.dtype, t.shape, t) for t in checkpoint.tensors.values()]


@pytest.mark.parametrize("shard", ["5GB", "40KB"])
def test_copy_is_bit_identical_and_hashes_are_right(tmp_path: Path, shard: str) -> None:
    source = Checkpoint.open(tiny_model("llama", tmp_path / "a", shard=shard))
    out = tmp_path / "b"
    out.mkdir()
    hashes = write_checkpoint(out, copy_all(source), max_shard_bytes=50_000)
    shutil.copy(tmp_path / "a" / "config.json", out)
    copied = Checkpoint.open(out)
    assert len(hashes) > 1
    assert copied.parameter_count == source.parameter_count
    for name in source.tensors:
        assert copied.raw(name) == source.raw(name)
    for name, digest in hashes.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
        load_file(out / name)


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 300), min_size=1, max_size=12),
    limit=st.integers(1, 1000),
)
def test_shards_keep_every_tensor_and_respect_the_limit(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    arrays = {f"t{i}": np.arange(size, dtype=np.uint8) for i, size in enumerate(sizes)}
    tensors = [OutTensor(name, "U8", array.shape, array.tobytes) for name, array in arrays.items()]
    files = write_checkpoint(folder, tensors, max_shard_bytes=limit)
    seen: dict[str, np.ndarray] = {}
    for name in files:
        content = load_file(folder / name)
        assert len(content) == 1 or sum(a.nbytes for a in content.values()) <= limit
        seen |= content
    assert {name: array.tolist() for name, array in seen.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }


def test_zeros_are_written_without_being_held(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, [OutTensor("z", "BF16", (3, 5_000_000), Zeros())])
    info = read_header(tmp_path / "model.safetensors")["z"]
    assert info.shape == (3, 5_000_000)
    assert not any(read_tensor(info))


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_layers_of_every_architecture_are_found(tmp_path: Path, arch: str) -> None:
    checkpoint = Checkpoint.open(tiny_model(arch, tmp_path / arch))
    names = LayerNames.find(checkpoint.tensors, checkpoint.config)
    assert names.count == 4
    splits = {name: names.split(name) for name in checkpoint.tensors}
    assert {split[0] for split in splits.values() if split} == {0, 1, 2, 3}
    assert all(names.join(*split) == name for name, split in splits.items() if split)
    assert any(split is None and "embed" in name for name, split in splits.items())


def test_missing_layer_is_named() -> None:
    names = [f"model.layers.{i}.mlp.up_proj.weight" for i in (0, 1, 3)]
    with pytest.raises(CheckpointError, match=r"states 4 layers .* missing \[2\]"):
        LayerNames.find(names, {"num_hidden_layers": 4})


def test_missing_shard(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "a", shard="40KB")
    victim = sorted(folder.glob("model-*.safetensors"))[1]
    victim.unlink()
    with pytest.raises(CheckpointError, match=f"shard {victim.name} is missing"):
        Checkpoint.open(folder)


def test_shard_outside_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "a", shard="40KB")
    index = folder / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    name = next(iter(content["weight_map"]))
    content["weight_map"][name] = "../secret.safetensors"
    index.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="not a safetensors file of this folder"):
        Checkpoint.open(folder)


def test_pickle_only_folder_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"num_hidden_layers": 2}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(UnsafeFormatError, match="pickled"):
        Checkpoint.open(tmp_path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [(None, "no config.json"), ("{", "not valid JSON"), ("[]", "not a JSON object")],
)
def test_bad_config(tmp_path: Path, config: str | None, message: str) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(CheckpointError, match=message):
        Checkpoint.open(tmp_path)
