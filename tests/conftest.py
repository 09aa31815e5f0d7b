"""Settings for all tests: offline, seeded, small."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Return a headless Chromium: SOLAR_CHROMIUM, or the system's.

    While it is open, Playwright's event loop runs in this thread: other tests need theirs.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = os.environ.get("SOLAR_CHROMIUM") or shutil.which("chromium")
    if found is None:
        pytest.skip("there is no chromium; install it or set SOLAR_CHROMIUM")
    arguments = ["--disable-gpu"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's own sandbox refuses root
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=arguments)
        yield opened
        opened.close()
