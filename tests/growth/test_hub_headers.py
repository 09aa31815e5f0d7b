"""A dry run of a model on the hub needs its config and headers only."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from growth.hub_server import serve
from growth.sparse import MISTRAL_7B, write_sparse

from solarmini.checkpoint.reader import INDEX_NAME, SINGLE_NAME

REF = "someone/mistral-7b"


@pytest.fixture(scope="module")
def mistral(tmp_path_factory) -> Path:
    return write_sparse(tmp_path_factory.mktemp("mistral") / "m", MISTRAL_7B)


def dry_run(endpoint: str, home: Path, ref: str = REF) -> subprocess.CompletedProcess[str]:
    names = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0"}
    names["NO_PROXY"] = "127.0.0.1"
    command = [sys.executable, "-m", "solarmini", "upscale", ref, "--dry-run", "--json"]
    return subprocess.run(command, env=os.environ | names, capture_output=True, text=True)


def test_no_weights_are_fetched(mistral: Path, tmp_path: Path) -> None:
    with serve(mistral, REF) as (endpoint, sent):
        done = dry_run(endpoint, tmp_path / "home")
        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        assert (facts["ranges"], facts["grown"]["parameters"]) == ("0-23,8-31", 10_731_524_096)
        shards = sorted(path.name for path in mistral.glob("*.safetensors"))
        assert sorted(name for name in sent if name.endswith(".safetensors")) == shards
        assert all(sent[name] <= 100_000 for name in shards)  # of 14 GB
        assert not list((tmp_path / "home").rglob("*.safetensors"))


def test_long_header_and_single_file(mistral: Path, tmp_path: Path) -> None:
    whole = write_sparse(tmp_path / "whole", MISTRAL_7B, shards=1)
    path = next(whole.glob("*.safetensors")).rename(whole / SINGLE_NAME)
    (whole / INDEX_NAME).unlink()
    pad_header(path, 300_000)
    with serve(whole, REF) as (endpoint, sent):
        done = dry_run(endpoint, tmp_path / "home")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["base"]["parameters"] == 7_241_732_096
        assert 300_000 < sent[path.name] < 500_000


def test_what_cannot_be_had_is_named(mistral: Path, tmp_path: Path) -> None:
    with serve(mistral, REF) as (endpoint, _):
        done = dry_run(endpoint, tmp_path / "home", "someone/else")
        assert done.returncode == 2
        assert "the hub has no such model" in " ".join(done.stderr.split())
    with serve(mistral, REF, ranges=False) as (endpoint, sent):
        done = dry_run(endpoint, tmp_path / "home")
        assert done.returncode == 2
        assert "does not give parts of a file" in " ".join(done.stderr.split())
        assert sum(sent.values()) < 2**25  # what the connection had in flight, not 14 GB


def pad_header(path: Path, to: int) -> None:
    """Lengthen the header with spaces, as the format allows; the data, a hole, moves along."""
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length)
        file.seek(0)
        file.write(to.to_bytes(8, "little") + header.ljust(to))
    os.truncate(path, path.stat().st_size + to - length)
