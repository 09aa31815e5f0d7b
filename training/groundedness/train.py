"""Train the groundedness classifier and measure it on contexts it has not seen.

    python training/groundedness/train.py --data ../shared/data --out src/solarmini/rag/ground

One CPU core, about five minutes. Figures are cross-validated: five folds, no context in two. The
network of `entail` that is in the package is used for its measures; what it makes of the Korean
set is read from held_out.npz, written by networks that had not seen the context (entail/learn.py).
"""

import argparse
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import bare
import changes
import numpy as np
import sources
import swaps
import tables
from retold import retold
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from solarmini.rag.ground.claims import Statement, statements
from solarmini.rag.ground.entail.encoder import Reading, reading
from solarmini.rag.ground.features import measure
from solarmini.rag.ground.meaning import understand
from solarmini.rag.ground.model import pool, weighed
from solarmini.rag.ground.passages import Context

SEED = 20261123
VALUES = ("swap-en", "number-en", "swap-ko", "short-en", "short-ko")
KOREAN = ("klue-nli", "kobest-boolq")
HELD_OUT = Path(__file__).with_name("held_out.npz")
SWAPPED = (*VALUES, *(f"{name}-retold" for name in VALUES))


def examples(data: Path) -> list[sources.Row]:
    """Return every row to train on."""
    made: list[sources.Row] = []
    for part in (sources.korean, sources.begin):
        made += part(data)
    draw = random.Random(SEED)
    for part in (swaps.english, swaps.numbers, swaps.statutes, changes.english, changes.korean):
        for row in part(data, SEED):
            made.append(row)
            if row.source != "qa-en":
                answer = retold(row.answer, draw)
                made.append(replace(row, answer=answer, source=row.source + "-retold"))
    questions = (swaps.asked(row, draw) for row in swaps.statutes(data, SEED))
    made += [row for row in questions if row is not None]
    made += [*bare.english(data, SEED), *bare.korean(data, SEED)]
    return made + list(tables.drawn(500, SEED))


@dataclass(frozen=True)
class Measured:
    """Rows as the classifier sees them."""

    x: np.ndarray  # measures of words [rows, features]
    read: list[list[Reading]]  # what the network makes of each claim
    asked: np.ndarray  # bool: a question answered with yes or no
    denied: np.ndarray  # bool: with no
    names: list[str]


def measured(rows: Iterable[sources.Row]) -> Measured:
    """Measure every row; the Korean set is read by networks that had not seen its contexts.

    Of its few answers of several claims they have read the first.
    """
    found, read, asked, denied, names = [], [], [], [], []
    last, context = None, None
    with np.load(HELD_OUT, allow_pickle=False) as file:
        held = iter(file["logits"])
    for row in rows:
        if row.context != last:
            last, context = row.context, Context([row.context])
        stated = statements(row.answer) or [Statement(0, len(row.answer), row.answer)]
        evidence = [measure(each, context) for each in stated]
        if row.source in KOREAN:
            evidence[0].reading = reading(next(held))
        else:
            for one, each in zip(evidence, stated, strict=True):
                understand(one, each, context)
        names = list(evidence[0].measures)
        found.append(pool(evidence))
        read.append([each.reading for each in evidence if each.reading is not None])
        asked.append(stated[0].asked)
        denied.append(stated[0].denied)
    return Measured(np.array(found), read, np.array(asked), np.array(denied), names)


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
    share = {"klue-nli": 2.0, "kobest-boolq": 2.0, "begin": 1.0}
    return np.array([share.get(row.source, 0.6) for row in rows])


def regression() -> LogisticRegression:
    """Return the untrained regression; the first of `weighed` is its constant."""
    return LogisticRegression(C=1.0, fit_intercept=False, max_iter=2000)


def fitted_regression(
    rows: list[sources.Row], z: np.ndarray, supported: np.ndarray
) -> LogisticRegression:
    """Fit the regression; the Korean set, for which the network matters most, counts thrice."""
    korean = np.array([row.source in KOREAN for row in rows])
    return regression().fit(z, supported, sample_weight=weights(rows) * np.where(korean, 3, 1))


def cross_validated(
    rows: list[sources.Row], seen: Measured, supported: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the score of a model that saw no row of its group.

    Also what the regression weighs, [rows, WEIGHED]: the trees' odds there are of trees that had
    not seen the row either.
    """
    folds, weight = list(GroupKFold(5).split(seen.x, groups=groups)), weights(rows)
    odds, scores = np.zeros(len(seen.x)), np.zeros(len(seen.x))
    for train, test in folds:
        fitted = model().fit(seen.x[train], supported[train], sample_weight=weight[train])
        odds[test] = fitted.decision_function(seen.x[test])
    given = zip(seen.x, odds, seen.read, seen.asked, strict=True)
    z = np.array([weighed(x, seen.names, *row) for x, *row in given])
    for train, test in folds:
        weighing = fitted_regression([rows[row] for row in train], z[train], supported[train])
        scores[test] = weighing.predict_proba(z[test])[:, 1]
    return scores, z


def export(
    fitted: HistGradientBoostingClassifier,
    weighing: np.ndarray,
    names: list[str],
    cut: tuple[float, float],
    to: Path,
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
        regression=weighing,
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
    named["korean set"] = np.isin(source, KOREAN)
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
    weighing: np.ndarray  # the regression's weights, fitted on all rows


def assess(rows: list[sources.Row], seen: Measured) -> Assessed:
    """Score every row by a model that has not seen its group."""
    grounded = np.array([row.label == "grounded" for row in rows])
    groups = np.array([row.group for row in rows])
    supported = grounded ^ seen.denied
    scores, z = cross_validated(rows, seen, supported, groups)
    scores = np.where(seen.denied, 1 - scores, scores)
    cut = cuts(grounded, scores, rows)
    figures = report(rows, scores, seen.x[:, seen.names.index("words")], cut)
    figures["cuts"] = [round(each, 2) for each in cut]
    weighing = fitted_regression(rows, z, supported).coef_[0]
    return Assessed(figures, cut, weighing)


def main() -> None:
    """Measure, cross-validate, report, fit on all, export."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rows = examples(given.data)
    seen = measured(rows)
    assessed = assess(rows, seen)
    print(json.dumps(assessed.figures, indent=1))
    grounded = np.array([row.label == "grounded" for row in rows])
    fitted = model().fit(seen.x, grounded ^ seen.denied, sample_weight=weights(rows))
    export(fitted, assessed.weighing, seen.names, assessed.cut, given.out / "trees.npz")


if __name__ == "__main__":
    main()
