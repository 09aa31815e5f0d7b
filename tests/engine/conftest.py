"""One tiny model and its engine for the whole folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import tiny_model

from solarmini import console
from solarmini.engine.local import TransformersEngine


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("engine") / "tiny", seed=4)


@pytest.fixture(autouse=True)
def fresh_consoles() -> None:
    """A console made in an earlier test writes to that test's captured output."""
    console.out.cache_clear()
    console.err.cache_clear()


@pytest.fixture(scope="session")
def exact(tiny: Path) -> Iterator[TransformersEngine]:
    """Return an engine in float32, whatever this machine does fast."""
    with TransformersEngine(tiny, precision="fp32") as engine:
        yield engine


@pytest.fixture(scope="session")
def engine(tiny: Path) -> Iterator[TransformersEngine]:
    with TransformersEngine(tiny) as engine:
        yield engine
