"""What the two savings of a context bring: prompt lookup and the prefix cache."""

import random
import statistics
import time
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


def _source_twice(text: str) -> str:
    """Ask for a quotation as a language model is asked: the source, and how its copy begins."""
    return f"{text}\n\n{text}\n\n{text[:40]}"


# a small model quotes reliably when it is shown how; instructed copying is measured apart, since
# there it leaves the source after a few words
KINDS: dict[str, tuple[Prompt, ...]] = {
    "quoting": tuple(map(_source_twice, (CODE, f"{SAMPLE[0]} {SAMPLE[1]}", SAMPLE[2]))),
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


def measure_lookup(path: Path, threads: int, answer: int, rounds: int = 3) -> dict[str, Any]:
    """Return decode rates (tokens per CPU-second) with and without lookup, and their ratio.

    Rounds alternate; the best of each counts. `identical` says that all greedy answers are the
    same bytes.
    """
    rates: dict[str, dict[bool, float]] = {kind: {True: 0.0, False: 0.0} for kind in KINDS}
    said: dict[bool, list[str]] = {}
    guesses: dict[str, dict[str, int]] = {}
    for _ in range(rounds):
        for speculate in (False, True):
            said[speculate] = []
            with LlamaEngine(path, context=2048, threads=threads, speculate=speculate) as engine:
                for kind, prompts in KINDS.items():
                    rate, texts, counts = _answer(engine, prompts, answer)
                    rates[kind][speculate] = max(rates[kind][speculate], rate)
                    said[speculate] += texts
                    if speculate:
                        guesses[kind] = counts
    return {
        "tokens_per_cpu_second": {
            kind: {
                "without": both[False],
                "with": both[True],
                "ratio": both[True] / both[False],
                **guesses[kind],
            }
            for kind, both in rates.items()
        },
        "identical": said[True] == said[False],
    }


def _answer(
    engine: LlamaEngine, prompts: tuple[Prompt, ...], answer: int
) -> tuple[float, list[str], dict[str, int]]:
    seconds, tokens, texts = 0.0, 0, []
    counts = {"tokens": 0, "drafted": 0, "accepted": 0}
    for prompt in prompts:
        generation = engine.generate(prompt, GenerationSettings(max_tokens=answer))
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
