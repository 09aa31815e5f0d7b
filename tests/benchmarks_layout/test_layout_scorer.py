"""The layout benchmark's measures, by hand and against the public evaluator."""

import importlib
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scorer():
    sys.path.insert(0, str(ROOT / "benchmarks" / "layout"))
    try:
        yield importlib.import_module("scorer")
    finally:
        sys.path.pop(0)


def test_nid_counts_insertions_and_deletions(scorer):
    # "abcd" and "abxd": keep 3 of 4 and 4: 1 - 2/8
    assert scorer.nid("abcd", "abxd") == pytest.approx(0.75)
    assert scorer.nid("a  b\n\nc", "a b c") == 1.0
    assert scorer.nid("", "x") is None


def test_pipe_tables_count_as_html(scorer):
    pipe = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    html = "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>"
    assert scorer.teds(html, pipe) == 1.0
    assert scorer.teds(pipe, html) == 1.0


def test_teds_by_hand(scorer):
    truth = "<table><tr><td>a</td><td>b</td></tr></table>"
    # nodes below the root: table, tr, td, td; one cell's text wrong in 1 of 2 letters
    wrong = "<table><tr><td>a</td><td>bx</td></tr></table>"
    assert scorer.teds(truth, wrong) == pytest.approx(1 - 0.5 / 4)
    missing = "<table><tr><td>a</td></tr></table>"
    assert scorer.teds(truth, missing) == pytest.approx(1 - 1 / 4)
    spanned = "<table><tr><td>a</td><td colspan='2'>b</td></tr></table>"
    assert scorer.teds(truth, spanned) == pytest.approx(1 - 1 / 4)
    assert scorer.teds(truth, "no table") == 0.0
    assert scorer.teds("no table", truth) is None


def test_mhs_by_hand(scorer):
    truth = "# One\n\ntext\n\n# Two\n\nmore"
    assert scorer.mhs(truth, "### One\n\ntext\n\n# Two\n\nmore") == 1.0
    # nodes: page, 2 headings, 2 texts; without the second heading its text joins the first's:
    # delete a heading and a text, and change "text" to "text more" (5 of 9 letters)
    found = scorer.mhs(truth, "# One\n\ntext\n\nmore")
    assert found == pytest.approx(1 - (2 + 5 / 9) / 5)
    assert scorer.mhs(truth, "text") == 0.0
    assert scorer.mhs("text", truth) is None


def test_summary_means_what_there_is(scorer):
    pages = [
        scorer.score_page("a", "# T\n\nx", "# T\n\nx"),
        scorer.score_page("b", "plain", "<table><tr><td>plain</td></tr></table>"),
    ]
    summary = scorer.summarise(pages)
    assert summary["mhs"] == 1.0
    assert summary["teds"] is None
    assert summary["table_precision"] == 0.0
    assert pages[0].overall == 1.0


def test_folder_counts_a_missing_page_as_empty(scorer, tmp_path):
    truth, found = tmp_path / "truth", tmp_path / "found"
    truth.mkdir()
    found.mkdir()
    (truth / "a.md").write_text("# T\n\nx")
    (truth / "b.md").write_text("words")
    (found / "b.md").write_text("words")
    scores = scorer.score_folder(found, truth)
    assert [(s.name, s.nid) for s in scores] == [("a", 0.0), ("b", 1.0)]


def test_agrees_with_the_public_evaluator(scorer, shared, monkeypatch):
    """OPENDATALOADER_BENCH is a checkout of opendataloader-bench."""
    checkout = os.environ.get("OPENDATALOADER_BENCH")
    if not checkout:
        pytest.skip("set OPENDATALOADER_BENCH to a checkout of opendataloader-bench")
    monkeypatch.syspath_prepend(str(Path(checkout) / "src"))
    order = importlib.import_module("evaluator_reading_order").evaluate_reading_order
    table = importlib.import_module("evaluator_table").evaluate_table
    heading = importlib.import_module("evaluator_heading_level").evaluate_heading_level
    folder = shared / "bench" / "layout" / "ground-truth" / "markdown"
    pages = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))]
    assert len(pages) == 100
    for i, truth in enumerate(pages):
        # what a parser gets wrong: headings lost, lines swapped, cells changed, another page's end
        bad = truth.replace("# ", "", 1).replace("<td>", "<td colspan='2'>", 1)[i % 7 :]
        bad = bad.replace("1", "l") + pages[(i * 37) % 100][-300:]
        mine = scorer.score_page("", truth, bad)
        theirs = order(truth, bad)[0], table(truth, bad)[0], heading(truth, bad)[0]
        assert (mine.nid, mine.teds, mine.mhs) == pytest.approx(theirs, abs=1e-6)
