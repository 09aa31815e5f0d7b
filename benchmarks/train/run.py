"""Instruction and preference tuning: solar-mini beside TRL, in one run.

    python benchmarks/train/run.py [--model smollm2-135m] [--repeats 3] [--quick]

Both sides get the same token ids (see `data.py`), batch size, optimizer and number of threads, and
train one pass. Every measurement is a process of its own; only the training loop is timed (not
imports, loading, tokenising, saving, nor the reference log-probs of DPO, which are listed beside).
The unit is real tokens, padding not counted, per second of processor time. TRL runs in every
sensible setting on the nano model; its best in bf16, its best in fp32 and its defaults go on to
SmolLM2-135M. Ours and
the best of TRL alternate. Writes results/<date>.json; `table.py` prints it.

TRL lives in an environment of its own, which `tests/oracles.py` makes.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

from data import count_tokens, find_files, make_rows, write_json  # noqa: E402
from models import nano, smollm2  # noqa: E402
from table import render  # noqa: E402

from tests.oracles import trl_python  # noqa: E402

SFT_VARIANTS = (
    "defaults",
    "fp32",
    "fp32 one by one",
    "bf16",
    "bf16 by length",
    "bf16 one by one",
    "bf16 padding-free",
    "bf16 packed",
)
DPO_VARIANTS = ("defaults", "fp32", "fp32 one by one", "bf16", "bf16 one by one")


class Bench:
    """Runs measurements and keeps them."""

    def __init__(self, work: Path, threads: int) -> None:
        self.work = work
        self.threads = threads
        self.runs: list[dict[str, Any]] = []
        self.trl_python = trl_python()

    def measure(
        self, side: str, variant: str, kind: str, model: Path, rows: Path, **extra: Any
    ) -> dict[str, Any]:
        """Run one process; return what it printed."""
        job = {
            "kind": kind,
            "model": str(model),
            "rows": str(rows),
            "variant": variant,
            "precision": variant if variant in ("fp32", "bf16") else "auto",
            "threads": self.threads,
            "batch_size": 8,
            "beta": 0.1,
            **extra,
        }
        path = write_json(self.work / "job.json", job)
        python, script = (
            (sys.executable, "ours.py") if side == "ours" else (self.trl_python, "trl_side.py")
        )
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": str(self.threads),
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(ROOT) if side == "ours" else "",
            "SOLAR_PROGRESS": "0",
        }
        done = subprocess.run(
            [python, HERE / script, path],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if done.returncode:
            return {"error": done.stderr.strip().splitlines()[-1][:300]}
        return json.loads(done.stdout.strip().splitlines()[-1])

    def timed(
        self, side: str, variant: str, kind: str, name: str, model: Path, rows: Path
    ) -> float:
        """Measure, keep the row, return tokens per CPU-second (0 where it failed)."""
        found = self.measure(side, variant, kind, model, rows)
        tokens = count_tokens(json.loads(rows.read_text()))
        row = {"side": side, "variant": variant, "kind": kind, "model": name, "tokens": tokens}
        if "error" not in found:
            row["tokens_per_cpu_second"] = round(tokens / found["cpu_seconds"], 2)
        self.runs.append(row | found)
        speed = row.get("tokens_per_cpu_second", 0.0)
        peak = found.get("peak_rss_bytes", 0) / 1e9
        print(f"{name} {kind} {side} {variant}: {speed} tok/cpu-s, {peak:.2f} GB", flush=True)
        return float(speed)

    def best(self, kind: str, name: str, count: int, prefix: str = "") -> list[str]:
        """Return TRL's fastest variants so far."""
        speeds: dict[str, list[float]] = {}
        for run in self.runs:
            if (run["kind"], run["model"], run["side"]) == (kind, name, "trl"):
                speeds.setdefault(run["variant"], []).append(run.get("tokens_per_cpu_second", 0.0))
        order = sorted(speeds, key=lambda v: -statistics.median(speeds[v]))
        return [v for v in order if v.startswith(prefix) and v != "defaults"][:count]

    def agree(self, kind: str, name: str, model: Path, rows: Path) -> dict[str, Any]:
        """Compare both sides' loss on the first rows, in float32."""
        losses = [
            self.measure(side, "fp32", kind, model, rows, check=True) for side in ("ours", "trl")
        ]
        for side, found in zip(("ours", "trl"), losses, strict=True):
            if "error" in found:
                raise SystemExit(f"{name} {kind} {side}: {found['error']}")
        ours, theirs = (found["first_loss"] for found in losses)
        row = {"kind": kind, "model": name, "ours": ours, "trl": theirs}
        print(f"{name} {kind} first loss: {ours:.7f} {theirs:.7f}", flush=True)
        if not abs(ours - theirs) <= 2e-5 * max(1.0, abs(theirs)):
            raise SystemExit(f"the sides do not compute the same loss: {row}")
        return row


