"""Score us and the peers on the same pages in one run; write a report and its table.

    python benchmarks/layout/compare.py SET [--work FOLDER] [--only NAME ...]

SET is as run.py describes. Every reader answers in a process of its own, one after another, one
thread each; the scorer is scorer.py for all. Writes results/<date>.json and results/README.md
beside this file. `--only` runs some of the readers and prints without writing.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from peers import PEERS, run_peer
from scorer import score_folder, summarise

HERE = Path(__file__).parent
OURS = {
    "solar-mini": [],
    "solar-mini --fast": ["--mode", "fast"],
    "solar-mini, no OCR of pictures": ["--ocr", "never"],
    "solar-mini, pages as 150-dpi PNG": ["--png", "150"],
}


def ours(pages: Path, out: Path, options: list[str]) -> dict[str, Any]:
    """Run ours over the set; return its summary, detection rates and scores a page."""
    subprocess.run(
        [sys.executable, HERE / "run.py", pages, out, *options],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return json.loads((out / "scores.json").read_text(encoding="utf-8"))


def theirs(name: str, pages: Path, out: Path) -> dict[str, Any] | None:
    """Run a peer over the set; None where it failed."""
    seconds = run_peer(name, pages / "pdfs", out)
    if seconds is None:
        return None
    summary = summarise(score_folder(out, pages / "ground-truth" / "markdown"))
    summary["cpu_seconds_a_page"] = seconds / summary["pages"]
    return {"summary": summary, "requirement": PEERS[name].requirement}


def processor() -> str:
    """Return what the machine calls its processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def measure(pages: Path, work: Path, wanted: list[str]) -> dict[str, Any]:
    """Run every reader that is wanted; return the report."""
    readers: dict[str, Any] = {}
    for name in wanted:
        out = work / "".join(c if c.isalnum() else "-" for c in name)
        out.mkdir(parents=True, exist_ok=True)
        done = ours(pages, out, OURS[name]) if name in OURS else theirs(name, pages, out)
        if done is None:
            print(f"{name}: failed", file=sys.stderr)
            continue
        readers[name] = done
        print(row(name, done["summary"]), flush=True)
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {"processor": processor(), "cpus": os.cpu_count(), "python": sys.version[:6]},
        "versions": {name: version(name) for name in ("solar-mini", "pypdfium2", "onnxruntime")},
        "readers": readers,
    }


def row(name: str, summary: dict[str, Any]) -> str:
    """Return one line of the table."""
    shown = [f"{summary[key]:.4f}" for key in ("overall", "nid", "teds", "mhs")]
    return f"| {name} | {' | '.join(shown)} | {summary['cpu_seconds_a_page']:.3f} |"


def render(report: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    machine, readers = report["machine"], report["readers"]
    pages = next(iter(readers.values()))["summary"]["pages"]
    lines = [
        "# Reading documents: solar-mini beside its peers",
        "",
        f"{report['date'][:10]}, {machine['processor']}, one thread; {pages} pages of the public "
        "benchmark opendataloader-bench with their ground truth. NID: text and reading order; "
        "TEDS: tables; MHS: headings; overall: their mean a page. Peers in the environment that "
        "`peers.py` makes, without OCR; figures of all readers are of one run of `compare.py`.",
        "",
        "| reader | overall | NID | TEDS | MHS | CPU-s a page |",
        "|---|---|---|---|---|---|",
        *(row(name, one["summary"]) for name, one in readers.items()),
        "",
    ]
    first = readers.get("solar-mini")
    if first:
        lines += [
            "Elements of `solar-mini` found at an IoU of .5 or more:",
            "",
            "| category | true | found | precision | recall | F1 |",
            "|---|---|---|---|---|---|",
        ]
        for name, rate in first["detection"].items():
            lines.append(
                f"| {name} | {rate['expected']:.0f} | {rate['found']:.0f} | {rate['precision']:.3f}"
                f" | {rate['recall']:.3f} | {rate['f1']:.3f} |"
            )
        lines += ["", "Pages that score lowest:", "", "| page | overall | NID | TEDS | MHS |"]
        lines.append("|---|---|---|---|---|")
        worst = sorted(first["pages"], key=lambda page: page["overall"] or 0)[:10]
        for page in worst:
            cells = ["" if page[k] is None else f"{page[k]:.3f}" for k in ("nid", "teds", "mhs")]
            lines.append(f"| {page['name']} | {page['overall']:.3f} | {' | '.join(cells)} |")
    lines += ["", f"Peers: {', '.join(PEERS[n].requirement for n in readers if n in PEERS)}.", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--only", nargs="+", choices=[*OURS, *PEERS], metavar="NAME")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        report = measure(given.set, given.work or Path(scratch), given.only or [*OURS, *PEERS])
    if given.only:
        return
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / f"{report['date'][:10]}.json").write_text(json.dumps(report, indent=1) + "\n")
    (results / "README.md").write_text(render(report), encoding="utf-8")


if __name__ == "__main__":
    main()
