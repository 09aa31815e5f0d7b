"""Real imported models, made once and kept under .cache/."""

import os
from pathlib import Path

import pytest

from solarmini.checkpoint.resolve import resolve

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def model_cache() -> Path:
    """Where imported models are kept between test runs."""
    return Path(os.environ.get("SOLAR_CACHE", ROOT / ".cache" / "solarmini"))


@pytest.fixture(scope="session")
def smollm2(model_cache: Path) -> Path:
    """SmolLM2-135M-Instruct, imported from the Q4_1 GGUF that a Python package carries."""
    return resolve("smollm2-135m", cache=model_cache)


@pytest.fixture(scope="session")
def gemma3(model_cache: Path) -> Path:
    """Gemma 3 270M, imported from a GGUF file that four packages carry in parts."""
    return resolve("gemma3-270m", cache=model_cache)
