"""Peers that tests compare with, each in an environment of its own under .venvs/."""

import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]


def peer_python(name: str, requirements: Sequence[str]) -> Path:
    """Python of .venvs/`name`, made on first use: `requirements` alone beside our own packages.

    They come without their dependencies, since their pins contradict ours.
    """
    folder = ROOT / ".venvs" / name
    python = folder / "bin" / "python"
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = site / "site-packages"
    if not (packages / name).is_dir():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "--no-deps", *requirements], check=True
        )
    (packages / "main.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python


def mergekit_python() -> Path:
    """Python of an environment that has mergekit and the few packages it needs."""
    return peer_python("mergekit", ["mergekit==0.1.5", "immutables", "sentencepiece", "protobuf"])


def trl_python() -> Path:
    """Python of an environment that has TRL."""
    return peer_python("trl", ["trl==1.16.0"])


_RUN = """
import sys
import yaml
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions

for config, out in zip(sys.argv[1::2], sys.argv[2::2]):
    with open(config) as file:
        loaded = MergeConfiguration.model_validate(yaml.safe_load(file))
    run_merge(loaded, out, MergeOptions(copy_tokenizer=False, quiet=True))
"""


def run_mergekit(merges: Mapping[Path, Path]) -> None:
    """Merge with mergekit: configuration file -> new folder, all in one process."""
    arguments = [str(path) for pair in merges.items() for path in pair]
    done = subprocess.run(
        [str(mergekit_python()), "-c", _RUN, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
