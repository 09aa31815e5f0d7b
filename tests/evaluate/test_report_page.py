"""The report as a browser shows it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from solarmini.evaluate.report import write_report
from tests.evaluate.runs import make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDER = "text => { document.querySelector('.key b').textContent = text }"
OVERFLOWING = """() => [...document.querySelectorAll('.key')]
    .filter(key => key.scrollWidth > key.clientWidth).map(key => key.innerText)"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(make_run(tmp_path_factory.mktemp("run")))


@pytest.mark.parametrize("width", [360, 700, 1280, 1900])
@pytest.mark.parametrize("font", ["sans-serif", "'DejaVu Sans'", "monospace"])
def test_figures_stay_in_their_cards(
    width: int, font: str, browser: "Browser", report: Path
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(report.as_uri())
    page.add_style_tag(content=f"body {{ font-family: {font} }}")
    page.evaluate(WIDER, "12.443 → 11.920 %")
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()
