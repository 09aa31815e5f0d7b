"""Labelled answers beside their contexts, from the shared data folder."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_KLUE = {"entailment": "grounded", "contradiction": "notGrounded", "neutral": "notSure"}
_XNLI = {"참": "grounded", "거짓": "notGrounded", "알 수 없음": "notSure"}


@dataclass(frozen=True, slots=True)
class Row:
    """An answer and its label; rows of one `group` are never in training and test at once."""

    context: str
    answer: str
    label: str
    source: str
    group: str


def read(path: Path) -> Iterator[dict]:
    """Yield the objects of a JSONL file, gzipped or not."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    yield from (json.loads(line) for line in text.split("\n") if line)


def korean(data: Path) -> Iterator[Row]:
    """KLUE-NLI and KoBEST-BoolQ as groundedness (the dev half)."""
    for row in read(data / "rag/dev/groundedness_ko.jsonl.gz"):
        yield Row(row["context"], row["response"], row["label"], row["source"], row["context"])


def begin(data: Path) -> Iterator[Row]:
    """BEGIN, Wizard of Wikipedia part (the dev half); generic answers are not attributable."""
    for row in read(data / "rag/dev/groundedness_begin_wow_en.jsonl.gz"):
        label = "grounded" if row["label"] == "Fully attributable" else "notGrounded"
        group = row["knowledge"].casefold()
        yield Row(row["knowledge"], row["response"], label, "begin", group)


def more_korean(data: Path) -> Iterator[Row]:
    """Training splits and translated XNLI: no row of them is in a set that we report."""
    for row in read(data / "eval/fewshot/kobest_boolq_train.jsonl.gz"):
        label = "grounded" if row["label"] else "notGrounded"
        answer = f"질문: {row['question']} 답: 예"
        yield Row(row["paragraph"], answer, label, "boolq-train", row["paragraph"])
    for row in read(data / "eval/dev/kornli_xnli_test.jsonl.gz"):
        premise, hypothesis = row["premise"], row["hypothesis"]
        yield Row(premise, hypothesis, _KLUE[row["gold_label"]], "xnli-ko", premise)
    for row in read(data / "sft/dev/ko_templated_tasks.jsonl.gz"):
        if row["task"] == "자연어추론":
            premise, hypothesis = row["input"].removeprefix("전제: ").split("\n가설: ")
            yield Row(premise, hypothesis, _XNLI[row["output"]], "xnli-ko", premise)
