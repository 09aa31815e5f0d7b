"""Answers in the sources' own words: the right sentence or cells, or none at all."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from solarmini.layout.document import Document, Element, Page, Span, rectangle
from solarmini.rag.answer.model import refusal
from solarmini.rag.knowledge import KnowledgeBase


@pytest.mark.parametrize(
    ("question", "said", "source"),
    [
        ("Who designed the bridge at Orlen?", "Marta Vell", "bridge.md"),
        ("When was the bridge at Orlen opened?", "4 May 1931", "bridge.md"),
        ("How long is the deck of the bridge at Orlen?", "412 metres", "bridge.md"),
        ("At what temperature is green tea brewed?", "80 degrees", "tea.md"),
        ("유급휴가는 1년에 며칠인가요?", "20일", "leave.md"),
        ("출장 영수증은 언제까지 제출하나요?", "10일 안에", "leave.md"),
    ],
)
def test_the_sentence_that_answers(
    kb: KnowledgeBase, question: str, said: str, source: str
) -> None:
    answer = kb.ask(question)
    assert answer.abstained is None
    assert said in answer.statements[0].text
    first = answer.citations[0]
    assert first.source.endswith(source)
    hit = next(hit for hit in answer.hits if hit.chunk_id == first.chunk_id)
    assert hit.text[first.start : first.end] == first.quote
    assert said in first.quote
    assert answer.text.endswith("[1]") or "[1] " in answer.text
    json.dumps(answer.as_dict())


def test_cells_of_a_table(kb: KnowledgeBase) -> None:
    one = kb.ask("How many lorries a day crossed in 1990?")
    assert one.statements[0].text == "1990 — Lorries a day: 2,070"
    assert one.citations[0].kind == "table"
    other = kb.ask("How many cars a day were there in 2020?")
    assert other.statements[0].text == "2020 — Cars a day: 23,950"


RACES = """# Boats

Despite its smaller size, Kestrel 9-Swift wins on speed and on range, and Heron 4 is last.
Ann Roe is at the helm of Heron 4. Beyond the bridge a range of 9 miles is usual.

| Boat | Size | Speed | Range |
|---|---|---|---|
| Kestrel 9-Swift | 11 m | 74 | 310 |
| Kestrel 9 | 12 m | 66 | 280 |
| Heron 4 | 47 m | 71 | 500 |
"""


@pytest.fixture(scope="module")
def boats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("boats")
    (folder / "boats.md").write_text(RACES, encoding="utf-8")
    with KnowledgeBase.open(folder / "kb.db") as base:
        base.add([folder / "boats.md"])
        yield base


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What is the size of Kestrel 9-Swift?", "Kestrel 9-Swift — Size: 11 m"),
        ("What is the size of Kestrel 9?", "Kestrel 9 — Size: 12 m"),
        ("Heron 4의 speed는?", "Heron 4 — Speed: 71"),
        ("What range does Heron 4 have?", "Heron 4 — Range: 500"),
    ],
)
def test_a_cell_that_is_asked_for_comes_before_prose(
    boats: KnowledgeBase, question: str, said: str
) -> None:
    assert boats.ask(question).statements[0].text == said


@pytest.mark.parametrize("question", ["Who steers Heron 4?", "What range is usual with Kestrel?"])
def test_a_row_is_not_asked_for_by_its_label_or_a_column_alone(
    boats: KnowledgeBase, question: str
) -> None:
    assert boats.ask(question, least=0.0).citations[0].kind == "text"


@pytest.mark.parametrize(
    "question",
    [
        "How many cars a day were there in 1975?",  # a row that is not there
        "Who painted the ceiling of the Sistine Chapel?",
        "What is the capital of France?",
        "상표권은 몇 년 동안 보호되나요?",
        "zzz",
    ],
)
def test_no_answer_is_said(kb: KnowledgeBase, question: str) -> None:
    answer = kb.ask(question)
    assert answer.abstained in ("not answered", "nothing found")
    assert answer.statements == ()
    assert answer.text == refusal(question)


def test_least_confidence_is_the_callers(kb: KnowledgeBase) -> None:
    question = "Who was the mayor when the bridge at Orlen was planned?"
    asked = kb.ask(question, least=0.0)
    assert asked.abstained is None
    assert kb.ask(question, least=1.0).abstained == "not answered"


def test_filters_hold_for_answers(kb: KnowledgeBase) -> None:
    answer = kb.ask("Who designed the bridge at Orlen?", filters={"sources": ["tea.md"]})
    assert answer.abstained


def test_a_citation_is_of_the_page_of_its_sentence(tmp_path: Path) -> None:
    """A passage that goes over a page's end is cited by the page that the sentence stands on."""
    texts = ("The mill at Sund has two wheels.", "The mill at Sund grinds rye only.")
    pages = tuple(
        Page(
            number=n,
            width=600,
            height=800,
            elements=(
                Element(
                    id=n,
                    category="paragraph",
                    page=n,
                    polygon=rectangle(0.1 * n, 0.2, 0.8, 0.3),
                    spans=(Span(text=text),),
                ),
            ),
        )
        for n, text in enumerate(texts, start=1)
    )
    document = Document(source="m.pdf", format="pdf", total_pages=2, pages=pages)
    (tmp_path / "m.pdf").write_bytes(b"%PDF-")
    with KnowledgeBase.open(tmp_path / "kb.db", embedder="none") as kb:
        kb.add(tmp_path, layout=lambda path: document)
        assert kb.store.count() == 1
        for question, page in (
            ("How many wheels has the mill at Sund?", 1),
            ("What does the mill at Sund grind?", 2),
        ):
            cited = kb.ask(question).citations[0]
            assert (cited.page, cited.quote) == (page, texts[page - 1])
            assert cited.polygon == pages[page - 1].elements[0].polygon
