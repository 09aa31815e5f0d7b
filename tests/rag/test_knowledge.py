"""The knowledge base from files to hits: what changed, what is found, what is refused."""

import gzip
import json
import os
import threading
from pathlib import Path

import pytest
from rag_parts import HashingEmbedder

from solarmini.errors import (
    CorruptStoreError,
    DocumentError,
    EmbedderError,
    StoreError,
)
from solarmini.layout.document import Document, Element, Page, Span, rectangle
from solarmini.rag.chunk.model import ChunkSize
from solarmini.rag.index.run import Event
from solarmini.rag.knowledge import KnowledgeBase


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        folder.joinpath(name.replace("_", ".")).write_text(text, encoding="utf-8")


def names(sources: list[str]) -> list[str]:
    return [Path(source).name for source in sources]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    made.mkdir()
    write(
        made,
        a_md="# Cats\n\nThe cat sat on the mat.\n\n## Dogs\n\nDogs bark at night.\n",
        b_txt="저작권법은 저작자의 권리를 보호한다.\n\n근로자는 야간근로에 가산임금을 받는다.",
    )
    return made


def test_add_update_delete_by_content(
    url: str, folder: Path, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    with KnowledgeBase.open(url, embedder=embedder) as kb:
        assert names(kb.add(folder).added) == ["a.md", "b.txt"]
        made = embedder.passages_made
        os.utime(folder / "a.md", (1, 1))  # another time, the same bytes
        again = kb.add(folder)
        assert (again.added, again.updated, len(again.unchanged)) == ([], [], 2)
        write(folder, a_md="# Cats\n\nThe cat sat on the mat.\n\n## Dogs\n\nDogs sleep at night.\n")
        report = kb.add(folder)
        assert (names(report.updated), names(report.unchanged)) == (["a.md"], ["b.txt"])
        assert embedder.passages_made == made + 1  # the passage that did not change kept its vector
        assert "sleep" in kb.search("dogs at night", 1)[0].text
        assert not any("bark" in hit.text for hit in kb.search("bark"))
        (folder / "b.txt").unlink()
        elsewhere = tmp_path / "c.txt"
        elsewhere.write_text("Birds sing.")
        kb.add(elsewhere)
        report = kb.add(folder)
        assert names(report.deleted) == ["b.txt"]
        assert names([d.source for d in kb.documents()]) == ["c.txt", "a.md"]
        assert kb.problems() == []


def test_hits_say_where(folder: Path, embedder: HashingEmbedder) -> None:
    page = Element(
        id=0,
        category="paragraph",
        page=4,
        polygon=rectangle(0.1, 0.2, 0.3, 0.4),
        spans=(Span(text="The score of the model is 74.20."),),
    )
    document = Document(
        source="p.pdf",
        format="pdf",
        total_pages=4,
        pages=(Page(number=4, width=600, height=800, elements=(page,)),),
    )
    (folder / "p.pdf").write_bytes(b"%PDF-")
    with KnowledgeBase.open(folder / "kb.db", embedder=embedder) as kb:
        kb.add(folder, layout=lambda path: document, metadata={"year": "2023"})
        hit = kb.search("What is the score of the model?", 1)[0]
        assert (Path(hit.source).name, hit.page, hit.pages) == ("p.pdf", 4, (4,))
        assert hit.polygon == page.polygon
        assert hit.as_dict()["polygon"] == [[0.1, 0.2], [0.3, 0.2], [0.3, 0.4], [0.1, 0.4]]
        json.dumps(hit.as_dict())
        same = kb.get(hit.chunk_id)
        assert same is not None
        assert same.text == hit.text
        only = kb.search("model", filters={"metadata": {"year": "1999"}})
        assert only == []
        assert kb.search("cat", 1)[0].heading == ("Cats",)


def test_a_fault_in_a_reader_costs_its_source_alone(
    folder: Path, embedder: HashingEmbedder
) -> None:
    def broken(path: Path) -> Document:
        raise AttributeError("no such thing")

    (folder / "0.pdf").write_bytes(b"%PDF-")
    with KnowledgeBase.open(folder / "kb.db", embedder=embedder) as kb:
        report = kb.add(folder, layout=broken)
        assert names(report.added) == ["a.md", "b.txt"]
        [what] = report.failed.values()
        assert "AttributeError: no such thing" in what


def test_a_file_that_cannot_be_read_stops_no_other(folder: Path, embedder: HashingEmbedder) -> None:
    (folder / "bad.pdf").write_bytes(b"not a pdf")
    (folder / "raw.txt").write_bytes(b"\0\1\2" * 100)
    seen: list[Event] = []
    with KnowledgeBase.open(folder / "kb.db", embedder=embedder) as kb:
        report = kb.add(folder, observe=seen.append)
        assert sorted(names(list(report.failed))) == ["bad.pdf", "raw.txt"]
        assert names(report.added) == ["a.md", "b.txt"]
        with pytest.raises(DocumentError, match="no such file"):
            kb.add(folder / "nowhere.pdf")
        write(folder, a_md="")
        (folder / "a.md").write_bytes(b"\xff\xff\xff")  # no longer text
        assert names(list(kb.add(folder / "a.md").failed)) == ["a.md"]
        assert kb.search("cat sat", 1)[0].text == "The cat sat on the mat."  # its former self
    assert [e.action for e in seen if e.action != "reading"].count("failed") == 2


def test_near_duplicates_are_shown_once_but_other_numbers_are_not(
    tmp_path: Path, embedder: HashingEmbedder
) -> None:
    base = "The committee met in the old hall to vote on the annual budget of the city of Daegu"
    write(
        tmp_path,
        a_txt=base + " and rose at noon.",
        b_txt=base + " and rose at noon!",
        c_txt=base + " and rose at noon 2023.",
        d_txt=base + " and rose at noon 2024.",
    )
    with KnowledgeBase.open(tmp_path / "kb.db", embedder=embedder) as kb:
        kb.add(sorted(tmp_path.glob("*.txt")))
        hits = kb.search("committee budget vote")
        assert len(hits) == 3
        assert sum(len(hit.duplicates) for hit in hits) == 1


def test_typos_find_what_was_meant(folder: Path, embedder: HashingEmbedder) -> None:
    with KnowledgeBase.open(folder / "kb.db", embedder=embedder) as kb:
        kb.add(folder)
        for typed in ("저작꿘법", "wjwkrrnjsqjq", "보효하는 저작쟈"):
            hits = kb.search(typed, 1, mode="lexical")
            assert hits, typed
            assert "저작권법" in hits[0].text


def test_expansion_gives_the_text_around(tmp_path: Path, embedder: HashingEmbedder) -> None:
    write(tmp_path, a_md="# One\n\nFirst thing.\n\nSecond thing is red.\n\n# Two\n\nThird thing.\n")
    with KnowledgeBase.open(tmp_path / "kb.db", embedder=embedder) as kb:
        kb.add(tmp_path / "a.md", size=ChunkSize(target=1))
        assert kb.search("red", 1)[0].context == ""
        near = kb.search("red", 1, expand="neighbours")[0]
        assert near.context == "First thing.\nSecond thing is red.\nThird thing."
        under = kb.search("red", 1, expand="section")[0]
        assert under.context == "First thing.\nSecond thing is red."
        assert [c.text for c in kb.neighbours(near, 1, 0)] == ["First thing.", near.text]


def test_a_reranker_has_the_last_word(folder: Path, embedder: HashingEmbedder) -> None:
    import numpy as np

    class Longest:
        def scores(self, query: str, texts: list[str]) -> np.ndarray:
            return np.array([len(text) for text in texts], dtype=np.float32)

    with KnowledgeBase.open(folder / "kb.db", embedder=embedder) as kb:
        kb.add(folder)
        hits = kb.search("cat", reranker=Longest())
        assert [hit.score for hit in hits] == sorted((h.score for h in hits), reverse=True)
        assert len(hits) == 3


def test_another_embedder_is_refused(folder: Path, embedder: HashingEmbedder) -> None:
    with KnowledgeBase.open(folder / "kb.db", embedder=embedder) as kb:
        kb.add(folder)
    with pytest.raises(EmbedderError, match="hashing-64"):
        KnowledgeBase.open(folder / "kb.db", embedder="none")
    wider = HashingEmbedder()
    wider.dimension = 128
    with pytest.raises(EmbedderError, match="128"):
        KnowledgeBase.open(folder / "kb.db", embedder=wider)
    with pytest.raises(EmbedderError, match="no embedder is called"):
        KnowledgeBase.open(folder / "kb.db")  # the name recorded is not one of ours


def test_words_alone_do(folder: Path) -> None:
    with KnowledgeBase.open(folder / "kb.db", embedder="none") as kb:
        kb.add(folder)
        assert kb.search("cat")[0].dense == 0
        assert kb.search("zebra") == []
        assert kb.search("  ") == []


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda raw: b"<html>" * 1000, "not a knowledge base"),
        (lambda raw: raw[: len(raw) // 2 // 4096 * 4096], "cut short"),
        (lambda raw: raw[:4096] + os.urandom(len(raw) - 4096), "damaged"),
        (lambda raw: gzip.compress(raw), "not a knowledge base"),
    ],
)
def test_a_spoilt_file_is_named(
    folder: Path, embedder: HashingEmbedder, spoil: object, error: str
) -> None:
    path = folder / "kb.db"
    with KnowledgeBase.open(path, embedder=embedder) as kb:
        kb.add(folder)
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    with (
        pytest.raises(CorruptStoreError, match=error) as raised,
        KnowledgeBase.open(path, embedder=embedder) as kb,
    ):
        kb.search("cat")
    assert raised.value.where == str(path)
    assert raised.value.mend


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    import sqlite3

    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    for url, error in (
        (str(other), "not a knowledge base"),
        (str(tmp_path), "a folder"),
        (str(tmp_path / "no" / "kb.db"), "does not exist"),
        ("mysql://x/y", "no store is kept"),
    ):
        with pytest.raises(StoreError, match=error):
            KnowledgeBase.open(url, embedder="none")
    with pytest.raises(StoreError, match="no knowledge base here"):
        KnowledgeBase.open(tmp_path / "none.db", create=False)
    with pytest.raises(StoreError, match="cannot be reached"):
        KnowledgeBase.open(f"postgresql://me:secret@/db?host={tmp_path}", embedder="none")


def test_two_writers_at_once(url: str, tmp_path: Path) -> None:
    """Both index the same folder and one of their own; nothing is lost or there twice."""
    for name in ("both", "left", "right"):
        (tmp_path / name).mkdir()
        for n in range(4):
            (tmp_path / name / f"{n}.txt").write_text(f"{name} text number {n}")
    failed: list[BaseException] = []

    def work(own: str) -> None:
        try:
            with KnowledgeBase.open(url, embedder=HashingEmbedder()) as kb:
                kb.add([tmp_path / "both", tmp_path / own])
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(own,)) for own in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with KnowledgeBase.open(url, embedder=HashingEmbedder()) as kb:
        assert len(kb.documents()) == kb.store.count() == 12
        assert kb.problems() == []
