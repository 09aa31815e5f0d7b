"""Labelled answers beside their contexts, from the shared data folder."""

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from solarmini.rag.chunk.sentences import sentences


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


def articles(data: Path, draw: random.Random) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the beginnings of Korean statutes' articles in disorder: text, name, sentences."""
    rows = list(read(data / "rag/corpus/law_articles_ko.jsonl.gz"))
    draw.shuffle(rows)
    for row in rows:
        text = row["text"][:1500]
        yield text, row["_id"], [text[start:end] for start, end in sentences(text)]


def begin(data: Path) -> Iterator[Row]:
    """BEGIN, Wizard of Wikipedia part (the dev half); generic answers are not attributable."""
    for row in read(data / "rag/dev/groundedness_begin_wow_en.jsonl.gz"):
        label = "grounded" if row["label"] == "Fully attributable" else "notGrounded"
        group = row["knowledge"].casefold()
        yield Row(row["knowledge"], row["response"], label, "begin", group)
