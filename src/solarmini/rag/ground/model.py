"""The classifier: boosted trees over the measures of words, weighed with what the network reads.

The trees give log odds: base + sum of one leaf of every tree. A tree's inner node sends a row to
the left where its feature is at most the threshold (Friedman 2001). A logistic regression weighs
them with the log odds that the network gives: stacking (Wolpert 1992). training/groundedness makes
the file.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from solarmini.rag.ground.entail.encoder import Reading
from solarmini.rag.ground.features import Evidence

WEIGHTS = Path(__file__).with_name("trees.npz")
WEIGHED = 16
_LEAST = 1e-4  # of a probability, so that its log odds are finite


def pool(claims: Sequence[Evidence]) -> np.ndarray:
    """Return one row for an answer of several claims: mean by size, most, least of each measure.

    float64 [3 * measures + 1]; the last one is the number of claims.
    """
    grid = np.array([list(claim.measures.values()) for claim in claims])
    sizes = np.array([claim.size for claim in claims])
    mean = sizes @ grid / sizes.sum()
    return np.concatenate([mean, grid.max(0), grid.min(0), [np.log(len(claims))]])


def weighed(
    row: np.ndarray, names: Sequence[str], odds: float, read: Sequence[Reading], asked: bool
) -> np.ndarray:
    """Return what the regression weighs, float64 [WEIGHED].

    One, the log odds of the trees, and of the claim that is entailed least: entailed or not,
    entailed or contradicted. Then the same again for questions answered with yes or no, by how
    many letters are new, and for contexts of several sentences: what the words tell and what the
    network tells is worth more here, less there. `row` is that of `pool`, its first measures
    named by `names`.
    """
    entailed = min(_log_odds(each.entailed, 1 - each.entailed) for each in read)
    leaning = min(_log_odds(each.entailed, each.contradicted) for each in read)
    plain = np.array([1.0, odds, entailed, leaning])
    new = 1 - row[names.index("letters")]
    several = row[names.index("sentences")] > math.log(2.5)
    return np.concatenate([plain, plain * asked, plain * new, plain * several])


def _log_odds(one: float, other: float) -> float:
    return math.log(max(one, _LEAST) / max(other, _LEAST))


@dataclass(frozen=True)
class Trees:
    """Arrays [trees, nodes]; a leaf is its own child, so that all trees go down together."""

    feature: np.ndarray  # int
    threshold: np.ndarray  # float
    left: np.ndarray  # int
    right: np.ndarray  # int
    value: np.ndarray  # float
    base: float  # log odds
    depth: int
    grounded: float  # least score of "grounded"
    not_grounded: float  # "notGrounded" is below
    names: tuple[str, ...]
    regression: np.ndarray  # float [WEIGHED]

    def score(self, found: Sequence[Evidence], asked: bool) -> float:
        """Return the probability that these claims, all of them, are grounded."""
        read = [each.reading for each in found if each.reading is not None]
        row = pool(found)
        seen = weighed(row, self.names, self.odds(row), read, asked)
        total = float(seen @ self.regression)
        return 1 / (1 + math.exp(-total))

    def odds(self, row: np.ndarray) -> float:
        """Return the log odds that an answer of these measures is grounded, by its words alone."""
        tree = np.arange(len(self.feature))
        node = np.zeros(len(self.feature), dtype=np.intp)
        for _ in range(self.depth):
            left = row[self.feature[tree, node]] <= self.threshold[tree, node]
            node = np.where(left, self.left[tree, node], self.right[tree, node])
        return self.base + float(self.value[tree, node].sum())


@cache
def trees() -> Trees:
    """Read the weights that come with the package."""
    return read(WEIGHTS)


def read(path: Path) -> Trees:
    """Read a file of weights."""
    with np.load(path, allow_pickle=False) as held:
        base, depth, grounded, not_grounded = held["scalars"].tolist()
        return Trees(
            feature=held["feature"].astype(np.intp),
            threshold=held["threshold"].astype(np.float64),
            left=held["left"].astype(np.intp),
            right=held["right"].astype(np.intp),
            value=held["value"].astype(np.float64),
            base=base,
            depth=int(depth),
            grounded=grounded,
            not_grounded=not_grounded,
            names=tuple(str(name) for name in held["names"]),
            regression=held["regression"].astype(np.float64),
        )
