"""Train the groundedness classifier and measure it on contexts it has not seen.

    python training/groundedness/train.py --data ../shared/data --out src/solarmini/rag/ground

One CPU core, about two minutes. Figures are cross-validated: five folds, no context in two.
"""

import argparse
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import changes
import numpy as np
import sources
import swaps
import tables
from retold import retold
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from solarmini.rag.ground.claims import Statement, statements
from solarmini.rag.ground.features import measure
from solarmini.rag.ground.model import pool
from solarmini.rag.ground.passages import Context

SEED = 20261123
VALUES = ("swap-en", "number-en", "swap-ko", "short-en", "short-ko")
SWAPPED = (*VALUES, *(f"{name}-retold" for name in VALUES))


def examples(data: Path) -> list[sources.Row]:
    """Return every row to train on."""
    made: list[sources.Row] = []
    for part in (sources.korean, sources.begin, sources.more_korean):
        made += part(data)
    draw = random.Random(SEED)
    for part in (swaps.english, swaps.numbers, swaps.statutes, changes.english, changes.korean):
        for row in part(data, SEED):
            made.append(row)
            if row.source != "qa-en":
                answer = retold(row.answer, draw)
                made.append(replace(row, answer=answer, source=row.source + "-retold"))
    return made + list(tables.drawn(500, SEED))


def measured(rows: Iterable[sources.Row]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return measures [rows, features], whether the reply of each is "no", and the names."""
    found, denied, names = [], [], []
    last, context = None, None
    for row in rows:
        if row.context != last:
            last, context = row.context, Context([row.context])
        stated = statements(row.answer) or [Statement(0, len(row.answer), row.answer)]
        evidence = [measure(each, context) for each in stated]
        names = list(evidence[0].measures)
        found.append(pool(evidence))
        denied.append(stated[0].denied)
    return np.array(found), np.array(denied), names


def model() -> HistGradientBoostingClassifier:
    """Return the untrained classifier."""
    return HistGradientBoostingClassifier(
        max_iter=180,
        learning_rate=0.06,
        max_leaf_nodes=12,
        min_samples_leaf=25,
        l2_regularization=5.0,
        max_features=0.3,
        random_state=SEED,
    )


def weights(rows: list[sources.Row]) -> np.ndarray:
    """Weigh the sources so that the two real sets count as much as all made ones."""
    share = {"klue-nli": 2.0, "kobest-boolq": 1.0, "begin": 1.0, "boolq-train": 0.5, "xnli-ko": 0.7}
    return np.array([share.get(row.source, 0.6) for row in rows])


def cross_validated(
    x: np.ndarray, supported: np.ndarray, weight: np.ndarray, groups: np.ndarray
) -> np.ndarray:
    """Return for each row the score of a model that saw no row of its group."""
    scores = np.zeros(len(x))
    for train, test in GroupKFold(5).split(x, groups=groups):
        fitted = model().fit(x[train], supported[train], sample_weight=weight[train])
        scores[test] = fitted.predict_proba(x[test])[:, 1]
    return scores


def export(
    fitted: HistGradientBoostingClassifier, names: list[str], cut: tuple[float, float], to: Path
) -> None:
    """Write the trees in our own format; a leaf becomes its own child."""
    nodes = [stage[0].nodes for stage in fitted._predictors]
    most, depth = max(map(len, nodes)), int(max(n["depth"].max() for n in nodes))
    shape = (len(nodes), most)
    feature, left, right = (np.zeros(shape, np.int16) for _ in range(3))
    threshold, value = np.zeros(shape), np.zeros(shape, np.float32)
    for t, tree in enumerate(nodes):
        for n, node in enumerate(tree):
            leaf = bool(node["is_leaf"])
            feature[t, n] = 0 if leaf else node["feature_idx"]
            threshold[t, n] = 0 if leaf else node["num_threshold"]
            left[t, n] = n if leaf else node["left"]
            right[t, n] = n if leaf else node["right"]
            value[t, n] = node["value"]
    base = float(np.asarray(fitted._baseline_prediction).ravel()[0])
    np.savez_compressed(
        to,
        feature=feature,
        threshold=threshold,
        left=left,
        right=right,
        value=value,
        scalars=np.array([base, depth, *cut]),
        names=np.array(names),
    )


def cuts(grounded: np.ndarray, scores: np.ndarray, rows: list[sources.Row]) -> tuple[float, float]:
    """Choose where "notGrounded" ends and "grounded" begins, by made swaps and real answers."""
    swapped = np.array([row.source in SWAPPED for row in rows])
    low = 0.5
    for low in np.arange(0.5, 0.05, -0.01):
        said_no = swapped & (scores < low)
        if (~grounded[said_no]).mean() >= 0.97:
            break
    return max(float(low) + 0.15, 0.5), float(low)


def report(
    rows: list[sources.Row], scores: np.ndarray, overlap: np.ndarray, cut: tuple[float, float]
) -> dict:
    """Return AUROC by source beside word overlap, and precision and recall on swapped values."""
    grounded = np.array([row.label == "grounded" for row in rows])
    source = np.array([row.source for row in rows])
    sure = np.array([row.label != "notSure" for row in rows])
    out: dict = {}
    named = {name: source == name for name in sorted(set(source))}
    named["swapped values"] = np.isin(source, VALUES)
    named["swapped values, retold"] = np.isin(source, SWAPPED) & ~np.isin(source, VALUES)
    named["korean set"] = (source == "klue-nli") | (source == "kobest-boolq")
    for name, held in named.items():
        out[name] = {
            "rows": int(held.sum()),
            "auroc": round(roc_auc_score(grounded[held], scores[held]), 4),
            "overlap": round(roc_auc_score(grounded[held], overlap[held]), 4),
            "auroc_no_notSure": round(roc_auc_score(grounded[held & sure], scores[held & sure]), 4),
        }
        no = held & (scores < cut[1])
        out[name]["precision"] = round(float((~grounded[no]).mean()) if no.any() else 1.0, 4)
        out[name]["recall"] = round(float((scores[held & ~grounded] < cut[1]).mean()), 4)
        out[name]["sure_share"] = round(
            float(((scores[held] < cut[1]) | (scores[held] >= cut[0])).mean()), 3
        )
    return out


@dataclass(frozen=True)
class Assessed:
    """Cross-validated figures, and the cuts between the three labels that follow from them."""

    figures: dict
    cut: tuple[float, float]


def assess(
    rows: list[sources.Row], x: np.ndarray, denied: np.ndarray, names: list[str]
) -> Assessed:
    """Score every row by a model that has not seen its group."""
    grounded = np.array([row.label == "grounded" for row in rows])
    groups = np.array([row.group for row in rows])
    scores = cross_validated(x, grounded ^ denied, weights(rows), groups)
    scores = np.where(denied, 1 - scores, scores)
    cut = cuts(grounded, scores, rows)
    figures = report(rows, scores, x[:, names.index("words")], cut)
    return Assessed(figures | {"cuts": [round(each, 2) for each in cut]}, cut)


def main() -> None:
    """Measure, cross-validate, report, fit on all, export."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rows = examples(given.data)
    x, denied, names = measured(rows)
    assessed = assess(rows, x, denied, names)
    print(json.dumps(assessed.figures, indent=1))
    grounded = np.array([row.label == "grounded" for row in rows])
    fitted = model().fit(x, grounded ^ denied, sample_weight=weights(rows))
    export(fitted, names, assessed.cut, given.out / "trees.npz")


if __name__ == "__main__":
    main()
