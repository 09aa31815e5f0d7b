"""`solar bench`."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter


def bench(
    model: str,
    /,
    *,
    engine: Literal["auto", "llama", "transformers"] = "auto",
    quant: str = "q8_0",
    streams: Annotated[list[int] | None, Parameter(negative="", consume_multiple=True)] = None,
    prompt: int = 512,
    answer: int = 128,
    threads: int | None = None,
    attention: Literal["auto", "plain", "flash"] = "auto",
    speculate: bool = False,
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    peer: Literal["transformers"] | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Measure how fast a model answers, and in how much memory.

    Time to the first token, tokens per second while reading prompts (prefill) and while answering
    (decode), processor time, memory, energy where the processor's meter can be read, and which
    part of what the memory's bandwidth allows is reached.

    Parameters
    ----------
    model
        A .gguf file, or any other model: folder, hub id, packaged model (`smollm2-135m`).
    engine
        auto: llama.cpp for a .gguf file, transformers for the rest. llama writes any other model
        as GGUF into the cache first.
    quant
        Quantisation of that GGUF file.
    streams
        How many answers at once, one measurement each. Default: 1 8 32.
    prompt
        Tokens of each prompt; no two prompts begin alike.
    answer
        Tokens of each answer.
    threads
        Threads of llama.cpp, and of the bandwidth's measurement. Default: the idle cores.
    attention
        How llama.cpp reads its cache: plain, flash, or auto (flash when it guesses, else plain).
    speculate
        Let llama.cpp guess by prompt lookup while it is measured.
    precision
        Of the weights with transformers. auto: bf16 where the processor computes in it, else fp32.
    peer
        transformers: measure it as well, in a process of its own, and state the ratios.
    as_json
        Print all figures as JSON.
    """
    from solarmini.engine.threads import choose_threads

    counts = streams or [1, 8, 32]
    threads = choose_threads(threads)
    reading = {"attention": attention, "speculate": speculate, "precision": precision}
    facts = _measure(model, engine, quant, counts, prompt, answer, threads, reading)
    if peer:
        facts["peer"] = _peer(model, counts, prompt, answer, threads, precision)
        facts["ratios"] = _ratios(facts, facts["peer"])
    if as_json:
        print(json.dumps(facts, indent=2))
    else:
        _print(facts)


