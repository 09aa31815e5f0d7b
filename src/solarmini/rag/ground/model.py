"""The classifier: boosted regression trees over the measures, read from our own file.

score = 1 / (1 + exp(-(base + sum of one leaf of every tree))). A tree's inner node sends a row to
the left where its feature is at most the threshold (Friedman 2001). training/groundedness makes
the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from solarmini.rag.ground.features import Evidence

WEIGHTS = Path(__file__).with_name("trees.npz")


def pool(claims: Sequence[Evidence]) -> np.ndarray:
    """Return one row for an answer of several claims: mean by size, most, least of each measure.

    float64 [3 * measures + 1]; the last one is the number of claims.
    """
    grid = np.array([list(claim.measures.values()) for claim in claims])
    sizes = np.array([claim.size for claim in claims])
    mean = sizes @ grid / sizes.sum()
    return np.concatenate([mean, grid.max(0), grid.min(0), [np.log(len(claims))]])


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

    def score(self, row: np.ndarray) -> float:
        """Return the probability that an answer of these measures is grounded."""
        tree = np.arange(len(self.feature))
        node = np.zeros(len(self.feature), dtype=np.intp)
        for _ in range(self.depth):
            left = row[self.feature[tree, node]] <= self.threshold[tree, node]
            node = np.where(left, self.left[tree, node], self.right[tree, node])
        total = self.base + float(self.value[tree, node].sum())
        return float(1 / (1 + np.exp(-total)))


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
        )
