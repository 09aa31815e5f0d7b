"""A tiny model shared by the tests of the room, and short ways to make records."""

from pathlib import Path

import pytest

from tests.helpers import tiny_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("evaluate") / "tiny", layers=2)
