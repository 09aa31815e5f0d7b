"""Shared models and the environment that the test oracle lives in."""

from pathlib import Path

import pytest

from tests import oracles
from tests.helpers import tiny_model


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("models") / "llama", layers=2)


@pytest.fixture(scope="session")
def trl_python() -> Path:
    """Python of an environment that has TRL beside the packages of this one."""
    return oracles.trl_python()
