"""Train the heading classifier of `solarmini.layout.assemble` on pages with known headings.

    python benchmarks/layout/train_headings.py PDF_FOLDER reference.json [--write]

Every paragraph of every page is a row of features (see `headings.NAMES`) and is a heading where it
lies in one of the reference's. Each page is shown four ways: with and without what the layout model
saw, and as OCR would show it (no weights or font names, sizes off by some percent). The trees are
validated by document: five folds, no document in two of them. `--write` trains on all documents
and writes src/solarmini/layout/assemble/headings.json.

Needs scikit-learn; the package itself does not.
"""

import argparse
import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from detect import read_elements
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import GroupKFold

from solarmini.layout.assemble.draft import read_parts
from solarmini.layout.assemble.headings import NAMES, Surroundings
from solarmini.layout.primitives import Box, Line, PageContent

OUT = Path(__file__).parents[2] / "src/solarmini/layout/assemble/headings.json"
SETTINGS = {
    "n_estimators": 50,
    "max_depth": 6,
    "min_samples_leaf": 6,
    "max_features": 0.5,
    "random_state": 0,
}


def as_scanned(content: PageContent, seed: int) -> PageContent:
    """Return a page as OCR would give it: one font, no weights, sizes from uneven box heights."""
    noise = random.Random(seed)
    lines = [_scanned_line(line, noise.gauss(1.0, 0.05)) for line in content.lines]
    return dataclasses.replace(content, lines=lines, ocr=True)


def _scanned_line(line: Line, factor: float) -> Line:
    words = tuple(
        dataclasses.replace(
            word,
            font=dataclasses.replace(
                word.font, name="", weight=400, italic=False, mono=False, size=line.size * factor
            ),
            raised="",
            color=0,
        )
        for word in line.words
    )
    return dataclasses.replace(line, words=words)


def read_page(path: Path) -> tuple[PageContent, list[Any], list[Any], list[Any]]:
    """Return content, tables, figures and regions of a one-page PDF, as the default mode does."""
    from solarmini.layout import tables as finder
    from solarmini.layout.figures import find_figures
    from solarmini.layout.models import layout_model, table_model
    from solarmini.layout.source import open_source

    with open_source(path) as source:
        content = source.page(1)
        assert content.render is not None
        model = layout_model()
        regions = model.detect(content.render(model.dpi), model.dpi)
        tables = finder.find_tables(content, regions, table_model())
        figures = find_figures(content, tables, regions)
    return dataclasses.replace(content, render=None), tables, figures, regions


def page_rows(
    page: tuple[PageContent, list[Any], list[Any], list[Any]], headings: list[Box], seed: int
) -> tuple[list[list[float]], list[int]]:
    """Return features and labels of a page in its four views."""
    content, tables, figures, regions = page
    scan = as_scanned(content, seed)
    features: list[list[float]] = []
    labels: list[int] = []
    for view, seen in ((content, regions), (content, []), (scan, regions), (scan, [])):
        parts, measures = read_parts(view, tables, figures, seen)
        around = Surroundings(parts, measures, content.box, bool(seen))
        features += around.rows()
        for part in around.texts():
            box = part.box
            share = Box(
                box.left / content.width,
                box.top / content.height,
                box.right / content.width,
                box.bottom / content.height,
            )
            labels.append(int(any(share.inside(heading) > 0.6 for heading in headings)))
    return features, labels


def train(features: np.ndarray, labels: np.ndarray) -> RandomForestClassifier:
    return RandomForestClassifier(**SETTINGS).fit(features, labels)


def validate(features: np.ndarray, labels: np.ndarray, documents: np.ndarray) -> np.ndarray:
    """Return the probability of every row from trees that have not seen its document."""
    chances = np.zeros(len(labels))
    for seen, unseen in GroupKFold(5).split(features, labels, documents // 3):
        model = train(features[seen], labels[seen])
        chances[unseen] = model.predict_proba(features[unseen])[:, 1]
    print(f"average precision {average_precision_score(labels, chances):.4f}")
    for threshold in (0.3, 0.4, 0.5, 0.6):
        print(f"F1 at {threshold}: {f1_score(labels, chances > threshold):.4f}")
    return chances


def to_json(model: RandomForestClassifier) -> str:
    """Return the trees as `headings.Forest` reads them."""
    trees = []
    for estimator in model.estimators_:
        tree = estimator.tree_
        nodes: list[list[float]] = []
        for at in range(tree.node_count):
            left, right = int(tree.children_left[at]), int(tree.children_right[at])
            if left < 0:
                counts = tree.value[at][0]
                nodes.append([-1, round(float(counts[1] / counts.sum()), 3)])
            else:
                threshold = round(float(tree.threshold[at]), 4)
                nodes.append([int(tree.feature[at]), threshold, left, right])
        trees.append(nodes)
    return json.dumps({"features": NAMES, "trees": trees}, separators=(",", ":"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pdfs", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    truth = read_elements(given.reference)
    rows: list[list[float]] = []
    labels: list[int] = []
    documents: list[int] = []
    for number, path in enumerate(sorted(given.pdfs.glob("*.pdf"))):
        headings = [box for category, box in truth[path.stem, 1] if category == "heading"]
        own, own_labels = page_rows(read_page(path), headings, number)
        rows += own
        labels += own_labels
        documents += [number] * len(own)
    features, marks = np.array(rows), np.array(labels)
    print(f"{len(marks)} rows, {marks.sum()} headings")
    validate(features, marks, np.array(documents))
    if given.write:
        OUT.write_text(to_json(train(features, marks)) + "\n", encoding="utf-8")
        print(f"wrote {OUT} ({OUT.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
