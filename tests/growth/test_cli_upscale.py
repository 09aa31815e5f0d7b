"""`solar upscale` as a user calls it."""

import json
from pathlib import Path

import pytest
from growth.sparse import MISTRAL_7B, write_sparse
from helpers import solar, tiny_model

from solarmini.artifact import read_manifest


@pytest.fixture(scope="module")
def mistral(tmp_path_factory) -> Path:
    return write_sparse(tmp_path_factory.mktemp("mistral") / "mistral-7b", MISTRAL_7B)


def test_dry_run_of_solar(mistral: Path, tmp_path: Path) -> None:
    done = solar("upscale", mistral, "--dry-run", "--as-llama", "-o", tmp_path / "solar")
    assert done.code == 0
    assert "32 base layers -> 48 layers" in done.out
    assert "10,731,524,096" in done.out
    assert "21,463,048,192" in done.out
    assert "196,608 B" in done.out
    assert not (tmp_path / "solar").exists()


def test_dry_run_for_machines(mistral: Path) -> None:
    done = solar("upscale", mistral, "--dry-run", "--as-llama", "--json")
    facts = json.loads(done.out)
    assert facts["ranges"] == "0-23,8-31"
    assert facts["seam_layers"] == [22, 23, 24, 25]
    assert facts["grown"]["parameters"] == 10_731_524_096
    assert facts["grown"]["tensors"] == 435
    assert facts["base"]["tensors"] == 291
    assert facts["config_changes"]["architectures"] == [
        ["MistralForCausalLM"],
        ["LlamaForCausalLM"],
    ]
    assert facts["config_changes"]["num_hidden_layers"] == [32, 48]
    assert facts["output"] is None


@pytest.mark.parametrize(
    ("options", "ranges"),
    [
        ((), "0-4,2-5"),
        (("--drop", 1), "0-4,1-5"),
        (("--layers", 8), "0-3,2-5"),
        (("--plan", "0-2,2,3-5"), "0-2,2-5"),
        (("--method", "stack"), "0-5,0-5"),
    ],
)
def test_options(options, ranges: str, tmp_path: Path) -> None:
    base = tiny_model("llama", tmp_path / "base", layers=6)
    done = solar("upscale", base, "--dry-run", "--json", *options)
    expected = "0-3,2-5" if not options else ranges
    assert json.loads(done.out)["ranges"] == expected


def test_writes_and_says_so(tmp_path: Path) -> None:
    base = tiny_model("llama", tmp_path / "base", layers=4)
    done = solar("upscale", base, "-o", tmp_path / "grown", "--attenuate", "--attenuation", "0.6")
    assert done.code == 0, done.err
    assert "wrote" in done.out
    manifest = read_manifest(tmp_path / "grown")
    assert manifest is not None
    assert manifest.growth is not None
    assert manifest.growth["attenuation"] == 0.6
    again = solar("upscale", base, "-o", tmp_path / "json", "--json")
    assert json.loads(again.out)["output"] == str(tmp_path / "json")
