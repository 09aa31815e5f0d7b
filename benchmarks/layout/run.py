"""Run our parser over a folder of one-page PDFs with ground truth, and score it.

    python benchmarks/layout/run.py SET OUT [--mode fast] [--ocr never] [--png 150]

SET holds pdfs/*.pdf, ground-truth/markdown/*.md and ground-truth/reference.json. Writes
OUT/<stem>.md, OUT/elements.json and OUT/scores.json, and prints the means, the rates of detection
and the processor seconds a page (this process and its children; models are loaded before the clock
starts). `--png` draws every page at so many dots an inch first and parses the picture.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from detect import read_elements, render, score_detection
from scorer import score_folder, summarise

from solarmini.layout import Document, Parser, to_markdown
from solarmini.layout.reading import Reading


def draw(pdfs: Iterable[Path], out: Path, dpi: int) -> list[Path]:
    """Draw the first page of every PDF as a PNG in `out`."""
    import pypdfium2

    pictures = []
    for path in pdfs:
        pdf = pypdfium2.PdfDocument(path)
        pictures.append(out / f"{path.stem}.png")
        pdf[0].render(scale=dpi / 72).to_pil().convert("RGB").save(pictures[-1], dpi=(dpi, dpi))
        pdf.close()
    return pictures


def elements_of(document: Document) -> dict[str, Any]:
    """Return a document's elements as the reference file writes them."""
    return {
        "elements": [
            {
                "category": element.category,
                "page": element.page,
                "coordinates": [{"x": point.x, "y": point.y} for point in element.polygon],
            }
            for element in document.elements
        ]
    }


def clock() -> float:
    """Processor seconds of this process and the children it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def parse_all(files: list[Path], out: Path, reading: Reading) -> dict[str, float]:
    """Parse every file to OUT/<stem>.md; return processor seconds by name."""
    seconds: dict[str, float] = {}
    found: dict[str, Any] = {}
    with Parser(reading, jobs=1, isolate=False) as parser:
        parser.parse(files[0])  # models are loaded
        for path in files:
            before = clock()
            document = parser.parse(path)
            text = to_markdown(document)
            seconds[path.stem] = clock() - before
            (out / f"{path.stem}.md").write_text(text, encoding="utf-8")
            found[f"{path.stem}.pdf"] = elements_of(document)
            for problem in document.problems:
                print(f"{path.name}: {problem.what}")
    (out / "elements.json").write_text(json.dumps(found))
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mode", choices=("default", "fast"), default="default")
    parser.add_argument("--ocr", choices=("auto", "force", "never"), default="auto")
    parser.add_argument("--png", type=int, metavar="DPI")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    files = sorted((given.set / "pdfs").glob("*.pdf"))
    reading = Reading(mode=given.mode, ocr=given.ocr)
    with tempfile.TemporaryDirectory() as folder:
        pages = draw(files, Path(folder), given.png) if given.png else files
        seconds = parse_all(pages, given.out, reading)
    truth = given.set / "ground-truth"
    scores = score_folder(given.out, truth / "markdown")
    summary = summarise(scores)
    summary["cpu_seconds_a_page"] = sum(seconds.values()) / len(seconds)
    rates = score_detection(
        read_elements(truth / "reference.json"), read_elements(given.out / "elements.json")
    )
    rows = [{**asdict(s), "overall": s.overall, "cpu_seconds": seconds[s.name]} for s in scores]
    report = {"summary": summary, "detection": rates, "pages": rows}
    (given.out / "scores.json").write_text(json.dumps(report, indent=1))
    for name, value in summary.items():
        print(f"{name:20} {value:.4f}" if isinstance(value, float) else f"{name:20} {value}")
    print(render(rates))


if __name__ == "__main__":
    main()
