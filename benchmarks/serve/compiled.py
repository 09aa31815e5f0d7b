"""What compiling llama.cpp for this processor brings over the published wheel, in one run.

    make native                                  # or the command that `solar bench` prints
    pip install --no-deps --target WHEEL xllamacpp
    python benchmarks/serve/compiled.py --wheel WHEEL FILE.gguf …

Measures `solar bench` with both in turn, each as it comes (with its own kind of attention), and
states medians and their ratios. Writes results/compiled-<date>.json.
"""

import argparse
import datetime
import json
import os
from pathlib import Path
from typing import Any

from run import HERE, machine, measure, median_of, ratios, versions

RATES = ("prefill", "decode")


def compare(path: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the medians of both, and compiled against wheel."""
    runs: dict[str, list[dict[str, Any]]] = {"wheel": [], "compiled": []}
    for _ in range(options.repeats):
        runs["wheel"].append(measure("llama", path, options, options.wheel))
        runs["compiled"].append(measure("llama", path, options))
    wheel, compiled = median_of(runs["wheel"]), median_of(runs["compiled"])
    if wheel["compiled_for"] == compiled["compiled_for"]:
        raise SystemExit("both are compiled for the same: run `make native` first")
    return {"wheel": wheel, "compiled": compiled, "ratios": ratios(compiled, wheel)}


def row(name: str, found: dict[str, Any]) -> str:
    """Return a file's line: first token, prompts, answers of one stream and of the most."""
    cells = [name]
    for key in ("first_seconds", *RATES):
        for load, other in zip(found["wheel"]["loads"], found["compiled"]["loads"], strict=True):
            streams = load["streams"]
            if key != "decode" and streams != found["wheel"]["loads"][0]["streams"]:
                continue
            digits = 2 if key == "first_seconds" else 0
            cells.append(
                f"{load[key]:.{digits}f} → {other[key]:.{digits}f} "
                f"(x{found['ratios'][f'{key}_{streams}']:.2f})"
            )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.gguf")
    parser.add_argument("--wheel", type=Path, required=True, help="folder with the wheel's package")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--answer", type=int, default=128)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    before = machine(options.threads)
    files = {path.stem: compare(path, options) for path in options.files}
    report = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {**before, "load_after": os.getloadavg()[0]},
        "versions": versions(),
        "files": files,
    }
    to = HERE / "results" / f"compiled-{report['date'][:10]}.json"
    to.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    heads = ["first token s", "prefill", *(f"decode x{count}" for count in options.streams)]
    print(f"| file | {' | '.join(heads)} |\n{'|---' * (len(heads) + 1)}|")
    for name, found in files.items():
        print(row(name, found))


if __name__ == "__main__":
    main()
