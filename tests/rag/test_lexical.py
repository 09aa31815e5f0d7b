"""Terms, stems, typos and BM25."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.rag.lexical import bm25
from solarmini.rag.lexical.english import stem
from solarmini.rag.lexical.hangul import compose, from_latin_keys, is_korean, letters
from solarmini.rag.lexical.korean import analyse, morphemes
from solarmini.rag.lexical.query import query_terms
from solarmini.rag.lexical.terms import document_terms, document_words, normalise
from solarmini.rag.lexical.typos import Vocabulary, alignment, corrections


def test_korean_terms_are_morphemes_and_bigrams() -> None:
    terms = document_terms("저작권법은 저작자의 권리를 보호한다.")
    assert {"저작", "권리", "보호", "_저작", "_작권", "_권법"} <= terms.keys()
    assert not {"은", "의", "를", "하다"} & {t for t in terms if len(t) == 1}


def test_inflected_korean_finds_the_dictionary_form() -> None:
    asked = query_terms("누가 그것을 만들었나요?")
    assert "만들다" in asked
    assert "만들다" in document_terms("그가 만든 물건이다.")
    assert not any(term in asked for term in ("누구", "_나요", "_었나"))


def test_a_question_of_question_words_is_still_a_question() -> None:
    assert query_terms("who?") == document_terms("who?")
    assert query_terms("무엇인가?")


def test_numbers_names_width_and_accents() -> None:
    terms = document_terms("SOLAR 10.7B has 10,731,524,096 weights and H6 74.20; Kraków ＡＢＣ")
    assert {"10·7b", "10731524096", "h6", "74·2", "krakow", "abc", "weight"} <= terms.keys()
    assert query_terms("74.2 10731524096") == {
        "74·2": 1, "10731524096": 1, "__74·210731524096": 1
    }  # fmt: skip


def test_words_that_follow_each_other_are_a_pair() -> None:
    english = document_terms("The depth of the scaled models. Layers of 1,024 units")
    assert {"__depthscale", "__scalemodel", "__layer1024", "__1024unit"} <= english.keys()
    assert "__modellayer" not in english  # another sentence
    assert query_terms("depth scaled")["__depthscale"] == 1
    korean = document_terms("그는 1927년 거제도에서 태어났다. 학교는 부산이다.")
    assert {"__1927년", "__년거제도", "__거제도태어나"} <= korean.keys()
    assert "__태어나학교" not in korean
    assert not any(t.startswith("__") for t in document_words("그는 1927년에 태어났다."))


def test_a_compound_is_found_however_it_is_spaced_or_taken_apart() -> None:
    parts = document_terms("명성황후는 왕비였다.")
    assert {"명성", "황후", "명성황후"} <= parts.keys()
    assert "명성황후" in query_terms("명성황후의 아버지는?")
    named = morphemes(analyse("메이지 천황이 세상을 떠났다."))
    assert all(" " not in morpheme.form for morpheme in named)


def test_the_noun_that_names_the_kind_of_answer_weighs_less() -> None:
    asked = query_terms("세종이 태어난 곳은 어디인가?")
    assert 0 < asked["곳"] < asked["태어나다"] == asked["세종"] == 1
    assert query_terms("세종의 업적")["업적"] == 1  # a search, no question
    assert query_terms("세종이 한글을 만들었는가?")["한글"] == 1
    assert query_terms("서울의 인구는?")["인구"] < 1


def test_terms_hold_no_ascii_punctuation() -> None:
    for term in document_terms(
        "a.b-c it's U.S. 3/4 x_y 「법」 e-mail@x.kr 1:2 (주)한국 10.7%의 A-1 값"
    ):
        assert not set(term) & set("!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~ ")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_any_text_has_terms_and_folding_is_stable(text: str) -> None:
    document_terms(text)
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    ("word", "other"), [("studies", "study"), ("running", "runs"), ("built", "building")]
)
def test_stems_meet(word: str, other: str) -> None:
    assert stem(word) == stem(other)


@given(st.integers(0, 18), st.integers(0, 20), st.integers(0, 27))
def test_syllables_come_apart_and_together(initial: int, vowel: int, final: int) -> None:
    assert letters(compose(initial, vowel, final)) == (initial, vowel, final)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("wjwkrrnjs", "저작권"), ("dkssud", "안녕"), ("rkqtdl", "값이"), ("dmldhk", "의와")],
)
def test_latin_keys_spell_korean(typed: str, meant: str) -> None:
    assert from_latin_keys(typed) == meant


def test_english_is_no_korean_on_keys() -> None:
    assert from_latin_keys("solar") is None
    assert from_latin_keys("10.7b") is None


def test_typos_are_corrected_by_letter() -> None:
    words = ["저작권", "_저작", "_작권", "_법률", "scaling", "layer", "player", "2023"]
    known = Vocabulary(words, [3, 5, 4, 2, 9, 8, 1, 4])
    assert corrections(["저작꿘"], known).keys() == {"저작권"}
    assert corrections(["_작꿘"], known).keys() == {"_작권"}
    assert corrections(["scalign"], known).keys() == {"scaling"}
    assert corrections(["2032"], known) == {}  # another number is another number
    assert corrections(["완전히"], known) == {}
    assert max(corrections(["layr"], known).values()) < 1


def osa(a: str, b: str) -> int:
    """Optimal string alignment as the textbook has it."""
    d = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            d[i][j] = min(
                d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1)
    return d[-1][-1]


@given(
    st.text(alphabet="abc", min_size=1, max_size=7),
    st.lists(st.text(alphabet="abc", min_size=4, max_size=4), min_size=1, max_size=5),
)
def test_alignment_is_the_textbooks(word: str, others: list[str]) -> None:
    table = np.array([[ord(c) for c in other] for other in others], dtype=np.int32)
    found = alignment(np.array([ord(c) for c in word], dtype=np.int32), table)
    assert found.tolist() == [osa(word, other) for other in others]


@given(
    st.text(alphabet="abcé_", min_size=2, max_size=9),
    st.lists(st.text(alphabet="abcé", min_size=2, max_size=9), min_size=1, max_size=30),
)
def test_guesses_are_all_words_near_enough(term: str, words: list[str]) -> None:
    words = sorted(set(words))
    most = 0 if len(term) < 4 else 1 if len(term) < 8 else 2
    near = sorted((osa(term, w), w) for w in words if 0 < osa(term, w) <= most)
    expected = [] if term.startswith("_") else [w for _, w in near][:3]
    assert Vocabulary(words, [1] * len(words)).guesses(term) == expected


def test_bm25_is_the_formula() -> None:
    documents = [{"a": 2, "b": 1, "_ab": 3}, {"a": 1, "c": 4}, {"c": 1}, {"a": 1}]
    words = np.array([3, 5, 1, 1])
    grams = np.array([3, 0, 0, 0])
    alive = np.array([True, True, True, False])

    def postings(term: str) -> tuple[np.ndarray, np.ndarray]:
        held = [(at, d[term]) for at, d in enumerate(documents) if term in d]
        return np.array([at for at, _ in held], int), np.array([n for _, n in held], int)

    lengths = bm25.Lengths.of(words, grams, alive)
    found = bm25.scores({"a": 1.0, "_ab": 0.5, "z": 1.0}, postings, lengths)

    def part(often: int, length: int, mean: float, holding: int) -> float:
        idf = math.log(1 + (3 - holding + 0.5) / (holding + 0.5))
        norm = bm25.K1 * (1 - bm25.B + bm25.B * length / mean)
        return idf * often * (bm25.K1 + 1) / (often + norm)

    expected = [
        part(2, 3, 3.0, 2) + 0.5 * bm25.GRAMS * part(3, 3, 3.0, 1),
        part(1, 5, 3.0, 2),
    ]
    assert found.values[:2] == pytest.approx(expected, rel=1e-5)
    assert found.missing == ("z",)
    assert found.most > max(found.values)


def test_a_korean_question_about_an_english_name_is_korean() -> None:
    assert is_korean("SOLAR 10.7B-Instruct의 H6 점수는 얼마인가요?")
    assert not is_korean("What does 깊이 mean in the report on depth up-scaling?")
    assert not is_korean("")
    assert not is_korean("74.20 %")
