"""Score element boxes against ground truth: precision, recall and F1 at an IoU, per category.

Boxes are matched one to one within a page and category, best overlap first.

    python benchmarks/layout/detect.py PREDICTIONS.json reference.json [--iou 0.5]

Both files: {"NAME.pdf": {"elements": [{"category", "coordinates": [{"x", "y"} x 4], "page"}]}}.
"""

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from solarmini.layout.primitives import Box

Found = dict[tuple[str, int], list[tuple[str, Box]]]  # (document, page) -> (category, box)


def read_elements(path: Path) -> Found:
    """Return the elements of a reference file by document and page."""
    pages: Found = defaultdict(list)
    for name, content in json.loads(path.read_text(encoding="utf-8")).items():
        for element in content["elements"]:
            pages[Path(name).stem, element["page"]].append(_element(element))
    return pages


def _element(element: dict[str, Any]) -> tuple[str, Box]:
    xs = [point["x"] for point in element["coordinates"]]
    ys = [point["y"] for point in element["coordinates"]]
    category = element["category"].lower()
    return ("heading" if category.startswith("heading") else category), Box(
        min(xs), min(ys), max(xs), max(ys)
    )


def matches(expected: list[Box], found: list[Box], iou: float) -> int:
    """Return how many boxes pair up one to one with an overlap of at least `iou`."""
    pairs = [
        (overlap, i, j)
        for i, left in enumerate(expected)
        for j, right in enumerate(found)
        if (overlap := left.iou(right)) >= iou
    ]
    lefts: set[int] = set()
    rights: set[int] = set()
    for _, i, j in sorted(pairs, reverse=True):
        if i not in lefts and j not in rights:
            lefts.add(i)
            rights.add(j)
    return len(lefts)


def score_detection(expected: Found, found: Found, iou: float = 0.5) -> dict[str, dict[str, float]]:
    """Return {category: {precision, recall, f1, expected, found}}, with "all" over categories."""
    hits, wanted, given = Counter[str](), Counter[str](), Counter[str]()
    for page in expected.keys() | found.keys():
        truth, guess = expected.get(page, []), found.get(page, [])
        for category in {c for c, _ in truth} | {c for c, _ in guess}:
            left = [box for c, box in truth if c == category]
            right = [box for c, box in guess if c == category]
            wanted[category] += len(left)
            given[category] += len(right)
            hits[category] += matches(left, right, iou)
    rows = {c: _rates(hits[c], wanted[c], given[c]) for c in sorted(wanted | given)}
    rows["all"] = _rates(hits.total(), wanted.total(), given.total())
    return rows


def _rates(hits: int, expected: int, found: int) -> dict[str, float]:
    return {
        "precision": hits / found if found else 0.0,
        "recall": hits / expected if expected else 0.0,
        "f1": 2 * hits / (expected + found) if expected + found else 0.0,
        "expected": expected,
        "found": found,
    }


def render(rows: dict[str, dict[str, float]]) -> str:
    """Return the rates as a Markdown table."""
    lines = [
        "| category | F1 | precision | recall | expected | found |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {row['f1']:.3f} | {row['precision']:.3f} | {row['recall']:.3f} "
        f"| {row['expected']:.0f} | {row['found']:.0f} |"
        for name, row in rows.items()
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("predictions", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--iou", type=float, default=0.5)
    given = parser.parse_args()
    rows = score_detection(
        read_elements(given.reference), read_elements(given.predictions), given.iou
    )
    print(render(rows))


if __name__ == "__main__":
    main()