def _measure(
    model: str,
    engine: Literal["auto", "llama", "transformers"],
    quant: str,
    streams: list[int],
    prompt: int,
    answer: int,
    threads: int,
    reading: dict[str, Any],
) -> dict[str, Any]:
    from solarmini.engine.measure import fitting, measure_load, memory_bytes, read_bandwidth
    from solarmini.engine.open import open_engine
    from solarmini.engine.pages import huge_bytes

    _limit_torch(engine, model, threads)
    started = time.perf_counter()
    with open_engine(
        model,
        engine,
        quant=quant,
        context=prompt + answer,
        parallel=max(streams),
        threads=threads,
        **reading,
    ) as opened:
        loaded = time.perf_counter() - started
        name = type(opened).__name__.removesuffix("Engine").lower()
        counts = fitting(streams, opened.context_length, prompt, answer)
        after_load = memory_bytes()
        if name == "transformers":
            loads = _together(opened, counts, prompt, answer)
        else:
            loads = [measure_load(opened, count, prompt, answer) for count in counts]
        touched = _bytes_per_token(opened, prompt + answer // 2)
        label, peak, huge = opened.name, memory_bytes()["peak"], huge_bytes()
        numbers: str | None = getattr(opened, "precision", None)
    bandwidth = read_bandwidth(threads)  # last: its own arrays are none of the model's memory
    return {
        "model": label,
        "engine": name,
        **({"precision": numbers} if numbers else {}),
        "threads": threads,
        "load_seconds": loaded,
        "resident_bytes": after_load["resident"],
        "peak_bytes": peak,
        "huge_bytes": huge,
        "bytes_per_token": touched,
        "read_bandwidth": bandwidth,
        "limit": bandwidth / touched,
        "fraction_of_limit": loads[0].decode * touched / bandwidth if counts[0] == 1 else None,
        "loads": [load.to_dict() for load in loads],
        **(_compiled() if name == "llama" else {}),
    }


def _compiled() -> dict[str, Any]:
    from solarmini.engine.compiled import compiled_features, unused_features

    return {"compiled_for": sorted(compiled_features()), "unused": unused_features()}


def _limit_torch(engine: str, model: str, threads: int) -> None:
    if engine == "transformers" or (engine == "auto" and not model.endswith(".gguf")):
        import torch

        torch.set_num_threads(threads)


def _together(engine: Any, streams: list[int], prompt: int, answer: int) -> list[Any]:
    from solarmini.engine.measure import measure_together

    return [measure_together(engine, count, prompt, answer) for count in streams]


def _bytes_per_token(engine: Any, positions: int) -> int:
    from solarmini.checkpoint.gguf_file import GgufFile
    from solarmini.engine.measure import bytes_per_token_of_file, bytes_per_token_of_folder

    path: Path | None = getattr(engine, "path", None)
    if path is not None:
        return bytes_per_token_of_file(GgufFile.open(path), positions)
    return bytes_per_token_of_folder(engine.folder, positions, engine.element_bytes)


def _peer(
    model: str, streams: list[int], prompt: int, answer: int, threads: int, precision: str
) -> dict[str, Any]:
    """Measure transformers in a process of its own, so that memory is its own."""
    from solarmini.errors import EngineError

    command = [sys.executable, "-m", "solarmini", "bench", model, "--engine", "transformers"]
    command += ["--precision", precision]
    command += ["--prompt", str(prompt), "--answer", str(answer), "--threads", str(threads)]
    command += ["--streams", *map(str, streams), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise EngineError(f"the peer could not be measured: {run.stderr.strip()[-500:]}")
    return json.loads(run.stdout)


def _ratios(ours: dict[str, Any], peer: dict[str, Any]) -> dict[str, float]:
    ratios = {"peak_memory": ours["peak_bytes"] / peer["peak_bytes"]}
    for one, two in zip(ours["loads"], peer["loads"], strict=True):
        for key in ("prefill", "decode", "first_seconds"):
            ratios[f"{key}_{one['streams']}"] = one[key] / two[key]
    return {key: round(value, 3) for key, value in ratios.items()}


def _print(facts: dict[str, Any]) -> None:
    from rich.table import Table

    from solarmini.console import out, size_text
    from solarmini.engine.compiled import how_to_compile

    console = out()
    for run in [facts, *([facts["peer"]] if "peer" in facts else [])]:
        numbers = f" in {run['precision']}" if "precision" in run else ""
        huge = f", {size_text(run['huge_bytes'])} on huge pages" if run["huge_bytes"] else ""
        console.print(
            f"[bold]{run['model']}[/] on {run['engine']}{numbers}, {run['threads']} threads: "
            f"loaded in {run['load_seconds']:.2f} s, {size_text(run['resident_bytes'])} resident, "
            f"{size_text(run['peak_bytes'])} at most{huge}",
            soft_wrap=True,
        )
        table = Table("streams", "first token s", "prefill t/s", "decode t/s", "CPU s", "J")
        for load in run["loads"]:
            joules = load["joules"]
            table.add_row(
                str(load["streams"]),
                f"{load['first_seconds']:.3f}",
                f"{load['prefill']:.1f}",
                f"{load['decode']:.1f}",
                f"{load['cpu_seconds']:.1f}",
                "-" if joules is None else f"{joules:.0f}",
            )
        console.print(table)
        if run["fraction_of_limit"] is not None:
            console.print(
                f"a token reads {size_text(run['bytes_per_token'])}; memory gives "
                f"{size_text(int(run['read_bandwidth']))}/s, so at most {run['limit']:.1f} "
                f"tokens/s: [bold]{run['fraction_of_limit']:.0%}[/] of that is reached",
                soft_wrap=True,
            )
    if facts.get("unused"):
        console.print(
            f"llama.cpp is not compiled for what this processor has: {', '.join(facts['unused'])}. "
            "Compiled here it may be much faster:",
            soft_wrap=True,
        )
        console.print(how_to_compile(), soft_wrap=True, markup=False, highlight=False)
    for key, value in facts.get("ratios", {}).items():
        console.print(f"{key} against {facts['peer']['engine']}: x{value:.2f}")
