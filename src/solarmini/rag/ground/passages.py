"""A context made ready for checking: its sentences, units, and where each word occurs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from solarmini.rag.chunk.sentences import sentences
from solarmini.rag.ground.words import Unit, shingles, units

FAMILY = 5  # English words that begin with as many like letters are of one family


@dataclass(slots=True)
class Sentence:
    """Characters [start, end) of passage `passage`; `units` without the light ones."""

    passage: int
    start: int
    end: int
    text: str
    units: list[Unit] = field(default_factory=list)
    light: list[Unit] = field(default_factory=list)
    keys: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()


class Context:
    """Passages split into sentences; units have their places in their passage."""

    def __init__(self, passages: Sequence[str]) -> None:
        self.passages = list(passages)
        self.sentences: list[Sentence] = []
        for number, text in enumerate(passages):
            self._add(number, text)
        self.text = "\n".join(passages)
        self.units = [unit for sentence in self.sentences for unit in sentence.units]
        self.sentence_of = [
            number for number, each in enumerate(self.sentences) for _ in each.units
        ]
        self.families = frozenset().union(*(each.families for each in self.sentences))
        self.light = {unit.key for sentence in self.sentences for unit in sentence.light}

    def _add(self, number: int, text: str) -> None:
        found = units(text)
        at = 0
        for start, end in sentences(text):
            sentence = Sentence(number, start, end, text[start:end].casefold())
            while at < len(found) and found[at].start < end:
                unit = found[at]
                (sentence.light if unit.kind == "light" else sentence.units).append(unit)
                at += 1
            sentence.keys = frozenset(unit.key for unit in sentence.units)
            sentence.families = frozenset(
                key[:FAMILY] for key in sentence.keys if len(key) >= FAMILY and key.isascii()
            )
            self.sentences.append(sentence)

    def written(self, sentence: Sentence) -> str:
        """Return a sentence as its passage has it."""
        return self.passages[sentence.passage][sentence.start : sentence.end]

    @cached_property
    def places_of(self) -> list[range]:
        """Where in `units` those of each sentence are."""
        found, at = [], 0
        for sentence in self.sentences:
            found.append(range(at, at + len(sentence.units)))
            at += len(sentence.units)
        return found

    @cached_property
    def counted(self) -> dict[str, set[str]]:
        """What numbers each measure stands with: "point" -> {"#308"}."""
        found: dict[str, set[str]] = {}
        for unit in self.units:
            if unit.measure:
                found.setdefault(unit.measure, set()).add(unit.key)
        return found

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Where in `units` each key occurs."""
        found: dict[str, list[int]] = {}
        for at, unit in enumerate(self.units):
            found.setdefault(unit.key, []).append(at)
        return found

    @cached_property
    def shingles(self) -> frozenset[str]:
        """Every three letters in a row of the passages."""
        return frozenset(shingles(self.text))

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Every two units that follow one another in a sentence."""
        return frozenset(
            (one.key, other.key)
            for sentence in self.sentences
            for one, other in pairwise(sentence.units)
        )
