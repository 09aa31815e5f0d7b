"""`solar ask` from the command line."""

import json
from pathlib import Path

import pytest
from helpers import solar


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "a.md").write_text("# Tea\n\nGreen tea is brewed at 80 degrees.\n")
    (tmp_path / "b.md").write_text("# Coffee\n\nCoffee is brewed at 93 degrees.\n")
    done = solar("index", tmp_path, "--store", tmp_path / "kb.db", "--embedder", "none")
    assert done.code == 0
    return tmp_path / "kb.db"


def test_an_answer_with_its_source(store: Path) -> None:
    question = "At how many degrees is green tea brewed?"
    done = solar("ask", question, "--store", store)
    assert done.code == 0
    first, second = done.out.strip().split("\n")
    assert first == "Green tea is brewed at 80 degrees. [1]"
    assert second.startswith(f"[1] {store.parent / 'a.md'}: Green tea")
    streamed = solar("ask", question, "--store", store, "--stream")
    assert streamed.out.split() == done.out.split()
    given = solar("ask", question, "--store", store, "--json")
    answer = json.loads(given.out)
    assert answer["answer"] == first
    assert answer["citations"][0]["quote"] == "Green tea is brewed at 80 degrees."


def test_no_answer_is_exit_code_1(store: Path) -> None:
    done = solar("ask", "Who is the king of Sweden?", "--store", store)
    assert (done.code, done.out.strip()) == (1, "The answer is not in these documents.")


def test_a_follow_up_question(store: Path) -> None:
    before = "At how many degrees is Green Tea brewed?"
    done = solar("ask", "And coffee?", "--before", before, "--store", store, "--json")
    assert json.loads(done.out)["searched"] == "At how many degrees is coffee brewed?"
    assert "93" in json.loads(done.out)["answer"]


def test_the_papers_h6(shared: Path, tmp_path: Path) -> None:
    """The README's walk: a value in a table, with the box of that table."""
    paper, store = shared / "papers" / "solar_paper.pdf", tmp_path / "kb.db"
    assert solar("index", paper, "--store", store, "--embedder", "none", "--fast").code == 0
    done = solar("ask", "What is the H6 of SOLAR 10.7B-Instruct?", "--store", store, "--json")
    answer = json.loads(done.out)
    assert done.code == 0
    assert "74.20" in answer["answer"]
    cited = answer["citations"][0]
    assert (cited["page"], cited["kind"]) == (4, "table")
    assert cited["quote"].startswith("Model: SOLAR 10.7B-Instruct;")
    top, bottom = cited["polygon"][0][1], cited["polygon"][2][1]
    assert top < 0.15  # Table 2 stands at the head of page 4
    assert 0.2 < bottom < 0.45
    other = solar("ask", "Who won the football world cup of 2022?", "--store", store)
    assert other.code == 1
