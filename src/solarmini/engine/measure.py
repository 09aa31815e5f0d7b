"""How fast an engine answers, in how much memory, and how near that is to what memory allows.

Making one token reads every weight once, so the memory's read bandwidth divided by the bytes a
token touches is the most a machine can do; the fraction of it that is reached says how good the
engine is on that machine, whatever the machine.
"""

import resource
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.checkpoint.reader import Checkpoint
from solarmini.engine.interface import Engine, GenerationSettings
from solarmini.growth.sample_text import SAMPLE

if TYPE_CHECKING:
    from solarmini.engine.local import TransformersEngine

_PROBE_BYTES = 256 * 2**20
_PROBES = 3


@dataclass(frozen=True, slots=True)
class Load:
    """How an engine did with `streams` answers at once.

    Rates are tokens per second of wall time over all streams: `prefill` until the last stream's
    first token, `decode` after it. `first_seconds` is the median time to a stream's first token.
    `cpu_seconds` is processor time of all threads; `joules` what the processor's meter counted
    (None where it cannot be read).
    """

    streams: int
    prompt_tokens: int
    answer_tokens: int
    first_seconds: float
    prefill: float
    decode: float
    seconds: float
    cpu_seconds: float
    joules: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return all figures, for JSON."""
        return asdict(self)


def measure_load(engine: Engine, streams: int, prompt: int, answer: int) -> Load:
    """Let `streams` readers ask at once for `answer` tokens after prompts of `prompt` tokens."""
    prompts = _prompts(engine, streams, prompt)
    settings = GenerationSettings(max_tokens=answer, ignore_end=True)
    times: list[list[float]] = [[] for _ in range(streams)]
    counts = [0] * streams
    ready = threading.Barrier(streams + 1)

    def read(number: int) -> None:
        ready.wait()
        generation = engine.generate(prompts[number], settings)
        for event in generation.events():
            if event.text:
                times[number].append(time.perf_counter())
        counts[number] = generation.completion_tokens

    with ThreadPoolExecutor(streams) as pool:
        readers = [pool.submit(read, number) for number in range(streams)]
        meter = _Meter()
        ready.wait()
        started = time.perf_counter()
        for reader in readers:
            reader.result()
        return _load(streams, prompt, times, counts, started, meter)


def measure_together(engine: "TransformersEngine", streams: int, prompt: int, answer: int) -> Load:
    """Do the same with transformers, all streams in one batch, which is its fastest way."""
    prompts = _prompts(engine, streams, prompt)
    stamps: list[float] = []
    meter = _Meter()
    started = time.perf_counter()
    for _ in engine.decode_together(prompts, answer):
        stamps.append(time.perf_counter())
    return _load(streams, prompt, [stamps] * streams, [answer] * streams, started, meter)


def _load(
    streams: int,
    prompt: int,
    times: Sequence[Sequence[float]],
    counts: Sequence[int],
    started: float,
    meter: "_Meter",
) -> Load:
    ended = time.perf_counter()
    cpu, joules = meter.stop()
    firsts = sorted(stamps[0] - started for stamps in times if stamps)
    last_first = firsts[-1] if firsts else ended - started
    # events per token may be fewer than tokens (parts of characters): share them out evenly
    after = sum(
        count * sum(stamp - started > last_first for stamp in stamps) / max(len(stamps), 1)
        for count, stamps in zip(counts, times, strict=True)
    )
    return Load(
        streams=streams,
        prompt_tokens=prompt,
        answer_tokens=sum(counts),
        first_seconds=firsts[len(firsts) // 2] if firsts else 0.0,
        prefill=streams * prompt / last_first,
        decode=after / max(ended - started - last_first, 1e-9),
        seconds=ended - started,
        cpu_seconds=cpu,
        joules=joules,
    )


def _prompts(engine: Engine, streams: int, length: int) -> list[list[int]]:
    """Return prompts of exactly `length` ids, no two with a common beginning."""
    text = engine.tokenize("\n\n".join(SAMPLE[:4]))
    long = text * (2 + (length + 7 * streams) // len(text))
    start = engine.encode("a")[: -len(engine.tokenize("a"))] or []
    return [
        [*start, *long[7 * number : 7 * number + length - len(start)]] for number in range(streams)
    ]


class _Meter:
    """Processor time and energy from here to `stop`."""

    def __init__(self) -> None:
        self._cpu, self._joules = time.process_time(), energy()

    def stop(self) -> tuple[float, float | None]:
        now = energy()
        joules = None if now is None or self._joules is None else now - self._joules
        return time.process_time() - self._cpu, joules if joules is None or joules >= 0 else None


def energy(root: Path = Path("/sys/class/powercap")) -> float | None:
    """Return what the processor packages' energy meters (RAPL) say, in joules; None: no meter."""
    total, found = 0, False
    for meter in root.glob("intel-rapl:*"):
        if meter.name.count(":") != 1:
            continue  # a part of a package that is counted already
        try:
            total += int((meter / "energy_uj").read_text())
            found = True
        except (OSError, ValueError):
            return None
    return total / 1e6 if found else None


def memory_bytes() -> dict[str, int]:
    """Return the memory this process holds now and held at most, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return {"resident": peak, "peak": peak}
    fields = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    return {"resident": int(fields["VmRSS"]) * 1024, "peak": int(fields["VmHWM"]) * 1024}


def read_bandwidth(threads: int) -> float:
    """Return how many bytes a second `threads` threads read from memory, the best of three."""
    per_thread = _PROBE_BYTES // 4 // max(1, threads)
    arrays = [np.ones(per_thread, np.float32) for _ in range(threads)]
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(_PROBES):
            started = time.perf_counter()
            list(pool.map(_touch, arrays))
            best = max(best, 4 * per_thread * threads / (time.perf_counter() - started))
    return best


def _touch(array: np.ndarray) -> float:
    half = array.size // 2
    return float(np.dot(array[:half], array[half : 2 * half]))


def bytes_per_token_of_file(file: GgufFile, positions: int) -> int:
    """Return the bytes that one token reads: weights, and keys and values of `positions`."""
    from solarmini.export.memory import memory_of_file

    tied = "output.weight" not in file.tensors
    weights = sum(
        tensor.nbytes
        for name, tensor in file.tensors.items()
        if name != "token_embd.weight" or tied
    )
    cache = memory_of_file(file, 256).cache // 256
    return weights + cache * positions


def bytes_per_token_of_folder(folder: Path, positions: int, width: int) -> int:
    """Return the same for transformers with elements of `width` bytes."""
    checkpoint = Checkpoint.open(folder)
    config = checkpoint.config
    heads = int(config.get("num_attention_heads", 1))
    head = int(config.get("head_dim") or config["hidden_size"] // heads)
    keys = int(config.get("num_key_value_heads") or heads) * head
    tied = "lm_head.weight" not in checkpoint.tensors
    weights = sum(
        tensor.count
        for name, tensor in checkpoint.tensors.items()
        if tied or "embed_tokens" not in name
    )
    return width * (weights + 2 * keys * int(config["num_hidden_layers"]) * positions)


def fitting(streams: Iterable[int], context: int, prompt: int, answer: int) -> list[int]:
    """Return the stream counts, smallest first; prompt and answer must fit into the context."""
    from solarmini.engine.interface import ContextLengthError

    if prompt + answer > context:
        raise ContextLengthError(prompt, answer, context)
    return sorted(set(streams))
