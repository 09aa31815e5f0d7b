"""Growing a large sharded checkpoint: ours, cp, mergekit and transformers, side by side.

    python benchmarks/growth/run.py --work /big/disk --gigabytes 3.75 --repeats 5

Makes a Llama-shaped bf16 checkpoint of random bytes, then lets every contestant turn it into the
2(n-m)-layer model, in an order that is reversed every round. Every run is a whole process, timed
from start to exit and measured by wait4 (CPU) and VmHWM (peak memory). Before each run the disk is
flushed and, unless --warm, the source's pages are dropped from the page cache. The time until the
output is on the disk (`sync` of its files) is taken as well: contestants flush differently.
Writes results/<date>.json; `table.py` prints it. mergekit lives in an environment of its own, which
tests/growth/conftest.py makes under .venvs/mergekit.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from synthetic import Shape, dropped_cache, make_base  # noqa: E402


@dataclass(frozen=True)
class Run:
    """One timed process."""

    seconds: float
    flush_seconds: float
    cpu_seconds: float
    peak_bytes: int
    bytes_out: int


def measure(command: list[str], output: Path, environment: dict[str, str]) -> Run:
    """Run one process; then flush what it left unflushed."""
    watch = [sys.executable, "-S", str(HERE / "watch.py"), *command]
    done = subprocess.run(watch, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
    seen = json.loads(done.stdout.splitlines()[-1])
    start = time.perf_counter()
    files = [path for path in output.rglob("*") if path.is_file()]
    for path in files:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    flush = time.perf_counter() - start
    written = sum(path.stat().st_size for path in files if path.suffix in (".safetensors", ".raw"))
    return Run(seen["seconds"], flush, seen["cpu"], seen["peak"], written)


def contestants(base: Path, work: Path, drop: int, mergekit: Path | None) -> dict[str, list[str]]:
    """Name every contestant's command line; the output folder is its last argument."""
    python = sys.executable
    layers = json.loads((base / "config.json").read_text())["num_hidden_layers"]
    solar = "import sys; from solarmini.cli import main; main()"
    commands = {
        "solar": [python, "-c", solar, "upscale", str(base), "--drop", str(drop), "-o"],
        "cp": [python, "-S", str(HERE / "copy_bytes.py"), str(base), str(drop)],
        "transformers": [python, str(HERE / "with_transformers.py"), str(base), str(drop)],
    }
    if mergekit is not None:
        spec = work / "mergekit.yml"
        spec.write_text(
            "merge_method: passthrough\ndtype: bfloat16\nslices:\n"
            f"- sources: [{{model: {base}, layer_range: [0, {layers - drop}]}}]\n"
            f"- sources: [{{model: {base}, layer_range: [{drop}, {layers}]}}]\n"
        )
        program = str(mergekit / "bin" / "mergekit-yaml")
        # its defaults, but for the tokenizer, which the base has none of
        commands["mergekit"] = [program, str(spec), "--no-copy-tokenizer"]
    return commands


def one_round(
    commands: dict[str, list[str]], order: list[str], base: Path, work: Path, warm: bool
) -> list[dict[str, Any]]:
    rows = []
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "SOLAR_PROGRESS": "0"}
    for name in order:
        output = work / "output"
        shutil.rmtree(output, ignore_errors=True)
        os.sync()
        resident = None if warm else dropped_cache(base)
        run = measure([*commands[name], str(output)], output, environment)
        rows.append({"contestant": name, "source_pages_left": resident, **vars(run)})
        print(
            f"{name:13s} {run.seconds:7.2f} s (+{run.flush_seconds:5.2f} flush), "
            f"CPU {run.cpu_seconds:6.2f} s, peak {run.peak_bytes / 2**20:7.0f} MiB",
            flush=True,
        )
    shutil.rmtree(work / "output", ignore_errors=True)
    return rows


def ratios(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Compare medians, and every round's pair, with each peer of the same run."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(row["contestant"], []).append(row)

    def median(name: str, key: str) -> float:
        return statistics.median(row[key] for row in by_name[name])

    def durable(row: dict[str, Any]) -> float:
        return row["seconds"] + row["flush_seconds"]

    result: dict[str, Any] = {"solar_peak_mib": median("solar", "peak_bytes") / 2**20}
    for peer in sorted(set(by_name) - {"solar"}):
        pairs = list(zip(by_name["solar"], by_name[peer], strict=True))
        result[peer] = {
            "solar_time_over_peer": median("solar", "seconds") / median(peer, "seconds"),
            "solar_durable_time_over_peer": statistics.median(map(durable, by_name["solar"]))
            / statistics.median(map(durable, by_name[peer])),
            "by_round": [round(durable(a) / durable(b), 3) for a, b in pairs],
            "solar_cpu_over_peer": median("solar", "cpu_seconds") / median(peer, "cpu_seconds"),
            "solar_peak_over_peer": median("solar", "peak_bytes") / median(peer, "peak_bytes"),
        }
    return result


def versions(mergekit: Path | None) -> dict[str, str]:
    from importlib.metadata import version

    found = {name: version(name) for name in ("solar-mini", "torch", "transformers", "safetensors")}
    if mergekit is not None:
        code = "from importlib.metadata import version; print(version('mergekit'))"
        done = subprocess.run([mergekit / "bin" / "python", "-c", code], capture_output=True)
        found["mergekit"] = done.stdout.decode().strip()
    return {"python": platform.python_version(), "kernel": platform.release(), **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("runs/benchmark-growth"))
    parser.add_argument("--gigabytes", type=float, default=3.75)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warm", action="store_true", help="leave the source in the page cache")
    parser.add_argument("--only", help="comma-separated contestants")
    parser.add_argument("--mergekit", type=Path, default=Path(".venvs/mergekit"))
    parser.add_argument("--results", type=Path, default=HERE / "results")
    options = parser.parse_args()
    work = options.work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    mergekit = options.mergekit.absolute() if (options.mergekit / "bin").exists() else None
    shape = Shape.of(options.gigabytes)
    drop = -(-shape.layers // 4)
    base = make_base(work / "base", shape)
    size = sum(path.stat().st_size for path in base.glob("*.safetensors"))
    commands = contestants(base, work, drop, mergekit)
    if options.only:
        commands = {name: commands[name] for name in options.only.split(",")}
    rows: list[dict[str, Any]] = []
    for number in range(options.repeats):
        order = list(commands) if number % 2 == 0 else list(reversed(commands))
        print(f"round {number + 1}: {', '.join(order)}")
        rows += [
            {"round": number + 1, **row}
            for row in one_round(commands, order, base, work, options.warm)
        ]
    document = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": {
            "cpus": os.cpu_count(),
            "model": _cpu_model(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "load_before": os.getloadavg()[0],
        },
        "versions": versions(mergekit),
        "page_cache": "source warm" if options.warm else "source dropped before each run",
        "base": {"bytes": size, "layers": shape.layers, "shards": len(list(base.glob("model-*")))},
        "grown_layers": 2 * (shape.layers - drop),
        "bytes_out": rows[0]["bytes_out"],
        "rows": rows,
        "ratios": ratios(rows) if "solar" in commands else {},
    }
    options.results.mkdir(parents=True, exist_ok=True)
    state = "warm" if options.warm else "cold"
    path = options.results / f"{document['date']}-{state}.json"
    path.write_text(json.dumps(document, indent=2) + "\n")
    print(f"wrote {path}")
    print(json.dumps(document["ratios"], indent=2))


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
