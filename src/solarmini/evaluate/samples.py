"""What models answer to fixed prompts: the part of the proof that a person can judge."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from solarmini.artifact import describe_parent
from solarmini.checkpoint.atomic import write_file_atomic
from solarmini.config import Settings
from solarmini.errors import EvaluateError, OutputError
from solarmini.evaluate.records import now

if TYPE_CHECKING:
    from solarmini.engine.interface import Engine, GenerationSettings

SCHEMA_VERSION = 1
DEFAULT_PROMPTS = (
    "What is the capital of South Korea?",
    "Give me three tips for sleeping better.",
    "Explain in two sentences why the sky is blue.",
    "Write a Python function that returns the larger of two numbers.",
    "대한민국의 수도는 어디인가요?",
    "아침에 일찍 일어나는 방법을 두 가지 알려 주세요.",
)


class SampleSettings(Settings):
    """How the answers are made. Greedy by default, so that they can be made again."""

    prompts: tuple[str, ...] = DEFAULT_PROMPTS
    template: str = "model"
    max_tokens: int = 96
    temperature: float = 0.0
    seed: int = 0


class Sample(Settings):
    """One prompt and one answer; `cut_off` when it was still going on at the last token."""

    prompt: str
    answer: str
    tokens: int
    cut_off: bool
    seconds: float


class SampleSet(Settings):
    """The answers of one model, as one JSON file."""

    schema_version: int = SCHEMA_VERSION
    model: str
    fingerprint: str | None
    stage: str
    template: str
    template_sha256: str | None
    max_tokens: int
    temperature: float
    seed: int
    date: str
    samples: tuple[Sample, ...]


def make_samples(model_dir: Path, settings: SampleSettings) -> SampleSet:
    """Let a model answer the prompts, each as a conversation of its own."""
    from solarmini.engine.interface import GenerationSettings
    from solarmini.engine.local import TransformersEngine

    if not settings.prompts:
        raise EvaluateError("there are no prompts", mend="give at least one")
    generation = GenerationSettings(
        max_tokens=settings.max_tokens, temperature=settings.temperature, seed=settings.seed
    )
    with TransformersEngine(model_dir, template=settings.template) as engine:
        samples = [_answer(engine, prompt, generation) for prompt in settings.prompts]
        chat = engine.chat
    about = describe_parent(model_dir)
    return SampleSet(
        model=about.name,
        fingerprint=about.fingerprint,
        stage=about.stage,
        template=chat.name,
        template_sha256=chat.sha256,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        seed=settings.seed,
        date=now(),
        samples=tuple(samples),
    )


def _answer(engine: "Engine", prompt: str, settings: "GenerationSettings") -> Sample:
    running = engine.generate([{"role": "user", "content": prompt}], settings)
    text = "".join(running)
    return Sample(
        prompt=prompt,
        answer=text.strip(),
        tokens=running.completion_tokens,
        cut_off=running.finish_reason == "length",
        seconds=round(running.seconds, 2),
    )


def write_samples(path: Path, samples: SampleSet, *, overwrite: bool = False) -> None:
    """Write the answers in one step; OutputError if the file exists already."""
    if path.exists() and not overwrite:
        raise OutputError("the file of samples exists already", where=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file_atomic(path, samples.model_dump_json(indent=1) + "\n")


def read_samples(path: Path) -> SampleSet:
    """Read a file of answers; EvaluateError when it is missing or not one."""
    try:
        return SampleSet.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EvaluateError("there is no such file of samples", where=path) from None
    except (UnicodeDecodeError, ValidationError) as error:
        raise EvaluateError(f"not a file of samples: {error}", where=path) from None


def prompts_in(samples: Sequence[SampleSet]) -> list[str]:
    """Return all prompts of several models in the order they first appear."""
    return list(dict.fromkeys(sample.prompt for one in samples for sample in one.samples))
