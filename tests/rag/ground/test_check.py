"""The verdict on answers about small contexts of our own."""

import itertools

import pytest

from solarmini.rag.ground import check

SHIP = (
    "The ferry Larkspur was launched in 1931 at the yard of Olsen & Sons in Bergen. "
    "It carried 240 passengers and 18 cars, and crossed the fjord in 35 minutes. "
    "Its captain for most of those years was Ingrid Dahl, who had served on 3 other ferries."
)
LAW = (
    "제5조(신고) ① 사업자는 영업을 시작한 날부터 30일 이내에 시장에게 신고하여야 한다. "
    "② 제1항에 따른 신고를 하지 아니한 자에게는 200만원 이하의 과태료를 부과한다. "
    "③ 시장은 신고를 받은 날부터 7일 이내에 신고증을 내주어야 한다."
)

TRUE = [
    (SHIP, "The ferry Larkspur was launched in 1931 at the yard of Olsen & Sons in Bergen."),
    (SHIP, "The Larkspur was launched in 1931."),
    (SHIP, "It carried 240 passengers and eighteen cars."),
    (LAW, "사업자는 영업을 시작한 날부터 30일 이내에 시장에게 신고하여야 한다."),
    (LAW, "시장은 신고를 받은 날부터 7일 이내에 신고증을 내주어야 한다."),
]
FALSE = [
    (SHIP, "The ferry Larkspur was launched in 1935 at the yard of Olsen & Sons in Bergen."),
    (SHIP, "It carried 35 passengers and 18 cars, and crossed the fjord in 240 minutes."),
    (SHIP, "The ferry Bergen was launched in 1931 at the yard of Ingrid Dahl in Larkspur."),
    (SHIP, "The president of France resigned after the strike of the miners."),
    (LAW, "사업자는 영업을 시작한 날부터 7일 이내에 시장에게 신고하여야 한다."),
    (LAW, "제1항에 따른 신고를 하지 아니한 자에게는 500만원 이하의 과태료를 부과한다."),
    (LAW, "대통령은 매년 국회에서 예산안에 관한 연설을 한다."),
]


@pytest.mark.parametrize(("context", "answer"), TRUE)
def test_what_the_context_says_is_grounded(context, answer):
    assert check(context, answer).label == "grounded"


@pytest.mark.parametrize(("context", "answer"), FALSE)
def test_what_it_does_not_say_is_not_grounded(context, answer):
    assert check(context, answer).label == "notGrounded"


def test_every_true_answer_scores_above_every_false_one_of_its_context():
    for (one, true), (other, false) in itertools.product(TRUE, FALSE):
        if one == other:
            assert check(one, true).score > check(other, false).score + 0.2


@pytest.mark.parametrize("bar", [" | ", " "])
def test_a_cell_belongs_to_its_row(bar):
    rows = (("Model", "H6"), ("HARBOR 4.2B-Instruct", "71.30"), ("Lark 30B", "69.80"))
    table = "\n".join(bar.join(row).strip() for row in rows)
    assert check(table, "The H6 of HARBOR 4.2B-Instruct is 71.30.").label == "grounded"
    assert check(table, "The H6 of HARBOR 4.2B-Instruct is 69.80.").label == "notGrounded"


@pytest.mark.parametrize(
    ("context", "right", "wrong"),
    [
        ("The tower is 330 m tall.", "It is 330 m.", "It is 320 m."),
        ("It was built in 1889 by Gustave Eiffel.", "1889", "1890"),
        ("It was built in 1889 by Gustave Eiffel.", "Gustave Eiffel.", "Gustave Courbet."),
        ("회비는 매달 3만 원이다.", "3만 원입니다.", "5만 원입니다."),
        ("SOLAR 10.7B-Instruct has an H6 of 74.20.", "74.20", "72.40"),
    ],
)
def test_a_value_alone_is_an_answer(context, right, wrong):
    good, bad = check(context, right), check(context, wrong)
    assert good.label == "grounded"
    assert bad.label != "grounded"
    assert bad.score < good.score - 0.3


def test_denying_what_is_said_lowers_the_score():
    said = check(SHIP, "Its captain was Ingrid Dahl.").score
    assert check(SHIP, "Its captain was not Ingrid Dahl.").score < said - 0.2


@pytest.mark.parametrize(
    ("text", "claim", "problems"),
    [
        ("The house is new.", "The house is old.", ("old ≠ new",)),
        ("The house is new.", "The house is not old.", ()),
        ("The house is not new.", "The house is old.", ()),
        ("이 숙소는 역에서 아주 가까워요.", "이 숙소는 역에서 멀다.", ("멀다 ≠ 가깝다",)),
        ("이 숙소는 역에서 아주 가까워요.", "이 숙소는 역에서 멀지 않다.", ()),
    ],
)
def test_an_opposite_is_a_problem_unless_it_is_denied(text, claim, problems):
    assert check(text, claim).claims[0].problems == problems


def test_claims_and_their_support_are_found_in_both_texts():
    answer = "- The Larkspur was launched in 1931. [1]\n- Its captain was Ingrid Dahl. [1]"
    verdict = check(["Nothing to see here.", SHIP], answer)
    launched, captain = verdict.claims
    assert launched.text == "The Larkspur was launched in 1931."
    assert answer[captain.start : captain.end].startswith("Its captain was Ingrid Dahl")
    assert launched.support.passage == captain.support.passage == 1
    assert "launched in 1931" in SHIP[launched.support.start : launched.support.end]
    assert "Ingrid Dahl" in SHIP[captain.support.start : captain.support.end]


def test_one_false_claim_among_true_ones_is_found():
    verdict = check(SHIP, f"{TRUE[0][1]} The president of France resigned after the strike.")
    assert [claim.label for claim in verdict.claims] == ["grounded", "notGrounded"]
    assert verdict.label != "grounded"


def test_problems_name_the_value_that_the_context_has_instead():
    claim = check(LAW, FALSE[5][1]).claims[0]
    assert any("5000000" in problem and "2000000" in problem for problem in claim.problems)


def test_a_no_to_a_true_question_is_not_grounded_and_yes_is():
    question = "질문: 사업자는 영업을 시작한 날부터 30일 이내에 시장에게 신고하여야 하는가? 답: "
    yes, no = check(LAW, question + "예"), check(LAW, question + "아니오")
    assert yes.score == pytest.approx(1 - no.score)
    assert yes.label == "grounded"
    assert no.label == "notGrounded"


def test_nothing_said_is_not_sure_and_without_context_nothing_is_grounded():
    assert check(SHIP, " \n").label == "notSure"
    assert check(SHIP, "...").claims == ()
    assert check("", TRUE[0][1]).label == "notGrounded"
    assert check([], TRUE[0][1]).claims[0].support is None


def test_the_same_verdict_every_time_and_for_one_text_or_a_list_of_one():
    assert check(SHIP, TRUE[1][1]) == check([SHIP], TRUE[1][1]) == check(SHIP, TRUE[1][1])