def run_model(
    bench: Bench, name: str, model: Path, counts: dict[str, int], variants: dict, repeats: int
) -> list[dict[str, Any]]:
    """Scan TRL's variants once, then alternate ours with the best of them."""
    checks = []
    for kind, count in counts.items():
        rows = write_json(bench.work / f"{name}-{kind}.json", make_rows(model, kind, count))
        checks.append(bench.agree(kind, name, model, rows))
        bench.timed("ours", "auto", kind, name, model, rows)
        bench.timed("ours", "fp32", kind, name, model, rows)
        for variant in variants[kind]:
            bench.timed("trl", variant, kind, name, model, rows)
        for _ in range(repeats - 1):
            bench.timed("ours", "auto", kind, name, model, rows)
            for variant in bench.best(kind, name, 1):
                bench.timed("trl", variant, kind, name, model, rows)
    return checks


def processor() -> str:
    """Return the processor's name and whether it has bf16 units."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    flags = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f in text]
    return f"{names[0] if names else platform.processor()} ({', '.join(flags)})"


def main() -> None:
    """Run everything and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rows", type=int, default=64, help="rows for the nano model")
    parser.add_argument("--large-rows", type=int, default=16, help="rows for the large model")
    parser.add_argument("--quick", action="store_true", help="few rows, no repeats, no file")
    parser.add_argument("--only", choices=["nano", "large"])
    options = parser.parse_args()
    if options.quick:
        options.rows, options.large_rows, options.repeats = 32, 8, 1
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        bench = Bench(work, options.threads)
        checks: list[dict[str, Any]] = []
        large = smollm2(options.model)
        variants: dict[str, tuple[str, ...]] = {"sft": SFT_VARIANTS, "dpo": DPO_VARIANTS}
        counts = {"sft": options.rows, "dpo": options.rows // 2}
        if options.only != "large":
            texts = [path for kind in ("sft", "dpo") for path in find_files(kind)]
            small = nano(work / "nano", texts, large)
            checks += run_model(bench, "nano", small, counts, variants, options.repeats)
            best = bench.best
            variants = {
                kind: ("defaults", *best(kind, "nano", 1, "bf"), *best(kind, "nano", 1, "fp"))
                for kind in counts
            }
        else:
            variants = dict.fromkeys(variants, ("defaults", "bf16 one by one", "fp32 one by one"))
        if options.only != "nano":
            counts = {"sft": options.large_rows, "dpo": options.large_rows * 3 // 4}
            checks += run_model(bench, "SmolLM2-135M", large, counts, variants, options.repeats)
    report = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {"processor": processor(), "threads": options.threads},
        "python": platform.python_version(),
        "first_losses": checks,
        "ratios": ratios(bench.runs),
        "runs": bench.runs,
    }
    print(render(report))
    if not options.quick and not options.only:
        results = HERE / "results"
        results.mkdir(exist_ok=True)
        path = results / f"{report['date'][:10]}.json"
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        (results / "README.md").write_text(render(report) + "\n", encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


def ratios(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ours over TRL by model and kind: best against best, fp32 against fp32, and defaults."""
    rows = []
    for name, kind in dict.fromkeys((run["model"], run["kind"]) for run in runs):
        mine = [run for run in runs if (run["model"], run["kind"]) == (name, kind)]

        def speed(side: str, variant: str, mine: list[dict] = mine) -> tuple[float, float]:
            chosen = [r for r in mine if (r["side"], r["variant"]) == (side, variant)]
            done = [r for r in chosen if "error" not in r]
            if not done:
                return 0.0, float("nan")
            return (
                statistics.median(r["tokens_per_cpu_second"] for r in done),
                statistics.median(r["peak_rss_bytes"] for r in done),
            )

        theirs = {r["variant"]: speed("trl", r["variant"]) for r in mine if r["side"] == "trl"}
        for label, ours, names in (
            ("best", "auto", list(theirs)),
            ("fp32", "fp32", [n for n in theirs if n.startswith("fp32")]),
            ("defaults", "auto", ["defaults"]),
        ):
            names = [n for n in names if theirs.get(n, (0, 0))[0]]
            if not names:
                continue
            top = max(names, key=lambda n: theirs[n][0])
            fast, memory = speed("ours", ours)
            rows.append(
                {
                    "model": name,
                    "kind": kind,
                    "against": label,
                    "trl_setting": top,
                    "ours": round(fast, 1),
                    "trl": round(theirs[top][0], 1),
                    "speed_ratio": round(fast / theirs[top][0], 2),
                    "memory_ratio": round(memory / theirs[top][1], 2),
                    "ours_gb": round(memory / 1e9, 2),
                    "trl_gb": round(theirs[top][1] / 1e9, 2),
                }
            )
    return rows


if __name__ == "__main__":
    main()
