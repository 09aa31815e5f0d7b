"""How fast an exported model answers: bare llama.cpp, our engine, our server, transformers.

    python benchmarks/serve/run.py [--models smollm2-135m smollm2-135m-grown …]
                                   [--quants q8_0 q4_0] [--prompt 512] [--answer 128]
                                   [--streams 1 8] [--threads 1] [--repeats 3] [--quick]

A name that ends in `-grown` is what `solar upscale` makes of the model before it. Every measurement
is a process of its own, so memory is its own; sides alternate, and the median of the repeats is
stated. Prompt lookup is measured on answers that quote, and on prose, byte for byte; the prefix
cache by the time to the first token. Rates are stated per second of wall time and of processor
time: on a busy machine only the second means something. Writes results/<date>.json, and the
tables into README.md.
"""

import argparse
import datetime
import importlib.util
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
sys.path.insert(0, str(HERE))

from lookup import measure_lookup, measure_prefix  # noqa: E402
from table import render, write_readme  # noqa: E402

GROWN = "-grown"
PRECISIONS = ("fp32", "bf16")  # of transformers; the second where the processor computes in it
RATES = ("prefill", "decode", "prefill_per_cpu", "decode_per_cpu")


def python(*arguments: object, threads: int = 1, library: Path | None = None) -> str:
    """Run Python, with the packages of a folder before the installed; return its output."""
    command = [sys.executable, *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "SOLAR_PROGRESS": "0"}
    if library is not None:
        environment["PYTHONPATH"] = str(library.resolve())
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)}\n{run.stderr}")
    return run.stdout


def solar(*arguments: object, threads: int = 1, library: Path | None = None) -> str:
    """Run `solar`; return its output."""
    return python("-m", "solarmini", *arguments, threads=threads, library=library)


def measure(
    side: str, model: object, options: argparse.Namespace, library: Path | None = None
) -> dict[str, Any]:
    """Measure one side once; `library` is a folder with another xllamacpp than the installed."""
    facts = ["--prompt", options.prompt, "--answer", options.answer, "--threads", options.threads]
    facts += ["--streams", *options.streams]
    if side in ("raw", "raw_plain", "server"):
        said = python(HERE / "sides.py", side, model, *facts, threads=options.threads)
    else:
        peer = ["transformers", "--precision", side] if side in PRECISIONS else [side]
        facts += ["--json", "--engine", *peer]
        said = solar("bench", model, *facts, threads=options.threads, library=library)
    return json.loads(said)


def median_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians of several runs, with the relative spread of the decode rates."""
    loads = []
    for same in zip(*(run["loads"] for run in runs), strict=True):
        load = dict(same[0])
        for key in ("first_seconds", "seconds", "cpu_seconds", *RATES):
            load[key] = statistics.median(one[key] for one in same)
        rates = [one["decode"] for one in same]
        load["decode_spread"] = (max(rates) - min(rates)) / load["decode"]
        loads.append(load)
    kept = ("peak_bytes", "resident_bytes", "load_seconds", "read_bandwidth", "fraction_of_limit")
    middle = {
        key: statistics.median(run[key] for run in runs)
        for key in kept
        if runs[0].get(key) is not None
    }
    return {**runs[0], **middle, "loads": loads}


def ratios(ours: dict[str, Any], peer: dict[str, Any]) -> dict[str, float]:
    """Return ours against the peer's, of the same run."""
    found = {"peak_memory": ours["peak_bytes"] / peer["peak_bytes"]}
    for one, two in zip(ours["loads"], peer["loads"], strict=True):
        for key in ("first_seconds", *RATES):
            found[f"{key}_{one['streams']}"] = one[key] / two[key]
    return {key: round(value, 3) for key, value in found.items()}


def machine(threads: int) -> dict[str, Any]:
    """Describe where this ran."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "load_before": os.getloadavg()[0],
    }


def versions() -> dict[str, str]:
    """Return the versions that matter."""
    from importlib.metadata import version

    names = ("xllamacpp", "libgguf", "torch", "transformers")
    return {name: version(name) for name in names}


def compiled_for() -> list[str]:
    """Return the vector instructions that llama.cpp was compiled for, of those that matter."""
    from solarmini.engine.compiled import FLAGS, compiled_features

    return [name for name in FLAGS if name in compiled_features()]


def missing_server() -> str | None:
    """Return why the server cannot be measured, None if it can."""
    for name in ("solarmini.server", "starlette", "uvicorn", "httptools"):
        if importlib.util.find_spec(name) is None:
            return f"not measured: {name} is not installed"
    return None


def prepared(model: str, folder: Path) -> str:
    """Return the model, grown first if its name says so."""
    if not model.endswith(GROWN):
        return model
    made = folder / Path(model).name
    if not made.exists():
        solar("upscale", model.removesuffix(GROWN), "-o", made)
    return str(made)


def exported(
    model: str, name: str, folder: Path, quants: list[str]
) -> tuple[dict[str, Path], list[dict[str, Any]]]:
    """Write the model's files; return where they are, and what is told of each."""
    files, exports = {}, []
    for quant in quants:
        path = folder / f"{Path(name).name}-{quant}.gguf"
        facts = json.loads(solar("export", model, "--quant", quant, "-o", path, "--json"))
        exports.append({key: facts[key] for key in ("quant", "bytes", "bits_per_weight", "check")})
        files[quant] = path
    return files, exports


