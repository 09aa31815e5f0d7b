"""How fast an engine answers, in how much memory, and how near that is to what memory allows.

Making one token reads every weight once, so the memory's read bandwidth divided by the bytes a
token touches is the most a machine can do; the fraction of it that is reached says how good the
engine is on that machine, whatever the machine.
"""

import random
import resource
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.checkpoint.reader import Checkpoint
from solarmini.engine.interface import Engine, GenerationSettings
from solarmini.growth.sample_text import SAMPLE

if TYPE_CHECKING:
    from solarmini.engine.local import TransformersEngine

_PROBE_BYTES = 256 * 2**20
_PROBES = 3
Clock = Callable[[], float]


class Tokenizes(Protocol):
    """The part of an engine that prompts are made with."""

    def tokenize(self, text: str) -> list[int]:
        """Return the ids of a plain text."""
        ...

    def encode(self, prompt: str) -> list[int]:
        """Return all ids of a prompt."""
        ...


@dataclass(frozen=True, slots=True)
class Load:
    """How an engine did with `streams` answers at once.

    Rates are tokens per second of wall time over all streams: `prefill` until the last stream's
    first token, `decode` after it; `prefill_per_cpu` and `decode_per_cpu` are the same per second
    of processor time, which other programs on the machine disturb less. `first_seconds` is the
    median time to a stream's first token. `cpu_seconds` is processor time of all threads; `joules`
    what the processor's meter counted (None where it cannot be read).
    """

    streams: int
    prompt_tokens: int
    answer_tokens: int
    first_seconds: float
    prefill: float
    decode: float
    prefill_per_cpu: float
    decode_per_cpu: float
    seconds: float
    cpu_seconds: float
    joules: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return all figures, for JSON."""
        return asdict(self)


class Stamps:
    """When one stream's pieces came: wall time of each, processor time of the first."""

    def __init__(self, clock: Clock) -> None:
        self.times: list[float] = []
        self.first_cpu: float | None = None
        self._clock = clock

    def add(self) -> None:
        """A piece has come."""
        self.times.append(time.perf_counter())
        if self.first_cpu is None:
            self.first_cpu = self._clock()


def measure_streams(
    read: Callable[[int, Stamps], int],
    streams: int,
    prompt: int,
    clock: Clock = time.process_time,
) -> Load:
    """Let `streams` readers run at once: `read` stamps its stream's pieces, returns its tokens.

    `clock` is the processor time of whatever computes, in seconds.
    """
    stamps = [Stamps(clock) for _ in range(streams)]
    ready = threading.Barrier(streams + 1)

    def begin(number: int) -> int:
        ready.wait()
        return read(number, stamps[number])

    with ThreadPoolExecutor(streams) as pool:
        readers = [pool.submit(begin, number) for number in range(streams)]
        meter = _Meter(clock)
        ready.wait()
        counts = [reader.result() for reader in readers]
        return _load(prompt, stamps, counts, meter)


def measure_load(engine: Engine, streams: int, prompt: int, answer: int) -> Load:
    """Let `streams` readers ask at once for `answer` tokens after prompts of `prompt` tokens."""
    prompts = make_prompts(engine, streams, prompt)
    settings = GenerationSettings(max_tokens=answer, ignore_end=True)

    def read(number: int, stamps: Stamps) -> int:
        generation = engine.generate(prompts[number], settings)
        for event in generation.events():
            if event.text:
                stamps.add()
        return generation.completion_tokens

    return measure_streams(read, streams, prompt)


def measure_together(engine: "TransformersEngine", streams: int, prompt: int, answer: int) -> Load:
    """Do the same with transformers, all streams in one batch, which is its fastest way."""
    prompts = make_prompts(engine, streams, prompt)
    stamps = Stamps(time.process_time)
    meter = _Meter(time.process_time)
    for _ in engine.decode_together(prompts, answer):
        stamps.add()
    return _load(prompt, [stamps] * streams, [answer] * streams, meter)


def _load(prompt: int, stamps: Sequence[Stamps], counts: Sequence[int], meter: "_Meter") -> Load:
    ended = time.perf_counter()
    cpu, joules = meter.stop()
    started, streams = meter.started, len(stamps)
    firsts = sorted(one.times[0] - started for one in stamps if one.times)
    last_first = firsts[-1] if firsts else ended - started
    cpu_first = max((one.first_cpu for one in stamps if one.first_cpu is not None), default=0.0)
    cpu_first -= meter.cpu
    # events per token may be fewer than tokens (parts of characters): share them out evenly
    after = sum(
        count * sum(moment - started > last_first for moment in one.times) / max(len(one.times), 1)
        for count, one in zip(counts, stamps, strict=True)
    )
    return Load(
        streams=streams,
        prompt_tokens=prompt,
        answer_tokens=sum(counts),
        first_seconds=firsts[len(firsts) // 2] if firsts else 0.0,
        prefill=streams * prompt / last_first,
        decode=after / max(ended - started - last_first, 1e-9),
        prefill_per_cpu=streams * prompt / max(cpu_first, 1e-9),
        decode_per_cpu=after / max(cpu - cpu_first, 1e-9),
        seconds=ended - started,
        cpu_seconds=cpu,
        joules=joules,
    )


def make_prompts(engine: Tokenizes, streams: int, length: int) -> list[list[int]]:
    """Return prompts of exactly `length` ids: words in disorder, no two with a common beginning.

    What has no order has no repetitions, so that guessing by prompt lookup has nothing to go by.
    """
    words = sorted(set(engine.tokenize("\n\n".join(SAMPLE))))
    start = engine.encode("a")[: -len(engine.tokenize("a"))] or []
    prompts = []
    for number in range(streams):
        chance = random.Random(1000 * streams + number)
        prompts.append([*start, *chance.choices(words, k=length - len(start))])
    return prompts


class _Meter:
    """Wall time, processor time and energy from here to `stop`."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.cpu, self._joules = clock, clock(), energy()
        self.started = time.perf_counter()

    def stop(self) -> tuple[float, float | None]:
        now = energy()
        joules = None if now is None or self._joules is None else now - self._joules
        return self._clock() - self.cpu, joules if joules is None or joules >= 0 else None


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
