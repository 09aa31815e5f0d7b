"""Shared models and the environment that the test oracle lives in."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.helpers import tiny_model

TRL = "trl==1.16.0"


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("models") / "llama", layers=2)


@pytest.fixture(scope="session")
def trl_python() -> Path:
    """Python of an environment that has TRL beside the packages of this one."""
    folder = ROOT / ".venvs" / "trl"
    python = folder / "bin" / "python"
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not (site / "site-packages" / "trl").is_dir():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", TRL], check=True)
    (site / "site-packages" / "main.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python
