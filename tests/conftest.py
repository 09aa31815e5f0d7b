"""Settings for all tests: offline, seeded, small."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# tiny tensors: threads cost far more than they bring, above all on a busy machine
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["SOLAR_PROGRESS"] = "0"

# a first call imports torch; a busy machine is not a failure; the same examples every time
settings.register_profile("solar", deadline=None, derandomize=True)
settings.load_profile("solar")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of shared corpora and benchmarks (SOLAR_SHARED); the test is skipped without it."""
    folder = Path(os.environ.get("SOLAR_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; set SOLAR_SHARED")
    return folder
