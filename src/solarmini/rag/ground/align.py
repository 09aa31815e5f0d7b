"""A claim beside the sentence that says most of it: what matches, in order, and what does not."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from solarmini.rag.ground.passages import FAMILY, Sentence
from solarmini.rag.ground.words import Unit

_SUBSTRING = 0.9  # a Korean word inside a longer one, or joined differently
_PREFIX = 0.6  # English words of one family: "populated", "population"


def weight(unit: Unit) -> float:
    """Return how much a unit counts: values twice as much as other words."""
    return 2.0 if unit.kind in ("number", "name") else 1.0


def found_in(unit: Unit, keys: Container[str], families: Container[str], text: str) -> float:
    """Return 1 where a unit occurs among `keys`, less where only its letters do in `text`.

    `families` are the first letters of the English words among the keys.
    """
    if unit.key in keys:
        return 1.0
    if unit.kind == "number" or len(unit.key) < 2:
        return 0.0
    if not unit.key.isascii():
        return _SUBSTRING if unit.key.removesuffix("다") in text and len(unit.key) > 2 else 0.0
    return _PREFIX if len(unit.key) >= FAMILY and unit.key[:FAMILY] in families else 0.0


@dataclass(slots=True)
class Alignment:
    """Pairs (index in claim, index in source) in order; claim units found elsewhere or nowhere.

    `replaced` are runs of claim units that stand where the source has other units.
    """

    pairs: list[tuple[int, int]] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    replaced: list[tuple[list[int], list[int]]] = field(default_factory=list)
    weight: float = 0.0


def align(claim: Sequence[Unit], source: Sequence[Unit]) -> Alignment:
    """Align by the heaviest common subsequence of keys."""
    rows, columns = len(claim), len(source)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        row, below, key, worth = best[i], best[i + 1], claim[i].key, weight(claim[i])
        for j in range(columns - 1, -1, -1):
            if source[j].key == key:
                row[j] = below[j + 1] + worth
            else:
                row[j] = below[j] if below[j] >= row[j + 1] else row[j + 1]
    found = Alignment(weight=best[0][0])
    i = j = 0
    while i < rows and j < columns:
        if claim[i].key == source[j].key:
            found.pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    _sort_out(found, claim, source)
    return found


def _sort_out(found: Alignment, claim: Sequence[Unit], source: Sequence[Unit]) -> None:
    matched = {i for i, _ in found.pairs}
    keys = {unit.key for unit in source}
    for i, unit in enumerate(claim):
        if i not in matched:
            (found.moved if unit.key in keys else found.missing).append(i)
    said = {unit.key for unit in claim}
    ends = [(-1, -1), *found.pairs, (len(claim), len(source))]
    for (i, j), (next_i, next_j) in pairwise(ends):
        ours = list(range(i + 1, next_i))
        theirs = [at for at in range(j + 1, next_j) if source[at].key not in said]
        if ours and theirs and (i >= 0 or next_i < len(claim)):
            found.replaced.append((ours, theirs))


def best_sentences(
    claim: Sequence[Unit], sentences: Sequence[Sentence]
) -> tuple[list[Sentence], list[list[float]]]:
    """Return the sentence that holds most of the claim, then the one that adds most to it.

    With each, how far every unit of the claim is found in it. No sentence that adds nothing.
    """
    grid = [
        [found_in(unit, each.keys, each.families, each.text) for unit in claim]
        for each in sentences
    ]
    weights = [weight(unit) for unit in claim]
    covered = [0.0] * len(claim)
    chosen: list[int] = []
    for _ in range(2):
        gains = [
            sum(w * max(f - c, 0.0) for w, f, c in zip(weights, row, covered, strict=True))
            for row in grid
        ]
        at = max(range(len(gains)), key=gains.__getitem__, default=-1)
        if at < 0 or gains[at] <= 0:
            break
        chosen.append(at)
        covered = [max(f, c) for f, c in zip(grid[at], covered, strict=True)]
    return [sentences[at] for at in chosen], [grid[at] for at in chosen]
