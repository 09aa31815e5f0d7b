"""What every store does, the same on SQLite (small and large) and on PostgreSQL."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from rag_parts import HashingEmbedder, parsed

from solarmini.layout.document import rectangle
from solarmini.rag.chunk.build import chunk
from solarmini.rag.chunk.model import Block, ChunkSize, Parsed, Place
from solarmini.rag.lexical import bm25
from solarmini.rag.lexical.query import query_terms
from solarmini.rag.lexical.terms import document_terms
from solarmini.rag.store.filters import Filters
from solarmini.rag.store.interface import Store
from solarmini.rag.store.open import open_store
from solarmini.rag.store.records import DocumentRecord, NewChunk

Opened = Callable[[str], Store]
ONE_EACH = ChunkSize(target=1, most=1000)  # a chunk a paragraph
TEXTS = {
    "a.txt": ("The cat sat on the mat.", "Dogs bark at the cat.", "A mat is flat."),
    "b.txt": ("저작권법은 저작자의 권리를 보호한다.", "근로자는 임금을 받는다.", "Cats purr."),
    "c.txt": ("Nothing of the kind.",),
}


def put(store: Store, source: str, found: Parsed, metadata: Mapping[str, str] | None = None) -> int:
    """Store a source as an index run does; return how many chunks it has."""
    store.bind({"embedder": "hashing-64", "dimension": "64", "analysis": "test"})
    embedder = HashingEmbedder()
    chunks = chunk(found, ONE_EACH)
    record = DocumentRecord(
        source, "0" * 64, 1, "r", found.format, found.pages, found.title, (), metadata or {}
    )
    store.replace(
        record,
        [NewChunk(c, document_terms(c.search_text), embedder.query(c.search_text)) for c in chunks],
    )
    return len(chunks)


def filled(store: Store) -> Store:
    for source, texts in TEXTS.items():
        put(store, source, parsed(*texts), {"team": source[0]})
    return store


def found(store: Store, question: str, **more: object) -> dict[str, tuple[float, float]]:
    """Texts found, with both scores."""
    vector = HashingEmbedder().query(question)
    got = store.candidates(query_terms(question), vector, 50, **more)  # type: ignore[arg-type]
    stored = {one.row: one.chunk.text for one in store.chunks(got.rows.tolist())}
    return {
        stored[row]: (float(lexical), float(dense))
        for row, lexical, dense in zip(got.rows.tolist(), got.lexical, got.dense, strict=True)
    }


def expected_bm25(question: str) -> dict[str, float]:
    """BM25 of all texts, computed here from the texts alone."""
    texts = [text for some in TEXTS.values() for text in some]
    terms = [document_terms(text) for text in texts]

    def postings(term: str) -> tuple[np.ndarray, np.ndarray]:
        held = [(at, t[term]) for at, t in enumerate(terms) if t[term]]
        return np.array([at for at, _ in held], int), np.array([n for _, n in held], int)

    grams = np.array([sum(n for t, n in some.items() if t[0] == "_") for some in terms])
    words = np.array([sum(some.values()) for some in terms]) - grams
    lengths = bm25.Lengths.of(words, grams, np.ones(len(texts), bool))
    values = bm25.scores(query_terms(question), postings, lengths).values
    return {text: float(value) for text, value in zip(texts, values, strict=True)}


@pytest.mark.parametrize("question", ["cat mat", "저작권", "임금을 받는 근로자", "cats and dogs"])
def test_scores_are_bm25_and_cosine(url: str, opened: Opened, question: str) -> None:
    store = filled(opened(url))
    embedder = HashingEmbedder()
    got = found(store, question)
    right = expected_bm25(question)
    assert got.keys() == right.keys()  # few chunks: all are among the nearest
    for text, (lexical, dense) in got.items():
        assert lexical == pytest.approx(right[text], rel=1e-4, abs=1e-6)
        cosine = float(embedder.query(text) @ embedder.query(question))
        assert dense == pytest.approx(cosine, abs=1e-5)


def test_limit_takes_the_best_of_each(url: str, opened: Opened) -> None:
    store = filled(opened(url))
    got = store.candidates(query_terms("cat mat"), None, 1)
    assert [c.chunk.text for c in store.chunks(got.rows.tolist())] == ["The cat sat on the mat."]
    assert got.dense.tolist() == [0.0]
    nearest = store.candidates({}, HashingEmbedder().query("Cats purr."), 1)
    assert [c.chunk.text for c in store.chunks(nearest.rows.tolist())] == ["Cats purr."]


def test_what_is_stored_comes_back_whole(url: str, opened: Opened) -> None:
    store = opened(url)
    put(store, "x.txt", parsed("One 한글.", "Two\0 with a nul.", title="T"), {"k": "v"})
    store.close()
    again = opened(url)
    assert again.count() == 2
    record = again.documents()[0]
    assert (record.source, record.title, record.metadata) == ("x.txt", "T", {"k": "v"})
    rows = again.candidates(query_terms("한글"), None, 9).rows.tolist()
    one = again.chunks(rows)[0]
    assert (one.chunk.text, one.chunk.heading, one.ordinal) == ("One 한글.", ("T",), 0)
    assert [(p.page, p.polygon, p.element) for p in one.chunk.places] == [(1, None, 1)]
    assert again.rows_of(one.chunk.id) == [one.row]
    assert again.problems() == []


def test_deleted_text_is_never_found_again(url: str, opened: Opened) -> None:
    store = filled(opened(url))
    other = opened(url)
    before = found(other, "저작권 보호")  # warms whatever is kept in memory
    assert any("저작권" in text for text in before)
    store.tidy()  # writes derived files that hold the text's terms and vectors
    assert store.delete("b.txt")
    for look in (store, other):
        after = found(look, "저작권 보호")
        assert not any(text in TEXTS["b.txt"] for text in after)
        assert "저작권" not in look.vocabulary()
    store.tidy()
    assert not any(text in TEXTS["b.txt"] for text in found(store, "저작권 보호"))
    assert store.vectors_of(c.id for c in chunk(parsed(*TEXTS["b.txt"]), ONE_EACH)) == {}
    assert not store.delete("b.txt")
    assert store.problems() == []


def test_replaced_text_is_gone_and_scores_are_of_what_is_there(url: str, opened: Opened) -> None:
    store = filled(opened(url))
    store.tidy()
    put(store, "c.txt", parsed("Entirely new words.", "And a second cat."))
    got = found(store, "cat")
    assert "Nothing of the kind." not in got
    assert got["And a second cat."][0] > 0
    put(store, "c.txt", parsed(*TEXTS["c.txt"]))
    right = expected_bm25("cat mat")
    got = found(store, "cat mat")
    assert {text: lexical for text, (lexical, _) in got.items()} == pytest.approx(right, rel=1e-4)
    assert store.problems() == []


def test_filters(url: str, opened: Opened) -> None:
    store = filled(opened(url))

    def texts(**conditions: object) -> set[str]:
        return set(found(store, "cat", among=store.select(Filters.model_validate(conditions))))

    assert texts(sources=("a*",)) == set(TEXTS["a.txt"])
    assert texts(metadata={"team": "c"}) == set(TEXTS["c.txt"])
    assert texts(pages=(2, 2)) == {TEXTS["a.txt"][1], TEXTS["b.txt"][1]}
    assert texts(kinds=("table",)) == set()
    assert texts(formats=("pdf",)) == set()
    assert texts(heading="x%") == set()
    assert store.select(Filters()) is None


def test_neighbours_in_reading_order(url: str, opened: Opened) -> None:
    store = filled(opened(url))
    row = store.candidates(query_terms("dogs"), None, 1).rows.tolist()[0]
    assert [c.chunk.text for c in store.chunks(store.around(row, 1, 1))] == list(TEXTS["a.txt"])
    assert [c.chunk.text for c in store.chunks(store.around(row, 1, 0))] == list(TEXTS["a.txt"][:2])
    assert [c.chunk.text for c in store.chunks(store.section(row))] == list(TEXTS["a.txt"])


def test_kept_vectors_are_given_back_and_forgotten(url: str, opened: Opened) -> None:
    store = opened(url)
    store.bind({"embedder": "hashing-64", "dimension": "64", "analysis": "test"})
    made = HashingEmbedder().query("a few words")
    store.keep_vectors({"id1": made, "id2": -made})
    got = store.vectors_of(["id1", "id3"])
    assert got.keys() == {"id1"}
    assert np.array_equal(got["id1"], made)
    store.forget_vectors()
    assert store.vectors_of(["id1", "id2"]) == {}


def test_missing_terms_are_named_and_vocabulary_counts_chunks(url: str, opened: Opened) -> None:
    store = filled(opened(url))
    got = store.candidates({"cat": 1.0, "zebra": 1.0}, None, 5)
    assert got.missing == ("zebra",)
    assert got.most > float(got.lexical.max())
    assert store.unknown(["zebra", "cat", "yak"]) == ["zebra", "yak"]
    vocabulary = store.vocabulary()
    assert vocabulary.holding("cat") == 3
    assert vocabulary.holding("zebra") == 0
    assert "cat" in vocabulary
    assert "zebra" not in vocabulary
    assert vocabulary.guesses("catz") == ["cat"]
    assert vocabulary.guesses("caz") == []  # too short to tell a typo from another word
    assert "_저작" in vocabulary
    pair = next(term for term in document_terms(TEXTS["a.txt"][0]) if term.startswith("__"))
    assert store.unknown([pair]) == []
    assert pair not in vocabulary  # nobody mistypes one


def test_a_deleted_documents_terms_are_unknown(url: str, opened: Opened) -> None:
    store = filled(opened(url))
    store.tidy()  # derived files hold them still
    store.delete("c.txt")
    assert store.unknown(["noth", "cat"]) == ["noth"]


def test_places_come_back_as_they_were(url: str, opened: Opened) -> None:
    store = opened(url)
    corners = rectangle(0.1, 0.25, 0.5, 0.75)
    blocks = (
        Block("text", "First page.", (Place(1, corners, 4),)),
        Block("text", "Second page.", (Place(2, None, 5),)),
    )
    store.bind({"embedder": "none", "dimension": "0", "analysis": "test"})
    made = chunk(Parsed("pdf", blocks, 2), ChunkSize(target=100))
    new = [NewChunk(c, document_terms(c.search_text), None) for c in made]
    store.replace(DocumentRecord("p.pdf", "0" * 64, 1, "r", "pdf", 2), new)
    row = store.candidates({"first": 1.0}, None, 1).rows.tolist()[0]
    stored = store.chunks([row])[0].chunk
    assert stored == made[0]
    assert [place.start for place in stored.places] == [0, len("First page.\n")]


def test_settings_do_not_change(url: str, opened: Opened) -> None:
    store = opened(url)
    store.bind({"embedder": "one"})
    assert store.bind({"embedder": "two", "dimension": "3"})["embedder"] == "one"
    assert opened(url).settings()["dimension"] == "3"


def test_an_empty_store_finds_nothing(url: str, opened: Opened) -> None:
    store = opened(url)
    got = store.candidates({"cat": 1.0}, None, 5)
    assert len(got.rows) == 0
    assert store.unknown(["cat"]) == ["cat"]
    assert store.documents() == []
    assert store.problems() == []


def test_several_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Whoever comes first makes it, the others wait for that and find the same store."""
    start = Barrier(4)

    def opened_id(path: Path) -> str:
        start.wait()
        store = open_store(str(path))
        try:
            return store.settings()["id"]
        finally:
            store.close()

    with ThreadPoolExecutor(4) as pool:
        for n in range(40):
            assert len(set(pool.map(opened_id, [tmp_path / f"{n}.db"] * 4))) == 1
