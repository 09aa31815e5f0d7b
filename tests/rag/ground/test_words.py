"""Numbers by value, words by stem or morpheme, denial."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.rag.ground.claims import statements
from solarmini.rag.ground.numbers import of_digits, of_korean
from solarmini.rag.ground.words import units


def numbers(text):
    return [unit.key for unit in units(text) if unit.kind == "number"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("1,234 people", ["#1234"]),
        ("6½ sacks", ["#6.5"]),
        ("twenty-one of 74.20", ["#21", "#74.2"]),
        ("three million in the 3rd year", ["#3000000", "#3"]),
        ("3 million and two hundred", ["#3000000", "#200"]),
        ("one of the first", ["#1"]),
        ("과태료 30만원", ["#300000"]),
        ("1억 원을 세 명에게", ["#100000000", "#3"]),
        ("2016년 8월 8일", ["#2016", "#8", "#8"]),
        ("제3조제2항", ["#3", "#2"]),
    ],
)
def test_numbers_are_read_by_value(text, keys):
    assert numbers(text) == keys


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("스물세", "23"),
        ("열", "10"),
        ("이백오십", "250"),
        ("삼만", "30000"),
        ("십이억", "1200000000"),
    ],
)
def test_korean_numerals(form, value):
    assert of_korean(form) == value


def test_what_is_no_numeral_is_none():
    assert of_korean("사람") is None


@given(st.integers(0, 10**12))
def test_separators_do_not_change_a_number(value):
    assert of_digits(f"{value:,}") == of_digits(str(value)) == str(value)


def test_a_number_knows_what_it_counts():
    found = {
        unit.key: unit.measure for unit in units("308 points and $24") if unit.kind == "number"
    }
    assert found == {"#308": "point", "#24": "$"}
    assert [unit.measure for unit in units("30일 이내") if unit.kind == "number"] == ["일"]


def test_denial_marks_the_word_that_is_denied():
    def denied(text):
        return [unit.key for unit in units(text) if unit.negated]

    assert "lead" in denied("Short did not lead the team.")
    assert denied("Short led the team.") == []
    assert "신고" in denied("신고를 하지 아니한 자")
    assert denied("신고를 한 자") == []


@given(st.text(max_size=200))
def test_units_lie_in_the_text_in_order(text):
    found = units(text)
    assert all(0 <= unit.start < unit.end <= len(text) for unit in found)
    assert [unit.start for unit in found] == sorted(unit.start for unit in found)


@given(st.text(alphabet="ab .!?\n-1[]가나", max_size=80))
def test_claims_lie_in_the_answer(answer):
    for claim in statements(answer):
        assert 0 <= claim.start < claim.end <= len(answer)
        assert claim.stated.strip()


def test_claims_are_sentences_and_items_without_citations():
    answer = "Here it is.\n1. One is so [2].\n* Two is not. [1, 3]"
    assert [claim.stated for claim in statements(answer)] == [
        "Here it is.",
        "One is so.",
        "Two is not.",
    ]


def test_a_question_with_its_reply_is_one_claim():
    (claim,) = statements("Question: Who led? Answer: Kim")
    assert claim.stated[claim.reply :] == "Kim"
    (no,) = statements("질문: 신고하는가? 답: 아니오")
    assert no.denied
    assert no.stated == "신고하는가?"
    (yes,) = statements("Q: Is it so? A: Yes.")
    assert yes.affirmed
