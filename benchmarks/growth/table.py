"""Print the results of run.py as a Markdown table: python table.py results/*.json > README.md."""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

HEAD = """# Growth benchmark

A sharded bf16 checkpoint of random bytes becomes the model with 2(n-m) layers. Contestants take
turns in one run, in an order that is reversed every round; every run is a whole process. "time" is
from start to exit, "on disk" includes flushing what the process left in the page cache (ours
flushes before it renames). `cp` copies as many bytes as the grown model has. Made by `table.py`
from `results/`; made again with `python benchmarks/growth/run.py`.
"""


def main() -> None:
    print(HEAD)
    for path in sys.argv[1:]:
        print_run(json.loads(Path(path).read_text()))


def print_run(document: dict[str, Any]) -> None:
    base, machine = document["base"], document["machine"]
    versions = ", ".join(f"{name} {value}" for name, value in document["versions"].items())
    print(f"## {document['date']}, {document['page_cache']}\n")
    print(
        f"{base['bytes'] / 1e9:.2f} GB, {base['layers']} layers, {base['shards']} shards -> "
        f"{document['bytes_out'] / 1e9:.2f} GB, {document['grown_layers']} layers. "
        f"{machine['cpus']} CPUs ({machine['model']}), {machine['memory_gib']} GiB. {versions}.\n"
    )
    print("| | time, s (min-max) | on disk, s (min-max) | CPU, s | peak MiB | ours / theirs |")
    print("|---|---|---|---|---|---|")
    for name in sorted({row["contestant"] for row in document["rows"]}, key=_order):
        rows = [row for row in document["rows"] if row["contestant"] == name]
        times = [row["seconds"] for row in rows]
        durable = [row["seconds"] + row["flush_seconds"] for row in rows]
        ratio = document["ratios"].get(name, {}).get("solar_durable_time_over_peer")
        print(
            f"| {name} | {_spread(times)} | {_spread(durable)} "
            f"| {statistics.median(row['cpu_seconds'] for row in rows):.1f} "
            f"| {statistics.median(row['peak_bytes'] for row in rows) / 2**20:.0f} "
            f"| {'' if ratio is None else f'{ratio:.2f}'} |"
        )
    print()


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


def _order(name: str) -> tuple[bool, str]:
    return name != "solar", name


main()
