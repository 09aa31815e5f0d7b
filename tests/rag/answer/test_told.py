"""Answers told by a model: only what a cited source bears out is shown."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rag_parts import Says

from solarmini.engine.interface import (
    ContextLengthError,
    Generation,
    GenerationSettings,
    UnsupportedError,
)
from solarmini.rag.answer.follow_up import Turn, rewrite, stands_alone
from solarmini.rag.answer.prompt import DECLINES, compose, grammar, schema
from solarmini.rag.answer.verify import (
    Marked,
    Support,
    marked_objects,
    marked_sentences,
    verified,
)
from solarmini.rag.knowledge import KnowledgeBase

QUESTION = "Who designed the bridge at Orlen?"


def number_of(kb: KnowledgeBase, question: str, words: str) -> int:
    hits = kb.search(question, 6)
    return next(n for n, hit in enumerate(hits, start=1) if words in hit.text)


def test_what_is_not_borne_out_is_dropped(kb: KnowledgeBase) -> None:
    n = number_of(kb, QUESTION, "Marta Vell")
    wrong = n % 3 + 1
    engine = Says(
        f"The bridge at Orlen was designed by Marta Vell [{n}]. "
        f"The bridge at Orlen was designed by John Smith [{n}]. "
        f"The bridge at Orlen was designed by Marta Vell, an engineer [{wrong}]. "
        "Bridges are nice."
    )
    answer = kb.ask(QUESTION, model=engine)
    assert [s.text for s in answer.statements] == ["The bridge at Orlen was designed by Marta Vell"]
    assert answer.text == f"The bridge at Orlen was designed by Marta Vell [{n}]"
    assert "Marta Vell" in answer.citations[0].quote
    assert [d.why for d in answer.dropped] == [
        "the source does not say so",
        "the source does not say so",
        "no source is named",
    ]
    assert answer.mode == "says"


def test_a_model_may_decline(kb: KnowledgeBase) -> None:
    answer = kb.ask(QUESTION, model=Says(DECLINES))
    assert (answer.abstained, answer.statements) == ("model declined", ())


def test_quotes_where_nothing_told_is_borne_out(kb: KnowledgeBase) -> None:
    engine = Says("It was built by giants in one night [1]. " * 20)
    answer = kb.ask(QUESTION, model=engine)
    assert "Marta Vell" in answer.text
    assert answer.mode == "extractive"
    assert any("own words" in warning for warning in answer.warnings)
    assert len(answer.dropped) == 3  # it went in circles and was stopped


def test_no_model_is_asked_what_the_sources_do_not_answer(kb: KnowledgeBase) -> None:
    engine = Says()  # has nothing to say: being asked would raise
    assert kb.ask("Who is the mayor of Orlen?", model=engine).abstained == "not answered"


def test_statements_stream_as_they_are_proven(kb: KnowledgeBase) -> None:
    n = number_of(kb, QUESTION, "Marta Vell")
    said = (
        f"The bridge at Orlen was designed by Marta Vell [{n}]. "
        f"The bridge at Orlen was opened on 4 May 1931 [{n}]."
    )
    with kb.asking(QUESTION, model=Says(said)) as asking:
        running = iter(asking)
        first = next(running)
        assert first.marked.endswith(f"Marta Vell [{n}]")
        assert asking.answer is None
        assert len(list(running)) == 1
        assert asking.answer is not None
        assert len(asking.answer.statements) == 2


def test_an_address_that_no_source_has_is_dropped(kb: KnowledgeBase) -> None:
    hits = kb.search(QUESTION, 3)
    sentence = Marked("Marta Vell designed it, see http://evil.example/?q=secret", (1,))
    statement, dropped = verified(sentence, hits, lambda text, said: Support(True, 1.0, 0, 5))
    assert statement is None
    assert dropped[0].why == "an address not in the source"


@pytest.mark.parametrize("size", [1, 3, 50])
def test_sentences_of_a_stream(size: int) -> None:
    text = "One thing [1][2]. Another thing [3]. And [this] too [1] . Rest"
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    assert list(marked_sentences(parts)) == [
        Marked("One thing", (1, 2)),
        Marked("Another thing", (3,)),
        Marked("And [this] too", (1,)),
        Marked("Rest", ()),
    ]


def test_the_form_of_an_answer_is_enforced() -> None:
    guidance = pytest.importorskip("llguidance")
    assert not guidance.LLMatcher.validate_grammar(grammar(3))
    tokens = guidance.LLTokenizer("byte")

    def fits(text: str) -> bool:
        matcher = guidance.LLMatcher(tokens, grammar(3))
        return matcher.consume_tokens(list(text.encode())) and matcher.is_accepting()

    assert fits(DECLINES)
    assert fits("Tea is green [1]. It is brewed [2][3].") or fits("Tea is green [1]")
    assert not fits("Tea is green [4]")
    assert not fits("Tea is green")


def test_the_prompt_holds_what_fits(kb: KnowledgeBase) -> None:
    engine = Says()
    hits = kb.search("bridge tea 휴가", 6)
    whole = compose("Why?", hits, engine, key="k")
    assert len(whole.hits) == len(hits)
    engine.context_length = 450
    short = compose("Why?", hits, engine, key="k")
    assert 1 <= len(short.hits) < len(hits)
    assert len(short.messages[0]["content"]) // 4 < 450 - 450 // 3
    assert short.settings.grammar == grammar(len(short.hits))
    told = compose("Why?", hits, engine, key="k", as_json=True)
    assert told.settings.grammar is None
    assert told.settings.json_schema == schema(len(told.hits))


HISTORY = [Turn("How many cars a day crossed the bridge in 1990?", "18,400")]


@pytest.mark.parametrize(
    ("question", "rewritten"),
    [
        ("And in 2020?", "How many cars a day crossed the bridge in 2020?"),
        ("What about 1950?", "How many cars a day crossed the bridge in 1950?"),
        ("Who designed the bridge at Orlen?", "Who designed the bridge at Orlen?"),
    ],
)
def test_follow_up_by_rule(question: str, rewritten: str) -> None:
    assert rewrite(question, HISTORY) == rewritten


def test_what_points_back_gets_what_was_asked_about() -> None:
    assert not stands_alone("Who designed it?")
    completed = rewrite("Who designed it?", [Turn("How long is the bridge at Orlen?", "412 m")])
    assert "bridge" in completed
    assert "Orlen" in completed
    assert rewrite("그럼 상표권은?", [Turn("저작권은 언제까지 보호되나요?", "")]) == (
        "상표권은 언제까지 보호되나요?"
    )


def test_a_models_rewriting_is_used_only_when_it_invents_nothing() -> None:
    good = Says("How many cars a day crossed the bridge in 2020?")
    assert rewrite("And in 2020?", HISTORY, good) == good_text()
    inventive = Says("How many trains crossed the Rhine in 2020?")
    assert rewrite("And in 2020?", HISTORY, inventive) == good_text()
    forgetful = Says("How many cars crossed the bridge?")
    assert rewrite("And in 2020?", HISTORY, forgetful) == good_text()


def good_text() -> str:
    return "How many cars a day crossed the bridge in 2020?"


def test_a_follow_up_is_answered(kb: KnowledgeBase) -> None:
    first = kb.ask("How many lorries a day crossed in 1990?")
    answer = kb.ask("And in 2020?", history=[(first.question, first.text)])
    assert answer.searched == "How many lorries a day crossed in 2020?"
    assert answer.statements[0].text == "2020 — Lorries a day: 3,115"


class SaysInJson(Says):
    """An engine such as one behind a URL: it knows schemas and no grammars."""

    def generate(self, prompt: Any, settings: GenerationSettings) -> Generation:
        if settings.grammar is not None:
            raise UnsupportedError("no grammars")
        return super().generate(prompt, settings)


def test_an_engine_without_grammars_answers_in_json(kb: KnowledgeBase) -> None:
    n = number_of(kb, QUESTION, "Marta Vell")
    said = {
        "statements": [
            {"text": "The bridge at Orlen was designed by Marta Vell", "sources": [n]},
            {"text": "The bridge at Orlen was designed by John {Smith]", "sources": [n]},
        ]
    }
    engine = SaysInJson(json.dumps(said))
    answer = kb.ask(QUESTION, model=engine)
    assert answer.text == f"The bridge at Orlen was designed by Marta Vell [{n}]"
    assert [d.text for d in answer.dropped] == [said["statements"][1]["text"]]
    assert "JSON" in engine.prompts[0]
    assert DECLINES not in engine.prompts[0]
    empty = kb.ask(QUESTION, model=SaysInJson('{"statements": []}'))
    assert empty.abstained == "model declined"
    cut = SaysInJson(json.dumps(said)[:90])  # ends in the second statement
    assert kb.ask(QUESTION, model=cut).text == answer.text
    assert kb.ask(QUESTION, model=SaysInJson("I do not know JSON [1].")).mode == "extractive"


def test_sources_that_the_engine_has_no_room_for_are_left_out(kb: KnowledgeBase) -> None:
    class Narrow(Says):
        """It finds out only when asked that a prompt is too long for it."""

        most = 0

        def generate(self, prompt: Any, settings: GenerationSettings) -> Generation:
            asked = len(prompt[-1]["content"])
            self.most = self.most or asked - 1
            if asked > self.most:
                raise ContextLengthError(asked, 400, self.most)
            return super().generate(prompt, settings)

    n = number_of(kb, QUESTION, "Marta Vell")
    engine = Narrow(f"The bridge at Orlen was designed by Marta Vell [{n}].")
    answer = kb.ask(QUESTION, model=engine)
    assert "Marta Vell" in answer.statements[0].text
    assert answer.mode == "says"
    assert 1 <= engine.prompts[0].count("number=") < len(answer.hits)


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=12), st.lists(st.integers(1, 9), max_size=2))),
    st.integers(1, 9),
)
def test_objects_are_read_however_they_are_cut(
    said: list[tuple[str, list[int]]], size: int
) -> None:
    rows = [{"text": text, "sources": numbers} for text, numbers in said]
    whole = json.dumps({"statements": rows}, ensure_ascii=False)
    parts = [whole[at : at + size] for at in range(0, len(whole), size)]
    expected = [Marked(" ".join(text.split()), tuple(numbers)) for text, numbers in said]
    assert list(marked_objects(parts)) == (expected or [Marked(DECLINES, ())])


def test_a_real_engine_keeps_to_the_form(kb: KnowledgeBase, tmp_path: Path) -> None:
    """A model of random weights: whatever it says, only what is borne out is shown."""
    pytest.importorskip("llguidance")
    from helpers import tiny_model

    from solarmini.engine.local import TransformersEngine

    folder = tiny_model("llama", tmp_path / "tiny", seed=3)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 2048}))
    with TransformersEngine(folder) as engine:
        answer = kb.ask(QUESTION, model=engine, limit=2)
    assert answer.statements
    assert "Marta Vell" in answer.text
    assert answer.mode == "extractive"
    assert answer.dropped
    for dropped in answer.dropped:
        assert set(dropped.markers) <= {1, 2}
