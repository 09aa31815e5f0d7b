"""`solar export` in process."""

import json
from pathlib import Path

import pytest
from helpers import solar, tiny_model

from solarmini.checkpoint.gguf_file import GgufFile


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("export") / "tiny", seed=4, layers=2)


def test_a_file_is_written_checked_and_described(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    done = solar("export", model, "--quant", "f32", "-o", path, "--context", 128, "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["bytes"] == path.stat().st_size
    assert facts["memory"]["context"] == 128
    assert facts["memory"]["total"] > facts["memory"]["weights"] > 0
    check = facts["check"]
    assert check["compared"] is True
    assert check["agreement"] >= 0.99
    assert check["ratio"] == pytest.approx(1, abs=0.001)
    assert check["texts_cut_otherwise"] == 0
    assert GgufFile.open(path).metadata["general.name"] == "tiny"
    again = solar("export", model, "--quant", "f32", "-o", path)
    assert again.code == 2
    assert "exists already" in again.err


def test_quantised(model: Path, tmp_path: Path) -> None:
    done = solar("export", model, "--quant", "q4_k_m", "-o", tmp_path / "m.gguf")
    assert done.code == 0, done.err
    assert "no whole blocks" in done.out
    assert "memory at 256 tokens" in done.out
    assert "perplexity" in done.out
    plain = solar(
        "export",
        model,
        "--quant",
        "q4_0",
        "-o",
        tmp_path / "p.gguf",
        "--no-check",
        "--no-calibrate",
    )
    assert plain.code == 0, plain.err
    assert "not checked" in plain.out
    assert "without calibration" in plain.out


def test_an_unfaithful_file_is_not_kept(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in the layout of the queries is found by reading."""
    monkeypatch.setattr(
        "solarmini.export.architecture.Architecture.row_order", lambda self, name: None
    )
    done = solar("export", model, "--quant", "f32", "-o", tmp_path / "m.gguf")
    assert done.code == 2
    assert "the same token as transformers at only" in done.err
    assert list(tmp_path.iterdir()) == []


def test_safetensors(model: Path, tmp_path: Path) -> None:
    done = solar("export", model, "--to", "safetensors", "-o", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["quant"] == "bf16"
    assert json.loads((tmp_path / "out/config.json").read_text())["dtype"] == "bfloat16"


def test_mistakes(model: Path, tmp_path: Path) -> None:
    for arguments, says in (
        (("--quant", "q9"), "known: f32"),
        (("--to", "safetensors", "--quant", "q8_0"), "bf16"),
    ):
        done = solar("export", model, "-o", tmp_path / "x", *arguments)
        assert done.code == 2
        assert says in done.err.replace("\n", " ")
