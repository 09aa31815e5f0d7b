"""The sides that `solar bench` does not measure: llama.cpp bare, and our HTTP server.

    python benchmarks/serve/sides.py raw|server FILE --prompt 512 --answer 128 --threads 1
                                     --streams 1 8

Prints what `solar bench --json` prints, as far as it is known from outside.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.engine.gguf_tokenizer import stop_ids_of, tokenizer_of
from solarmini.engine.interface import GenerationSettings
from solarmini.engine.measure import Load, Stamps, make_prompts, measure_streams, memory_bytes

Read = Callable[[int, Stamps], int]


class Words:
    """Makes the prompts that `solar bench` makes, from the file's tokenizer."""

    def __init__(self, path: Path) -> None:
        file = GgufFile.open(path)
        self._tokenizer, self.stops = tokenizer_of(file), stop_ids_of(file)

    def tokenize(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False)

    def encode(self, prompt: str) -> list[int]:
        return self._tokenizer.encode(prompt)


def raw(path: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure llama.cpp in this process with its own settings and none of our code between.

    As the side `raw_plain`, with plain attention, which our engine takes for small models.
    """
    import xllamacpp

    started = time.perf_counter()
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = max(options.streams)
    params.n_ctx = -(-(options.prompt + options.answer) // 256) * 256 * params.n_parallel
    params.n_gpu_layers, params.fit_params, params.verbosity = 0, False, 0
    if options.side == "raw_plain":
        kinds = xllamacpp.llama_flash_attn_type
        params.flash_attn_type = kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    with tempfile.TemporaryDirectory() as folder:
        params.hostnames = [f"{folder}/raw.sock"]
        bare = xllamacpp.Server(params)
        bare.handle_metrics()  # it is ready when it answers
        loaded = time.perf_counter() - started
        words = Words(path)

        def measure(streams: int) -> Load:
            prompts = make_prompts(words, streams, options.prompt)

            def read(number: int, stamps: Stamps) -> int:
                count = 0

                def arrived(chunk: dict[str, Any]) -> bool:
                    nonlocal count
                    for choice in chunk.get("choices", ()):
                        if choice["text"]:
                            stamps.add()
                    if usage := chunk.get("usage"):
                        count = usage["completion_tokens"]
                    return False

                body = {"prompt": prompts[number], "max_tokens": options.answer, "stream": True}
                body |= {"stream_options": {"include_usage": True}, "ignore_eos": True}
                bare.handle_completions(body | {"temperature": 0.0}, arrived)
                return count

            return measure_streams(read, streams, options.prompt)

        loads = [measure(count) for count in options.streams]
        memory = memory_bytes()
    return _facts(options.side, path, options, loads, loaded, memory["resident"], memory["peak"])


def server(path: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure `solar serve` over HTTP from this process."""
    import psutil

    from solarmini.engine.remote import RemoteEngine

    command = [sys.executable, "-m", "solarmini", "serve", str(path), "--port", "0"]
    command += ["--parallel", str(max(options.streams)), "--threads", str(options.threads)]
    command += ["--context", str(options.prompt + options.answer), "--no-speculate"]
    started = time.perf_counter()
    with ExitStack() as stack:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        stack.callback(process.wait, 30)
        stack.callback(process.send_signal, signal.SIGTERM)
        url = _ready(process)
        loaded = time.perf_counter() - started
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]

        def clock() -> float:
            return sum(sum(one.cpu_times()[:2]) for one in tree)

        words, engine = Words(path), RemoteEngine(f"{url}/v1", timeout=3600)
        settings = GenerationSettings(
            max_tokens=options.answer, logit_bias=tuple((index, -100.0) for index in words.stops)
        )

        def measure(streams: int) -> Load:
            prompts = make_prompts(words, streams, options.prompt)

            def read(number: int, stamps: Stamps) -> int:
                generation = engine.generate(prompts[number], settings)
                for event in generation.events():
                    if event.text:
                        stamps.add()
                return generation.completion_tokens

            return measure_streams(read, streams, options.prompt, clock)

        loads = [measure(count) for count in options.streams]
        resident = sum(one.memory_info().rss for one in tree)
        peak = sum(_peak(one.pid) for one in tree)
    return _facts("server", path, options, loads, loaded, resident, peak)


def _ready(process: subprocess.Popen[str]) -> str:
    url, said = "", []
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        try:
            event = json.loads(line)
        except ValueError:
            continue
        url = event.get("url", url)
        if event["event"] == "ready":
            return url
    raise SystemExit("solar serve did not start:\n" + "".join(said))


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _facts(
    name: str,
    path: Path,
    options: argparse.Namespace,
    loads: list[Load],
    loaded: float,
    resident: int,
    peak: int,
) -> dict[str, Any]:
    return {
        "model": path.stem,
        "engine": name,
        "threads": options.threads,
        "load_seconds": loaded,
        "resident_bytes": resident,
        "peak_bytes": peak,
        "loads": [load.to_dict() for load in loads],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=["raw", "raw_plain", "server"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--answer", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8])
    options = parser.parse_args()
    print(json.dumps((server if options.side == "server" else raw)(options.file, options)))


if __name__ == "__main__":
    main()
