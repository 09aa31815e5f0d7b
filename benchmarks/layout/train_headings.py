"""Train the heading classifier of `solarmini.layout.assemble` on pages with known headings.

    python benchmarks/layout/train_headings.py PDF_FOLDER reference.json [--write]

Every paragraph of every page is a row of features (see `headings.NAMES`) and is a heading where it
lies in one of the reference's. Two sets of trees are made. Those for text layers see each page four
ways: with and without what the layout model saw, and as OCR might show it (no weights or font
names, sizes off by some percent). Those for scans see each page as OCR did show it, drawn at 150
dpi, with and without what the layout model saw there, and as it might have. The trees are validated
by document: five folds, no document in two of them. `--write` trains on all documents and writes
src/solarmini/layout/assemble/headings.json; `--only scanned` keeps the trees for text layers.

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
from solarmini.layout.primitives import Box, Line, PageContent, Picture

OUT = Path(__file__).parents[2] / "src/solarmini/layout/assemble/headings.json"
SETTINGS = {
    "n_estimators": 50,
    "max_depth": 6,
    "min_samples_leaf": 6,
    "max_features": 0.5,
    "random_state": 0,
}


View = tuple[PageContent, list[Any], list[Any], list[Any]]
"""A page's content, its tables and figures, and what a layout model saw."""
DPI = 150


def as_scanned(content: PageContent, seed: int) -> PageContent:
    """Return a page as OCR would give it: one font, no weights, sizes from uneven box heights."""
    noise = random.Random(seed)
    lines = [_scanned_line(line, noise.gauss(1.0, 0.05)) for line in content.lines]
    return dataclasses.replace(content, lines=lines, ocr=True, scanned=True)


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


def read_page(path: Path) -> View:
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


def read_scan(path: Path) -> list[View]:
    """Return a page of a PDF drawn and read from its pixels, as the default and fast modes do."""
    from solarmini.layout.figures import find_figures
    from solarmini.layout.models import layout_model, table_model
    from solarmini.layout.ocr import recognise
    from solarmini.layout.scans import with_marks
    from solarmini.layout.source import open_source
    from solarmini.layout.tables import find_tables

    with open_source(path) as source:
        page = source.page(1)
        blank = PageContent(1, page.width, page.height, render=page.render, scanned=True)
        blank.pictures = [Picture(blank.box, (round(page.width * DPI / 72), 1))]
        content = recognise(blank)
        assert content.render is not None
        model = layout_model()
        regions = model.detect(content.render(model.dpi), model.dpi)
        content = with_marks(content)
        views: list[View] = []
        for seen, asked in ((regions, table_model()), ([], None)):
            tables = find_tables(content, seen, asked)
            views.append((content, tables, find_figures(content, tables, seen), seen))
    return [(dataclasses.replace(c, render=None), *rest) for c, *rest in views]  # ty: ignore


def page_rows(views: list[View], headings: list[Box]) -> tuple[list[list[float]], list[int]]:
    """Return features and labels of a page in several views."""
    features: list[list[float]] = []
    labels: list[int] = []
    for content, tables, figures, seen in views:
        parts, measures = read_parts(content, tables, figures, seen)
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


def as_trees(model: RandomForestClassifier) -> list[Any]:
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
    return trees


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pdfs", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", choices=("trees", "scanned"))
    given = parser.parse_args()
    truth = read_elements(given.reference)
    made = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    for kind in (given.only,) if given.only else ("trees", "scanned"):
        rows: list[list[float]] = []
        labels: list[int] = []
        documents: list[int] = []
        for number, path in enumerate(sorted(given.pdfs.glob("*.pdf"))):
            headings = [box for category, box in truth[path.stem, 1] if category == "heading"]
            own, own_labels = page_rows(views_of(path, number, kind), headings)
            rows += own
            labels += own_labels
            documents += [number] * len(own)
        features, marks = np.array(rows), np.array(labels)
        print(f"{kind}: {len(marks)} rows, {marks.sum()} headings")
        validate(features, marks, np.array(documents))
        made |= {"features": NAMES, kind: as_trees(train(features, marks))}
    if given.write:
        OUT.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")
        print(f"wrote {OUT} ({OUT.stat().st_size} bytes)")


def views_of(path: Path, seed: int, kind: str) -> list[View]:
    """Return a page in the ways that the trees of a kind are shown it."""
    content, tables, figures, regions = read_page(path)
    scan = as_scanned(content, seed)
    likely: list[View] = [(scan, tables, figures, seen) for seen in (regions, [])]
    if kind == "scanned":
        return [*read_scan(path), *likely]
    return [(content, tables, figures, seen) for seen in (regions, [])] + likely


if __name__ == "__main__":
    main()
