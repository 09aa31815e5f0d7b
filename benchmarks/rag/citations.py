"""Citation precision and recall, answers and abstention on questions of our own.

    python benchmarks/rag/citations.py --work /tmp/rag --shared ../shared

Six documents of the shared folder: the SOLAR paper as it is, three Korean statutes and two
chapters of the Debian handbook set as PDFs with pages, all read without layout models. 60
questions have an answer there, with the pages that give it; 12 have none. Writes
results/<date>-citations.json and, in --work, the report of `solar rag-eval`.
"""

import argparse
import gzip
import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from paged import write_pdf
from retrieval import machine
from sets import HERE

from solarmini.rag.evaluate.measures import means
from solarmini.rag.evaluate.questions import read_questions
from solarmini.rag.evaluate.report import render
from solarmini.rag.evaluate.run import evaluate
from solarmini.rag.knowledge import KnowledgeBase

# file of texts, id within it, name of the PDF, letters a line
TEXTS = (
    ("ko/law_ko", "law/저작권법", "copyright", 46),
    ("ko/law_ko", "law/근로기준법", "labour", 46),
    ("ko/law_ko", "law/소비자기본법", "consumer", 46),
    ("en/debian_handbook_en", "handbook/advanced-administration.html", "administration", 92),
    ("en/debian_handbook_en", "handbook/sect.release-lifecycle.html", "releases", 92),
)


def documents(shared: Path, folder: Path) -> int:
    """Write the six documents into a folder; return how many pages the five made ones have."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(shared / "papers/solar_paper.pdf", folder / "solar_paper.pdf")
    pages = 0
    for source, key, name, columns in TEXTS:
        with gzip.open(shared / f"data/cpt/{source}.jsonl.gz", "rt", encoding="utf-8") as file:
            texts = (json.loads(line) for line in file)
            text = next(row["text"] for row in texts if row["id"] == key)
        pages += write_pdf(folder / f"{name}.pdf", text, columns)
    return pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    options = parser.parse_args()
    folder = options.work / "six"
    if not folder.exists():
        documents(options.shared, folder)
    asked = read_questions(HERE / "citations.jsonl")
    with KnowledgeBase.open(options.work / "six.db") as kb:
        start = time.process_time()
        report = kb.add(folder, fast=True)
        indexing = time.process_time() - start
        rows = evaluate(kb, asked)
        figures = means(rows)
        chunks = kb.store.count()
    page = render("Citations", f"{len(asked)} questions over six documents", figures, rows)
    (options.work / "citations.html").write_text(page, encoding="utf-8")
    wrong = [
        row.question for row in rows if row.answerable and (row.recall or 0) < 1 and row.recall1
    ]
    done = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine(),
        "rows": [{"mode": "extractive", "chunks": chunks, **figures}],
        "indexing_cpu_seconds": round(indexing, 1) if report.added else None,
    }
    out = HERE / "results" / f"{done['date']}-citations.json"
    out.write_text(json.dumps(done, indent=1) + "\n")
    print(json.dumps(done["rows"][0]))
    for row in rows:
        if row.answerable is row.abstained or row.precision == 0 or row.contains == 0:
            print(row.question, "|", row.said[:120], "|", row.cited, round(row.confidence, 3))
    print(f"{len(wrong)} found but not cited")


if __name__ == "__main__":
    main()
