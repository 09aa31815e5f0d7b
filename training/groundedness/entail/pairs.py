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
    yield from _supported(public)


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
    for file, score in _SCORES.items():
        kind = file.split("_")[0]
        for row in _rows(public / file):
            one, other, points = row["sentence1"], row["sentence2"], float(row[score])
            if points >= _SAME:
                yield Pair(one, other, ENTAILED, kind)
                yield Pair(other, one, ENTAILED, kind)
            elif points <= _OTHER:
                first, second = random.Random(one).sample([one, other], 2)
                yield Pair(first, second, NOT_ENTAILED, kind)


_SCORES = {
    "korsts_train.tsv": "score", "korsts_dev.tsv": "score",
    "jsts_train.jsonl": "label", "jsts_valid.jsonl": "label",
}  # fmt: skip


def _supported(public: Path) -> Iterator[Pair]:
    """Claims about Wikipedia's pages, beside a sentence each of them was judged by."""
    seen = set()
    for part in ("val", "test", "dev"):
        for row in _rows(public / f"fever_{part}.jsonl"):
            said = row["query"], row["classification"]
            if said in seen:
                continue
            seen.add(said)
            by = row["evidences"][0]
            text = f"{by[0]['docid'].replace('_', ' ')}: {' '.join(each['text'] for each in by)}"
            for written, sign in _SIGNS.items():
                text = text.replace(written, sign)
            label = ENTAILED if row["classification"] == "SUPPORTS" else CONTRADICTED
            yield Pair(text, row["query"], label, "fever")


# as the evidence of FEVER is written
_SIGNS = {
    "-LRB- ": "(", " -RRB-": ")", "-LRB-": "(", "-RRB-": ")", "-COLON-": ":", " ,": ",", " .": ".",
    " ;": ";", " 's": "'s", "`` ": '"', " ''": '"', "-LSB- ": "[", " -RSB-": "]",
}  # fmt: skip


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
