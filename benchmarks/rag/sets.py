"""Question sets: passages, questions, and which passages answer them."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class QuestionSet:
    """Passages by id, and (question, ids of the passages that answer it)."""

    name: str
    corpus: str  # sets of one corpus share its index
    passages: dict[str, str]
    questions: list[tuple[str, frozenset[str]]]


def rows(path: Path) -> list[dict[str, Any]]:
    """Read JSON Lines, packed or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def shared_sets(shared: Path) -> list[QuestionSet]:
    """XQuAD-en and the statutes with their own questions, and with ours.

    Those are in other words ("paraphrased"), and in Korean about the passages in English and in
    English about those in Korean ("across", named after the language of the question).
    """
    corpora = {
        "xquad-en": shared / "data/rag/corpus/xquad_en_passages.jsonl.gz",
        "statutes-ko": shared / "data/rag/corpus/law_articles_ko.jsonl.gz",
    }
    questions = [
        ("xquad-en", "xquad-en", shared / "data/rag/dev/xquad_en_queries.jsonl"),
        ("statutes-ko", "statutes-ko", shared / "data/rag/dev/law_known_item_queries_ko.jsonl"),
        ("paraphrased-en", "xquad-en", HERE / "paraphrased_en.jsonl"),
        ("paraphrased-ko", "statutes-ko", HERE / "paraphrased_ko.jsonl"),
        ("across-ko", "xquad-en", HERE / "across_ko.jsonl"),
        ("across-en", "statutes-ko", HERE / "across_en.jsonl"),
    ]
    passages = {
        name: {row["_id"]: row["text"] for row in rows(path)} for name, path in corpora.items()
    }
    return [
        QuestionSet(
            name,
            corpus,
            passages[corpus],
            [(row["query"], frozenset(row["positive_ids"])) for row in rows(path)],
        )
        for name, corpus, path in questions
    ]


def squad_set(name: str, path: Path, questions: int | None) -> QuestionSet:
    """A file in SQuAD's format (KorQuAD 1.0): each question's own paragraph answers it.

    Passages are called NAME-ARTICLE-PARAGRAPH.
    """
    ids: dict[str, str] = {}
    asked: list[tuple[str, frozenset[str]]] = []
    for number, article in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"]):
        for paragraph in article["paragraphs"]:
            key = ids.setdefault(paragraph["context"], f"{name}-{number}-{len(ids)}")
            asked += [(qa["question"], frozenset([key])) for qa in paragraph["qas"]]
    step = max(len(asked) // questions, 1) if questions else 1
    return QuestionSet(name, name, {key: text for text, key in ids.items()}, asked[::step])