def lookups(files: dict[str, Path], options: argparse.Namespace) -> dict[str, Any]:
    """Measure prompt lookup with each file."""
    rounds = options.repeats + 2  # of a few seconds each
    return {
        quant: measure_lookup(path, options.threads, options.answer, rounds)
        for quant, path in files.items()
    }


def lookup_again(options: argparse.Namespace) -> None:
    """Measure prompt lookup anew, for the models of the results that `--lookup-of` names."""
    report = json.loads(options.lookup_of.read_text())
    with tempfile.TemporaryDirectory(prefix="solar-serve-") as folder:
        for found in report["models"]:
            model = prepared(found["model"], Path(folder))
            files, _ = exported(model, found["model"], Path(folder), options.quants)
            found["lookup"] = lookups(files, options)
    options.lookup_of.write_text(json.dumps(report, indent=1) + "\n")
    print(render(report))
    write_readme(render(report))


def _has_bf16() -> bool:
    import torch

    from solarmini.train.precision import choose_precision

    return choose_precision("auto", torch.device("cpu")) == "bf16"


def run_model(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Export, then measure every quantisation and transformers in turn."""
    model = prepared(name, folder)
    files, exports = exported(model, name, folder, options.quants)
    sides = ["raw", "raw_plain", "llama", *([] if missing_server() else ["server"])]
    runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    precisions = PRECISIONS if _has_bf16() else PRECISIONS[:1]
    peers: dict[str, list[dict[str, Any]]] = {precision: [] for precision in precisions}
    for repeat in range(options.repeats):
        print(f"{name}: round {repeat + 1} of {options.repeats}", file=sys.stderr, flush=True)
        for quant, path in files.items():
            for side in sides:
                runs.setdefault((quant, side), []).append(measure(side, path, options))
        for precision, several in peers.items():
            several.append(measure(precision, model, options))
    peer, rows = {each: median_of(several) for each, several in peers.items()}, []
    for (quant, side), several in runs.items():
        middle = median_of(several)
        row = {"quant": quant, "side": side, **middle}
        for precision, found in peer.items():
            row[f"against_{precision}"] = ratios(middle, found)
        for bare in ("raw", "raw_plain") if side not in ("raw", "raw_plain") else ():
            row[f"against_{bare}"] = ratios(middle, peer_row := median_of(runs[quant, bare]))
            row[f"bytes_more_than_{bare}"] = middle["peak_bytes"] - peer_row["peak_bytes"]
        rows.append(row)
    rounds = options.repeats
    return {
        "model": name,
        "exports": exports,
        "rows": rows,
        "peers": peer,
        "lookup": lookups(files, options),
        "prefix": {
            quant: measure_prefix(path, options.threads, options.prompt, rounds)
            for quant, path in files.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["smollm2-135m", f"smollm2-135m{GROWN}"])
    parser.add_argument("--quants", nargs="+", default=["q8_0", "q4_0"])
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--answer", type=int, default=128)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="few tokens, once: to try the script")
    parser.add_argument("--output", type=Path, help="results file; default: results/<date>.json")
    parser.add_argument("--lookup-of", type=Path, metavar="RESULTS", help="measure lookup only")
    options = parser.parse_args()
    if options.lookup_of:
        lookup_again(options)
        return
    if options.quick:
        options.prompt, options.answer, options.repeats = 64, 16, 1
    before = machine(options.threads)
    with tempfile.TemporaryDirectory(prefix="solar-serve-") as folder:
        models = [run_model(model, Path(folder), options) for model in options.models]
    hidden = ("models", "output", "lookup_of")
    report = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {**before, "load_after": os.getloadavg()[0]},
        "versions": versions(),
        "compiled_for": compiled_for(),
        "settings": {key: value for key, value in vars(options).items() if key not in hidden},
        "server": missing_server() or "measured",
        "models": models,
    }
    print(render(report))
    if options.output or not options.quick:
        path = options.output or HERE / "results" / f"{report['date'][:10]}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(report, indent=1) + "\n")
        print(f"\nwritten: {path.name}", file=sys.stderr)
    if not options.output and not options.quick:
        write_readme(render(report))


if __name__ == "__main__":
    main()
