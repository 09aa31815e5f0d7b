"""Manifest and lineage."""

import json
from pathlib import Path

import pytest
from helpers import solar, tiny_model

from solarmini.artifact import (
    Parent,
    describe_parent,
    finish_artifact,
    read_manifest,
    verify_artifact,
)
from solarmini.errors import CheckpointError
from solarmini.licences import read_licence, strictest_licence


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tiny_model("llama", tmp_path / "made")
    grandparent = Parent(name="root", stage="base", licence="mit")
    parent = Parent(name="mid", stage="upscale", licence="gpl-3.0", parents=(grandparent,))
    finish_artifact(folder, name="made", stage="pretrain", parents=[parent], metrics={"ppl": 1.5})
    return folder


def test_manifest_round_trip_carries_the_family(made: Path) -> None:
    manifest = read_manifest(made)
    assert manifest is not None
    assert manifest.parents[0].parents[0].name == "root"
    assert manifest.licence == "gpl-3.0"
    assert len(manifest.fingerprint) == 64
    child = describe_parent(made)
    assert child.fingerprint == manifest.fingerprint
    assert child.parents == manifest.parents


def test_verify_names_every_kind_of_damage(made: Path) -> None:
    assert verify_artifact(made) == []
    assert solar("verify", made).code == 0
    weights = made / "model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    (made / "config.json").unlink()
    (made / "stray").write_text("x")
    (made / "README.md").write_text("longer than it was, by far")
    assert [problem.split(":")[0] for problem in verify_artifact(made)] == [
        "README.md",
        "config.json",
        "model.safetensors",
        "stray",
    ]
    finished = solar("verify", made, "--json")
    assert finished.code == 1
    assert json.loads(finished.out)["ok"] is False


def test_verify_without_manifest_and_damaged_manifest(tmp_path: Path) -> None:
    assert solar("verify", tmp_path).code == 2
    (tmp_path / "solar.json").write_text('{"name": 3}')
    with pytest.raises(CheckpointError, match="damaged manifest"):
        read_manifest(tmp_path)


def test_show_prints_the_tree(made: Path) -> None:
    shown = solar("show", made)
    assert shown.code == 0
    for word in ("made", "mid", "root", "LlamaForCausalLM, 4 layers", "gpl-3.0", " kB"):
        assert word in shown.out
    facts = json.loads(solar("show", made, "--json").out)
    assert facts["layers"] == 4
    assert facts["manifest"]["metrics"] == {"ppl": 1.5}


def test_show_says_which_licence_is_unknown(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "m")
    parents = [Parent(name="a", stage="base", licence="mit"), Parent(name="b", stage="base")]
    finish_artifact(folder, name="m", stage="merge", parents=parents)
    assert "unknown (not stated by b)" in solar("show", folder).out


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        (["apache-2.0", "mit"], "apache-2.0"),
        (["apache-2.0", "cc-by-nc-4.0", "gpl-3.0"], "cc-by-nc-4.0"),
        (["mit", "house-licence", "cc-by-nc-4.0"], "house-licence"),
        (["mit", None], None),
        ([], None),
    ],
)
def test_strictest_licence(licences: list[str | None], expected: str | None) -> None:
    assert strictest_licence(licences) == expected


def test_licence_is_read_from_card_then_file(tmp_path: Path) -> None:
    assert read_licence(tmp_path) is None
    (tmp_path / "LICENSE").write_text("Apache License\n   Version 2.0, January 2004")
    assert read_licence(tmp_path) == "apache-2.0"
    (tmp_path / "README.md").write_text("---\nlanguage: ko\nlicense: CC-BY-NC-4.0\n---\n")
    assert read_licence(tmp_path) == "cc-by-nc-4.0"
