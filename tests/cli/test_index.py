"""`solar index` and `solar search` from the command line."""

import json
from pathlib import Path

from helpers import solar


def test_index_search_and_delete(tmp_path: Path) -> None:
    folder, store = tmp_path / "docs", tmp_path / "kb.db"
    folder.mkdir()
    (folder / "a.md").write_text("# Tea\n\nGreen tea is brewed at 80 degrees.\n")
    (folder / "b.txt").write_text("커피는 뜨거운 물로 내린다.", encoding="utf-8")
    first = solar("index", folder, "--store", store, "--embedder", "none")
    assert (first.code, first.out.strip()) == (0, "2 added")
    again = solar("index", folder, "--store", store, "--json")
    assert json.loads(again.out)["unchanged"] == [str(folder / "a.md"), str(folder / "b.txt")]

    done = solar("search", "how hot is green tea brewed?", "--store", store, "--json")
    hits = json.loads(done.out)
    assert done.code == 0
    assert hits[0]["source"] == str(folder / "a.md")
    assert hits[0]["heading"] == ["Tea"]
    assert hits[0]["page"] == 1
    said = solar("search", "커피를 내리는 물", "--store", store, "--source", "*.txt").out
    assert said.startswith(f"1. {folder / 'b.txt'}")
    assert "커피는 뜨거운 물로 내린다." in said

    gone = solar("index", "--delete", folder / "a.md", "--store", store, "--check")
    assert (gone.code, gone.out.strip()) == (0, "1 deleted\nthe store is whole")
    assert solar("search", "green tea", "--store", store).code == 1
    assert solar("index", "--delete", folder / "a.md", "--store", store).code == 1


def test_errors_are_named(tmp_path: Path) -> None:
    missing = solar("search", "x", "--store", tmp_path / "kb.db")
    assert missing.code == 2
    assert "there is no knowledge base here" in missing.err
    (tmp_path / "bad.pdf").write_bytes(b"nothing")
    store = tmp_path / "kb.db"
    failed = solar("index", tmp_path / "bad.pdf", "--store", store, "--embedder", "none")
    assert failed.code == 1
    assert "1 failed" in failed.out
    assert "bad.pdf" in failed.err
    nowhere = solar("index", tmp_path / "no.pdf", "--store", store)
    assert nowhere.code == 2
