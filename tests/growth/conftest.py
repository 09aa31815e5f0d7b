"""The environment that the test oracle mergekit lives in."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

MERGEKIT = ("mergekit==0.1.5", "immutables==0.21")  # LGPL-3: a peer and oracle, never imported
_FOLDER = Path(__file__).parents[2] / ".venvs" / "mergekit"


@pytest.fixture(scope="session")
def mergekit_python() -> Path:
    """Python of an environment that has mergekit beside the packages of this one."""
    python = _FOLDER / "bin" / "python"
    site = _FOLDER / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not (site / "site-packages" / "mergekit").is_dir():
        venv.create(_FOLDER, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "-q", "--no-deps", *MERGEKIT]
        subprocess.run(install, check=True)
    (site / "site-packages" / "main.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python
