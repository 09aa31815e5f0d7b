"""`solar rag-eval`: measures checked by hand on four questions, a page, and wrong files."""

import json
from pathlib import Path

import pytest
from helpers import solar

from solarmini.rag.evaluate.measures import contains, overlap

QUESTIONS = [
    {"question": "At how many degrees is green tea brewed?", "answers": ["80 degrees"],
     "source": "tea.md", "pages": [1]},
    {"question": "Who painted the barn of Tarn red?", "answers": ["Olga"], "source": "barn.md"},
    {"question": "How many degrees has the water of green tea?", "answers": ["93"],
     "source": "coffee.md"},
    {"question": "Who is the king of Sweden?"},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tea.md").write_text("# Tea\n\nGreen tea is brewed with water of 80 degrees.\n")
    (tmp_path / "barn.md").write_text("The barn of Tarn was painted red by Olga.\n")
    done = solar("index", tmp_path, "--store", tmp_path / "kb.db", "--embedder", "none")
    assert done.code == 0
    lines = [json.dumps(each) for each in QUESTIONS]
    (tmp_path / "q.jsonl").write_text("\n".join(lines) + "\n\n")
    return tmp_path


def test_measures_and_report(folder: Path) -> None:
    page = folder / "out" / "report.html"
    done = solar("rag-eval", folder / "q.jsonl", "--store", folder / "kb.db", "-o", page, "--json")
    assert done.code == 0
    whole = json.loads(done.out)
    figures, rows = whole["figures"], whole["rows"]
    assert [row["abstained"] for row in rows] == [False, False, False, True]
    # the third question is answered from tea.md, but the right place is in no file here
    assert [row["precision"] for row in rows] == [1.0, 1.0, 0.0, None]
    assert [row["contains"] for row in rows] == [1.0, 1.0, 0.0, None]
    assert [row["ndcg"] for row in rows] == [1.0, 1.0, 0.0, None]
    assert figures["precision"] == figures["recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["answered"] == figures["declined"] == figures["abstained_right"] == 1.0
    assert figures["grounded"] == 1.0
    assert rows[0]["cited"] == ["tea.md:1"]
    text = page.read_text()
    assert "http" not in text.replace("http://www.w3.org", "")
    assert "Who is the king of Sweden?" in text
    assert json.loads(page.with_suffix(".json").read_text()) == whole
    again = solar("rag-eval", folder / "q.jsonl", "--store", folder / "kb.db", "-o", page)
    assert again.code == 2
    assert "exists already" in again.err


def test_wrong_files_are_named(tmp_path: Path) -> None:
    for line, said in (
        ('{"question": "x", "answer": "y"}', "answer"),
        ("{", "not JSON"),
        ("", "no questions"),
    ):
        path = tmp_path / "q.jsonl"
        path.write_text(line)
        done = solar("rag-eval", path)
        assert done.code == 2
        assert said in done.err


def test_measures_of_texts() -> None:
    assert contains("It has 7,241,732  Parameters [1]", ["7,241,732 parameters"]) == 1.0
    assert contains("nothing", ["something"]) == 0.0
    assert contains("x", []) is None
    assert overlap("The cat sat [1]", ["the cat sat"]) == 1.0
    half = overlap("cat dog", ["cat bird"])
    assert half == pytest.approx(0.5)
