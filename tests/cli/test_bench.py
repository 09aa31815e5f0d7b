"""`solar bench` with few tokens: the figures fit together."""

import json
from pathlib import Path

import pytest
from helpers import solar, tiny_model

from solarmini.engine.measure import energy, read_bandwidth
from solarmini.export.gguf import plan_gguf, write_gguf
from solarmini.export.quant import QUANTS

FEW = ("--prompt", 40, "--answer", 12, "--streams", 1, 3, "--threads", 1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("bench") / "tiny", seed=4, layers=2)


def test_both_engines(model: Path, tmp_path: Path) -> None:
    write_gguf(plan_gguf(model, QUANTS["f32"]), tmp_path / "tiny.gguf")
    for name, engine in ((tmp_path / "tiny.gguf", "llama"), (model, "transformers")):
        done = solar("bench", name, *FEW, "--json")
        assert done.code == 0, done.err
        facts = json.loads(done.out)
        assert facts["engine"] == engine
        assert [load["streams"] for load in facts["loads"]] == [1, 3]
        for load in facts["loads"]:
            assert load["prompt_tokens"] == 40
            assert load["answer_tokens"] >= 12 * (load["streams"] if engine == "llama" else 1)
            assert 0 < load["first_seconds"] < load["seconds"]
            assert load["prefill"] > 0
            assert load["decode"] > 0
            assert load["cpu_seconds"] > 0
        assert facts["fraction_of_limit"] > 0
        assert facts["limit"] == pytest.approx(facts["read_bandwidth"] / facts["bytes_per_token"])
        assert facts["peak_bytes"] >= facts["resident_bytes"] > 10**7


@pytest.mark.parametrize(("precision", "width"), [("fp32", 4), ("bf16", 2)])
def test_precision_of_the_peer(model: Path, precision: str, width: int) -> None:
    """What the peer computes in is asked for, stated, and seen in what a token reads."""
    from solarmini.engine.measure import bytes_per_token_of_folder

    done = solar(
        "bench", model, *FEW, "--engine", "transformers", "--precision", precision, "--json"
    )
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["precision"] == precision
    assert facts["bytes_per_token"] == bytes_per_token_of_folder(model, 46, width)


def test_bytes_of_a_token(model: Path, tmp_path: Path) -> None:
    """Every weight but the embedding table once, and two layers' keys and values."""
    from solarmini.checkpoint.gguf_file import GgufFile
    from solarmini.engine.measure import bytes_per_token_of_file, bytes_per_token_of_folder

    write_gguf(plan_gguf(model, QUANTS["f32"]), tmp_path / "tiny.gguf")
    file = GgufFile.open(tmp_path / "tiny.gguf")
    weights = sum(t.nbytes for name, t in file.tensors.items() if name != "token_embd.weight")
    assert bytes_per_token_of_file(file, 10) == weights + 10 * 2 * 2 * (16 + 16)
    assert bytes_per_token_of_folder(model, 10, 4) == weights + 10 * 2 * 4 * (16 + 16)


def test_meters(tmp_path: Path) -> None:
    assert read_bandwidth(1) > 1e8
    assert energy(tmp_path) is None
    for name, count in (("intel-rapl:0", 5_000_000), ("intel-rapl:0:0", 9), ("intel-rapl:1", 1)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{count}\n")
    assert energy(tmp_path) == pytest.approx(5.000001)


def test_too_long_for_the_model(model: Path) -> None:
    done = solar("bench", model, "--prompt", 250, "--answer", 20, "--streams", 1)
    assert done.code == 2
    assert "holds 256" in done.err
