"""Every cell of the SOLAR paper's tables, asked for in English and Korean, answered extractively.

    python benchmarks/rag/cells.py --work /tmp/rag --shared ../shared

"What is the COLUMN of ROW?" and "ROW의 COLUMN은?" for every named cell that holds something. Right
is an answer that says the cell's value and cites a table with that cell first. Writes
results/<date>-cells.json and prints what was answered otherwise.
"""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from retrieval import machine
from sets import HERE

from solarmini.rag.chunk.html import parse_html
from solarmini.rag.chunk.tables import row_pairs
from solarmini.rag.knowledge import KnowledgeBase
from solarmini.rag.retrieve.hit import Hit

ASKED = {"en": "What is the {column} of {row}?", "ko": "{row}의 {column}은?"}
FINDING = ("H6 ARC HellaSwag MMLU", "training datasets", "contamination", "merge candidates")
NOTHING = ("", "✓", "✗", "O", "X", "-", "N/A")


def tables(kb: KnowledgeBase) -> list[Hit]:
    """Return the tables of the paper in order."""
    found = (hit for words in FINDING for hit in kb.search(words, limit=kb.store.count()))
    held = {hit.chunk_id: hit for hit in found if hit.kind == "table"}
    return sorted(held.values(), key=lambda hit: (hit.page or 0, hit.chunk_id))


def cells(hit: Hit) -> Iterator[tuple[str, str, str]]:
    """Yield row, column and value of every cell that can be asked for."""
    for block in parse_html(hit.markup or "").blocks:
        for (_, row), *rest in row_pairs(block.table) if block.table is not None else ():
            for column, value in rest:
                if row.strip() and column.strip() and value.strip() not in NOTHING:
                    yield row.strip(), column.strip(), value.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    options = parser.parse_args()
    rows = []
    with KnowledgeBase.open(options.work / "paper.db") as kb:
        kb.add(options.shared / "papers/solar_paper.pdf")
        asked: dict[tuple[str, str, str], set[str]] = {}
        for hit in tables(kb):
            for cell in cells(hit):
                asked.setdefault(cell, set()).add(hit.chunk_id)
        for language, form in ASKED.items():
            right = 0
            for (row, column, value), held_by in asked.items():
                question = form.format(row=row, column=column)
                answer = kb.ask(question)
                first = answer.statements[0] if answer.statements else None
                held = first is not None and value in first.text
                if held and first.citations[0].chunk_id in held_by:
                    right += 1
                else:
                    print(f"{question} {value}: {first.text[:100] if first else 'no answer'}")
            rows.append({"language": language, "cells": len(asked), "right": right})
    done = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine(), "rows": rows}
    out = HERE / "results" / f"{done['date']}-cells.json"
    out.write_text(json.dumps(done, indent=1) + "\n")
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
