"""The report: complete, valid, self-contained, escaped, the same bytes each time, and right."""

import json
import math
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.errors import EvaluateError, OutputError
from solarmini.evaluate.report import svg, write_report
from solarmini.evaluate.report.curve import panels
from solarmini.evaluate.report.facts import columns, gap_closed, key_figures, notes
from solarmini.evaluate.report.layers import seams
from solarmini.evaluate.report.lineage import depths
from solarmini.evaluate.report.run import read_run
from tests.evaluate.runs import LOSS, TREE, make_run
from tests.helpers import solar

VOID = {"meta", "br", "hr", "img", "link", "input", "wbr"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def page(run: Path) -> str:
    return write_report(run).read_text(encoding="utf-8")


class Balance(HTMLParser):
    """Checks that every element is closed by its own end tag; collects tags, ids and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parse(page: str) -> Balance:
    parser = Balance()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def test_the_page_is_whole_and_holds_every_stage(page: str) -> None:
    parser = parse(page)
    assert page.startswith("<!DOCTYPE html>")
    assert len(parser.ids) == len(set(parser.ids))
    sections = ["lineage", "layers", "curves", "scores", "answers", "notes", "data", "sources"]
    assert parser.ids == [*sections, "reproduce"]
    for name, _, _, _ in TREE:
        # in the wide tree, the narrow tree and the table of scores
        assert parser.texts.count(name) >= 3
    for drawing in re.findall(r"<svg.*?</svg>", page, flags=re.S):
        if "<svg" not in drawing[4:]:
            ElementTree.fromstring(drawing.replace("&nbsp;", " "))


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    parser = parse(page)
    assert parser.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base"})
    assert parser.attributes.isdisjoint({"src", "href", "srcset", "xlink:href", "data", "onload"})
    assert "@import" not in page
    assert "url(" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_foreign_text_is_escaped_everywhere(page: str) -> None:
    assert "<script" not in page
    # title, headline; prompt; answer; data name and note
    assert page.count("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;q&quot;") >= 6
    assert "Answer &lt;script&gt;" in page
    assert "(no answer)" in page


def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    first = write_report(run, tmp_path / "a.html").read_bytes()
    shutil.copytree(run, tmp_path / "moved")
    second = write_report(tmp_path / "moved", tmp_path / "b.html").read_bytes()
    assert first == second
    with pytest.raises(OutputError, match="exists already"):
        write_report(run, tmp_path / "a.html")
    write_report(run, tmp_path / "a.html", overwrite=True)


def test_key_figures_are_those_of_the_records(run: Path) -> None:
    found = {figure.label: figure for figure in key_figures(read_run(run))}
    assert found["Layers"].value == "4 → 6"
    assert found["Base perplexity"].value == "20.09"
    assert found["Right after surgery"].value == f"×{math.exp(0.5):.2f}"
    assert found["Naive duplication"].value == f"×{math.exp(5):.0f}"
    assert found["Gap to base closed"].value == "80 %"
    assert "10,000 tokens" in found["Gap to base closed"].detail
    assert "ahead of the grown model" in found["Base, trained on"].detail
    assert found["Answers, held out"].value == "2.600 → 2.000"
    assert "−0.600" in found["Answers, held out"].detail
    assert "paired" in found["Answers, held out"].detail
    assert found["Gap to base closed"].source.startswith("records/healed.json › docs/perplexity")
    assert gap_closed(read_run(run), "docs") == pytest.approx(0.8)


def test_notes_say_what_the_numbers_do_not(run: Path) -> None:
    found = " ".join(notes(read_run(run)))
    assert "The base trained on for 10,000 tokens stays ahead of the grown model" in found
    assert "by 0.200 nats a token on docs" in found
    assert "docs 5 documents" in found
    assert "Not comparable" not in found


def test_records_on_other_data_are_called_not_comparable(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    path = tmp_path / "run" / "records" / "healed.json"
    path.write_text(path.read_text().replace("d" * 64, "e" * 64))
    page = write_report(tmp_path / "run").read_text()
    assert "Not comparable: docs: base and healed were measured on different data" in page


def test_the_table_marks_the_best_of_each_column(run: Path, page: str) -> None:
    found = [(column.task, column.label, column.unit) for column in columns(read_run(run))]
    assert found == [("docs", "docs", "perplexity"), ("answers", "answers", "answer loss")]
    best = re.findall(r'<td class="best" title="[^"]*">([^<]*)<', page)
    assert best == ["18.17", "2.000"]
    assert "against the base" in page
    assert "times the base&#x27;s" in page


def test_the_curve_shows_jump_recovery_and_control(run: Path) -> None:
    healing, teaching = panels(read_run(run))
    assert healing.jump == pytest.approx((3.0, 3.5))
    assert "8.00, off the scale" in healing.off_scale
    by_kind = {series.kind: series.points for series in healing.series}
    assert by_kind["heldout"][0] == (0.0, LOSS["healed"] + 0.4)
    assert by_kind["heldout"][-1] == (10000.0, LOSS["healed"])
    assert by_kind["control"][-1] == (10000.0, LOSS["control"])
    assert [dot.label for dot in healing.dots] == ["base", "grown", "healed", "control"]
    assert healing.dots[0].low is None
    # item by item the change is the same everywhere: the interval closes on it
    assert healing.dots[1].low == pytest.approx(healing.dots[1].high, abs=1e-6)
    assert (teaching.start, teaching.end) == (10000.0, 20000.0)
    assert [dot.record.metric for dot in teaching.dots] == ["chat_loss", "chat_loss"]


def test_lineage_and_seams(run: Path) -> None:
    found = depths(read_run(run))
    assert [found[name] for name, *_ in TREE] == [0, 1, 1, 2, 1, 3]
    assert seams([0, 1, 2, 1, 2, 3]) == [3]
    assert seams([0, 0, 1, 1]) == [1, 3]


def test_a_run_of_one_stage_has_a_report(tmp_path: Path) -> None:
    (tmp_path / "build.json").write_text(
        json.dumps(
            {"recipe": "r", "name": "n", "stages": [{"name": "a", "kind": "pull", "path": "a"}]}
        )
    )
    done = solar("report", tmp_path)
    assert done.code == 0, done.err
    parse((tmp_path / "report.html").read_text())


def test_bad_runs_are_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluateError, match=r"holds no build\.json"):
        read_run(tmp_path)
    shutil.copytree(run, tmp_path / "run")
    build = tmp_path / "run" / "build.json"
    whole = build.read_text()
    (tmp_path / "run" / "records" / "grown.json").unlink()
    done = solar("report", tmp_path / "run")
    assert done.code == 2
    assert "no such record file" in done.err
    assert not (tmp_path / "run" / "report.html").exists() or "grown" in whole
    build.write_text(whole.replace('"from": ["base"]', '"from": ["nobody"]', 1))
    with pytest.raises(EvaluateError, match="comes from 'nobody'"):
        read_run(tmp_path / "run")
    build.write_text("{")
    with pytest.raises(EvaluateError, match="damaged build file"):
        read_run(tmp_path / "run")
    build.write_text(json.dumps({"recipe": "r", "name": "n", "stages": []}))
    with pytest.raises(EvaluateError, match="no stages"):
        read_run(tmp_path / "run")


def test_a_damaged_log_names_its_line(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    log = tmp_path / "run" / "healed" / "training_log.jsonl"
    log.write_text(log.read_text() + "{half a row\n")
    with pytest.raises(EvaluateError, match="damaged training log") as caught:
        read_run(tmp_path / "run")
    assert str(caught.value.where).endswith("training_log.jsonl:22")


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 12))
def test_ticks_are_round_inside_and_not_many(low: float, span: float, count: int) -> None:
    found = svg.ticks(low, low + span, count)
    assert len(found) <= 2 * count + 1
    assert all(low - span * 1e-6 <= tick <= low + span * 1.000001 for tick in found)
    assert found == sorted(set(found))


def test_svg_pieces() -> None:
    assert (
        svg.element("a", b_c='<&"', class_="x", none=None)
        == '<a b-c="&lt;&amp;&quot;" class="x"></a>'
    )
    assert svg.text(1, 2.04, "<b>") == '<text x="1" y="2">&lt;b&gt;</text>'
    assert svg.num(-0.01) == "0"
    assert svg.clip("abcdefgh", 1000, 10) == "abcdefgh"
    assert svg.clip("abcdefgh", 30, 10).endswith("…")
    assert svg.runs([0, 1, 2, 1, 2, 5]) == [(0, 3), (3, 2), (5, 1)]
    light = [
        sum(int(svg.depth_colour(k / 20)[0][i : i + 2], 16) for i in (1, 3, 5)) for k in range(19)
    ]
    assert light == sorted(light)
