"""Labelled pairs (premise, claim) in several languages, from published data sets.

`public` is a folder with their files under the names used here (README.md lists them with their
licences), `data` the folder that the other scripts read too.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sources import read

ENTAILED, NEUTRAL, CONTRADICTED, NOT_ENTAILED = range(4)
_LABELS = {
    "entailment": ENTAILED, "neutral": NEUTRAL, "contradiction": CONTRADICTED,
    "e": ENTAILED, "n": NEUTRAL, "c": CONTRADICTED,
    "0": ENTAILED, "1": NEUTRAL, "2": CONTRADICTED,
}  # fmt: skip
_SAME, _OTHER = 4.4, 3.2  # of 5: sentences that mean the same, and that do not


class Pair(NamedTuple):
    """A premise and a claim; `label` is one of the four above."""

    premise: str
    claim: str
    label: int
    source: str


def published(public: Path, data: Path) -> Iterator[Pair]:
    """Yield every pair of every set."""
    for kind, sets in _THREE_WAY.items():
        for file, names in sets.items():
            for row in _rows(public / file):
                label = _LABELS.get(str(row.get(names[2])))
                if label is not None:
                    yield Pair(row[names[0]].strip('" '), row[names[1]].strip('" '), label, kind)
    for row in _rows(public / "boolq_dev.tsv"):
        passage = row["passage"].split(" -- ", 1)[-1]
        label = ENTAILED if row["label"] == "1" else CONTRADICTED
        yield Pair(passage, row["question"] + "?", label, "boolq-en")
    for row in read(data / "eval/fewshot/kobest_boolq_train.jsonl.gz"):
        label = ENTAILED if row["label"] else CONTRADICTED
        yield Pair(row["paragraph"], row["question"], label, "boolq-ko")
    yield from _similar(public)
    yield from _asked(public / "parakqc.txt")


_THREE_WAY = {
    "snli": {f"snli_{part}.tsv": ("premise", "hypothesis", "label") for part in ("dev", "test")},
    "multinli": {"multinli_dev.jsonl": ("premise", "hypothesis", "label")},
    "taxinli": {"taxinli.tsv": ("prem", "hyp", "label")},
    "cad": {
        f"cad_{part}.tsv": ("sentence1", "sentence2", "gold_label")
        for part in ("train", "dev", "test")
    },
    "indonli": {
        f"indonli_{part}.jsonl": ("premise", "hypothesis", "label")
        for part in ("train", "val", "test")
    },
    "jnli": {
        f"jnli_{part}.jsonl": ("sentence1", "sentence2", "label") for part in ("valid", "test")
    },
    "breaking": {"breaking_nli.jsonl": ("sentence1", "sentence2", "gold_label")},
}


def _rows(path: Path) -> Iterator[dict]:
    if path.suffix == ".jsonl":
        yield from (json.loads(line) for line in path.read_text("utf-8-sig").split("\n") if line)
        return
    head, *lines = path.read_text("utf-8-sig").replace("\r\n", "\n").split("\n")
    names = head.split("\t")
    for line in lines:
        cells = line.split("\t")
        if len(cells) == len(names):
            yield dict(zip(names, cells, strict=True))


def _similar(public: Path) -> Iterator[Pair]:
    """Sentences that people found to mean the same entail each other; unlike ones do not."""
    for part in ("train", "dev"):
        for row in _rows(public / f"korsts_{part}.tsv"):
            one, other, score = row["sentence1"], row["sentence2"], float(row["score"])
            if score >= _SAME:
                yield Pair(one, other, ENTAILED, "korsts")
                yield Pair(other, one, ENTAILED, "korsts")
            elif score <= _OTHER:
                first, second = random.Random(one).sample([one, other], 2)
                yield Pair(first, second, NOT_ENTAILED, "korsts")


def _asked(path: Path) -> Iterator[Pair]:
    """Ten wordings of a thousand requests; another request of the same topic is not entailed."""
    draw = random.Random(1)
    lines = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    lines = [line for line in lines if len(line) == 3]
    sets = [lines[at : at + 10] for at in range(0, len(lines), 10)]
    for at, wordings in enumerate(sets):
        for _ in range(2):
            one, other = draw.sample(wordings, 2)
            yield Pair(one[2], other[2], ENTAILED, "parakqc")
        near = [
            others
            for others in sets[max(0, at - 50) : at + 50]
            if others is not wordings and others[0][:2] == wordings[0][:2]
        ]
        for _ in range(2 if near else 0):
            other = draw.choice(draw.choice(near))[2]
            yield Pair(draw.choice(wordings)[2], other, NOT_ENTAILED, "parakqc")
