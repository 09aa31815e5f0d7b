"""Bad input: each refused with its own message, and never half a model left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest
from growth.sparse import write_sparse
from helpers import solar, tiny_model

from solarmini.checkpoint.reader import INDEX_NAME

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("llama"), layers=4, shard="40KB")


@pytest.fixture
def base(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "base"))


def shard(base: Path) -> Path:
    return sorted(base.glob("model-*.safetensors"))[0]


def rewrite_header(path: Path, change) -> None:
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    change(header)
    new = json.dumps(header).encode()
    path.write_bytes(len(new).to_bytes(8, "little") + new + raw[8 + length :])


def refused(base: Path, tmp_path: Path, *options: object) -> str:
    """Run `solar upscale`, expect exit 2 and no output; return the message."""
    output = tmp_path / "grown"
    done = solar("upscale", base, "-o", output, *options)
    assert done.code == 2, done.out
    assert not output.exists()
    assert not list(tmp_path.glob(".grown*"))
    return " ".join(done.err.split())


def test_missing_shard(base: Path, tmp_path: Path) -> None:
    name = shard(base).name
    shard(base).unlink()
    assert f"the shard {name} is missing" in refused(base, tmp_path)


def test_truncated_shard(base: Path, tmp_path: Path) -> None:
    path = shard(base)
    os.truncate(path, path.stat().st_size - 100)
    message = refused(base, tmp_path)
    assert "the file is truncated" in message
    assert path.name in message


def test_header_longer_than_the_file(base: Path, tmp_path: Path) -> None:
    path = shard(base)
    path.write_bytes((10**7).to_bytes(8, "little") + path.read_bytes()[8:])
    assert "the header claims 10,000,000 bytes but the file has" in refused(base, tmp_path)


def test_overlapping_offsets(base: Path, tmp_path: Path) -> None:
    def overlap(header) -> None:
        header["model.layers.0.self_attn.v_proj.weight"]["data_offsets"] = header[
            "model.layers.0.self_attn.k_proj.weight"
        ]["data_offsets"]

    index = json.loads((base / INDEX_NAME).read_text())
    rewrite_header(base / index["weight_map"]["model.layers.0.self_attn.v_proj.weight"], overlap)
    assert "overlaps the tensor before it" in refused(base, tmp_path)


def test_index_that_names_a_file_outside(base: Path, tmp_path: Path) -> None:
    index = json.loads((base / INDEX_NAME).read_text())
    name = next(iter(index["weight_map"]))
    index["weight_map"][name] = "../secret.safetensors"
    (base / INDEX_NAME).write_text(json.dumps(index))
    assert "not a safetensors file of this folder" in refused(base, tmp_path)


def test_pickles_are_refused(base: Path, tmp_path: Path) -> None:
    for path in [*base.glob("*.safetensors"), base / INDEX_NAME]:
        path.unlink()
    (base / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    assert "the weights are pickled (pytorch_model.bin)" in refused(base, tmp_path)


def test_layer_missing_in_the_weights(base: Path, tmp_path: Path) -> None:
    config = json.loads((base / "config.json").read_text())
    config["num_hidden_layers"] = 5
    (base / "config.json").write_text(json.dumps(config))
    message = refused(base, tmp_path)
    assert "the config states 5 layers" in message
    assert "missing [4]" in message


def test_no_config(base: Path, tmp_path: Path) -> None:
    (base / "config.json").unlink()
    assert "there is no config.json" in refused(base, tmp_path)


def test_no_model_at_all(tmp_path: Path) -> None:
    assert "no-such-model" in refused(Path("no-such-model"), tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--drop", 3), "m runs from 0 to 2"),
        (("--layers", 7), "an even number from 4 (m=2) to 8 (m=0)"),
        (("--layers", 10), "an even number from 4 (m=2) to 8 (m=0)"),
        (("--drop", 1, "--layers", 6), "say the same thing twice"),
        (("--plan", "0-9"), "it has 4 layers: 0-3"),
        (("--plan", "0-3", "--drop", 1), "--plan says everything about the layers"),
        (("--method", "stack", "--layers", 6), "8, 12, … layers"),
        (("--as-llama",), "--as-llama turns Mistral into Llama; this is 'llama'"),
        (("--method", "identity", "--attenuate"), "start as identity"),
        (("--max-shard-size", "huge"), "'huge' is not a size"),
        (("--attenuation", 2), "not between 0 and 1"),
    ],
)
def test_layers_the_base_cannot_give(base: Path, tmp_path: Path, options, message: str) -> None:
    assert message in refused(base, tmp_path, *options)


def test_no_output_named(base: Path) -> None:
    done = solar("upscale", base)
    assert done.code == 2
    assert "give -o FOLDER, or --dry-run" in done.err


def test_output_exists(base: Path, tmp_path: Path) -> None:
    output = tmp_path / "grown"
    output.mkdir()
    (output / "precious").write_text("mine")
    done = solar("upscale", base, "-o", output)
    assert done.code == 2
    assert "the output exists already" in done.err
    assert [path.name for path in output.iterdir()] == ["precious"]


def test_not_enough_disk(base: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 5, 5))
    assert "not enough disk" in refused(base, tmp_path)


def test_output_under_a_file(base: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = solar("upscale", base, "-o", tmp_path / "file" / "grown")
    assert done.code == 2
    assert "cannot write the output" in done.err


def test_output_on_a_file_system_that_cannot_be_written(base: Path) -> None:
    """A read-only place that stops root too: the kernel's own file system."""
    done = solar("upscale", base, "-o", "/proc/grown")
    assert done.code == 2
    assert "cannot write the output" in done.err
    assert "choose a folder that you may write to" in done.err


def test_killed_while_writing_leaves_no_output(tmp_path: Path) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 2048,
        "vocab_size": 32000,
        "num_hidden_layers": 4,
        "intermediate_size": 8192,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
    }
    base = write_sparse(tmp_path / "base", config, shards=1)
    output = tmp_path / "grown"
    code = "from solarmini.cli import main; main()"
    command = [sys.executable, "-c", code, "upscale", str(base), "-o", str(output)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        written = list(tmp_path.glob(".grown.partial-*/model*.safetensors"))
        if written and written[0].stat().st_size > 10**6:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not output.exists()
    assert list(tmp_path.glob(".grown.partial-*"))

    assert solar("upscale", base, "-o", output, "--plan", "0").code == 0
    assert (output / "solar.json").exists()
    assert not list(tmp_path.glob(".grown.partial-*"))  # the next run removed the debris
