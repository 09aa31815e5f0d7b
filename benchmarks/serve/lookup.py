"""What the two savings of a context bring: prompt lookup and the prefix cache."""

import random
import statistics
import time
from itertools import takewhile
from pathlib import Path
from typing import Any

from solarmini.engine.interface import GenerationSettings, Prompt
from solarmini.engine.llama import LlamaEngine
from solarmini.growth.sample_text import SAMPLE

CODE = '''def read_config(path):
    """Read settings from a file."""
    settings = {}
    with open(path) as handle:
        for line in handle:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            key, _, value = line.partition("=")
            settings[key.strip()] = value.strip()
    return settings


def write_config(path, settings):
    """Write settings to a file."""
    with open(path, "w") as handle:
        for key, value in sorted(settings.items()):
            handle.write(f"{key} = {value}\\n")
'''


BEGIN = 40  # characters of a quotation that are given, up to the end of a word
SOURCES = SAMPLE[:3]
COPIES = 3


def _begun(text: str) -> int:
    return text.rindex(" ", 0, BEGIN)


def _source_and_begin(text: str) -> str:
    """Ask for a quotation as a language model is asked: the source, and how its copy begins."""
    return f"{text}\n\n" * COPIES + text[: _begun(text)]


def _quoted(answers: list[str]) -> float:
    """Return the share of the answers that is their source, letter for letter from its start."""
    same = 0
    for source, answer in zip(SOURCES, answers, strict=True):
        letters = zip(source[_begun(source) :], answer, strict=False)
        same += sum(1 for _ in takewhile(lambda both: both[0] == both[1], letters))
    return same / sum(map(len, answers))


# a small model quotes reliably when it is shown how; instructed copying is measured apart, since
# there it leaves the source after a few words
KINDS: dict[str, tuple[Prompt, ...]] = {
    "quoting": tuple(map(_source_and_begin, SOURCES)),
    "instructed copying": tuple(
        [{"role": "user", "content": text}]
        for text in (
            f"Repeat the following code exactly, without any change:\n\n{CODE}",
            f"Quote the following text word for word:\n\n{SAMPLE[0]}\n\n{SAMPLE[1]}",
            f"Print this code with the function read_config renamed to load_settings:\n\n{CODE}",
        )
    ),
    "prose": tuple(
        [{"role": "user", "content": text}]
        for text in (
            "Write a short story about a fox and a lighthouse keeper.",
            "Explain why the sky is blue.",
            "Give me three tips for sleeping better.",
        )
    ),
}


# attention and guessing: what small models get, and what guessing is measured against
WAYS: dict[str, dict[str, Any]] = {
    "plain": {"attention": "plain"},
    "flash": {"attention": "flash", "speculate": False},
    "lookup": {"attention": "flash", "speculate": True},
}

# of each kind of answer: tokens per CPU-second, the answers, tokens and guesses
Run = dict[str, tuple[float, list[str], dict[str, int]]]


def measure_lookup(path: Path, threads: int, answer: int, rounds: int) -> dict[str, Any]:
    """Return decode rates (tokens per CPU-second) of `WAYS`, and lookup's over flash attention's.

    The machine's speed changes from minute to minute: the ratio is the median of those within a
    round, the rates are medians over the rounds. `identical` says that all greedy answers with
    lookup are the same bytes as without, `quoted` which share of the quoting answers is quoted.
    """
    runs: dict[str, list[Run]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, made in runs.items():
            made.append(_answers(path, WAYS[way], threads, answer))
    found = {}
    for kind in KINDS:
        rates = {way: [run[kind][0] for run in made] for way, made in runs.items()}
        pairs = zip(rates["lookup"], rates["flash"], strict=True)
        found[kind] = {way: statistics.median(several) for way, several in rates.items()}
        found[kind]["ratio"] = statistics.median(one / other for one, other in pairs)
        found[kind] |= runs["lookup"][-1][kind][2]
    said = {way: [made[-1][kind][1] for kind in KINDS] for way, made in runs.items()}
    return {
        "tokens_per_cpu_second": found,
        "identical": said["lookup"] == said["flash"],
        "quoted": _quoted(runs["lookup"][-1]["quoting"][1]),
    }


def _answers(path: Path, reading: dict[str, Any], threads: int, answer: int) -> Run:
    run: Run = {}
    with LlamaEngine(path, context=2048, threads=threads, **reading) as engine:
        for kind, prompts in KINDS.items():
            limits = [answer] * len(prompts)
            if kind == "quoting":  # what comes after the end of a source is no quotation
                left = [len(engine.tokenize(source[_begun(source) :])) for source in SOURCES]
                limits = [min(answer, each) for each in left]
            run[kind] = _answer(engine, prompts, limits)
    return run


def _answer(
    engine: LlamaEngine, prompts: tuple[Prompt, ...], limits: list[int]
) -> tuple[float, list[str], dict[str, int]]:
    seconds, tokens, texts = 0.0, 0, []
    counts = {"tokens": 0, "drafted": 0, "accepted": 0}
    for prompt, limit in zip(prompts, limits, strict=True):
        generation = engine.generate(prompt, GenerationSettings(max_tokens=limit))
        parts, first, last = [], 0.0, 0.0
        for event in generation.events():
            last = time.process_time()
            first = first or last
            parts.append(event.text)
        seconds += last - first
        tokens += generation.completion_tokens - 1
        counts["tokens"] += generation.completion_tokens
        counts["drafted"] += generation.drafted
        counts["accepted"] += generation.accepted
        texts.append("".join(parts))
    return tokens / max(seconds, 1e-9), texts, counts


def measure_prefix(path: Path, threads: int, prompt: int, rounds: int = 3) -> dict[str, float]:
    """Return CPU-seconds until the first token of a new prompt, and of one with a new end only."""
    fresh = min(16, prompt // 4)
    cold, warm, cached = [], [], 0
    with LlamaEngine(path, context=prompt + 32, threads=threads, speculate=False) as engine:
        words = sorted(set(engine.tokenize(" ".join(SAMPLE))))
        for number in range(rounds):
            chance = random.Random(number)
            begin = chance.choices(words, k=prompt - fresh)
            for times in (cold, warm):
                ids = begin + chance.choices(words, k=fresh)
                generation = engine.generate(ids, GenerationSettings(max_tokens=1, ignore_end=True))
                started = time.process_time()
                generation.text()
                times.append(time.process_time() - started)
            cached = generation.cached_tokens
    first, again = statistics.median(cold), statistics.median(warm)
    return {"cold": first, "cached": again, "ratio": again / first, "cached_tokens": cached}
