"""What huge pages bring to the engine, in one run.

    python benchmarks/serve/pages.py FILE.gguf … [--prompt 512] [--answer 128] [--threads 1]
                                     [--streams 1] [--repeats 3] [--scatter]

Measures `solar bench` in turn as it comes, and where the kernel is told to give the process none
(PR_SET_THP_DISABLE). How much they bring depends on how scattered the machine's free memory is,
which is stated: the share of it that is not in pieces of 2 MiB or more. `--scatter` scatters it,
as long use does: nearly all memory is taken, and every second piece of 64 KiB given back. Writes
results/pages-<date>.json, or pages-scattered-<date>.json.
"""

import argparse
import ctypes
import datetime
import json
import mmap
import os
import sys
from pathlib import Path
from typing import Any

import psutil
from run import HERE, compiled_for, machine, measure, median_of, ratios, versions

_THP_DISABLE = 41  # of prctl
_PIECE = 2**16  # bytes


def bench(path: Path, huge: bool, options: argparse.Namespace) -> dict[str, Any]:
    """Return what `solar bench` says of the file with or without huge pages."""
    ctypes.CDLL(None).prctl(_THP_DISABLE, int(not huge), 0, 0, 0)  # a process inherits it
    found = measure("llama", path, options)
    if bool(found["huge_bytes"]) is not huge:
        raise SystemExit(f"{found['huge_bytes']:,} bytes on huge pages, where huge is {huge}")
    return found


def scattered() -> float:
    """Return the share of the free memory that lies in pieces of less than 2 MiB."""
    pieces: dict[int, int] = {}
    for line in Path("/proc/buddyinfo").read_text().splitlines():
        for order, count in enumerate(line.split()[4:]):
            pieces[order] = pieces.get(order, 0) + int(count) * 2**order
    return sum(pieces[order] for order in pieces if order < 9) / sum(pieces.values())


def scatter() -> mmap.mmap:
    """Take four fifths of the free memory, give back every second piece of it; return the rest."""
    whole = int(psutil.virtual_memory().free * 0.8) // (2 * _PIECE) * 2 * _PIECE
    taken = mmap.mmap(-1, whole, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    taken.madvise(mmap.MADV_NOHUGEPAGE)
    for place in range(0, whole, mmap.PAGESIZE):
        taken[place] = 1
    for place in range(0, whole, 2 * _PIECE):
        taken.madvise(mmap.MADV_DONTNEED, place, _PIECE)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--answer", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--streams", type=int, nargs="+", default=[1])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scatter", action="store_true")
    options = parser.parse_args()
    held = scatter() if options.scatter else None
    before, free, found = machine(options.threads), scattered(), {}
    for path in options.files:
        runs: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
        for _ in range(options.repeats):
            for huge, several in runs.items():
                several.append(bench(path, huge, options))
        small, large = median_of(runs[False]), median_of(runs[True])
        found[path.name] = {"small": small, "huge": large, "ratios": ratios(large, small)}
        for key, ratio in found[path.name]["ratios"].items():
            print(f"{path.name}: {key} x{ratio:.2f}")
    report = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {**before, "load_after": os.getloadavg()[0], "scattered": [free, scattered()]},
        "versions": versions(),
        "compiled_for": compiled_for(),
        "files": found,
    }
    if held is not None:
        held.close()
    name = "pages-scattered" if options.scatter else "pages"
    path = HERE / "results" / f"{name}-{report['date'][:10]}.json"
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written: {path.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
