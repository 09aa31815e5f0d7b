"""Whether an exported file is the model it was made of, measured before it gets its name.

The engine that will run the file reads a few texts (teacher forcing: each position sees the true
words before it). A file of rounded floats must choose the likeliest token that transformers
chooses; a quantised file may differ, and what it costs is stated as a ratio of perplexities.
llama.cpp must also cut text into the same tokens, since other programs will let it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from solarmini.checkpoint.reader import Checkpoint
from solarmini.engine.interface import Engine, Trace
from solarmini.engine.llama import LlamaEngine
from solarmini.errors import ExportError
from solarmini.export.quant import Quant
from solarmini.growth.sample_text import SAMPLE

LEAST_AGREEMENT = 0.99
WORST_RATIO = 2.0  # a file that loses more than this is not a smaller model but a broken one
_TEXT_TOKENS = 96
_TRICKY = (
    "x  y   z\n\n\n  indented\n\ttab 1234567890 3.14 0xff",
    "It's we'll I'D don't 'tis  #%@!? e-mail@example.com https://a.b/c?d=e&f",
    "안녕하세요. 한국어 문장 2개입니다! 日本語 café naïve Ω ≤ 🙂👩‍👩‍👧",
    " leading space and trailing space ",
    "def f(a, b):\n    return a+b  # sum\n",
)


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """What the comparison found.

    `agreement` is the share of positions whose likeliest token is the same, `ratio` the file's
    perplexity over that of transformers in float32; both None when the model is too large to be
    loaded there, which `compared` says. `texts_cut_otherwise` counts texts that llama.cpp's own
    tokenizer reads as other tokens.
    """

    positions: int
    perplexity: float
    compared: bool
    reference_perplexity: float | None
    agreement: float | None
    ratio: float | None
    texts_cut_otherwise: int
    texts: int

    def to_dict(self) -> dict[str, Any]:
        """Return all figures, for JSON."""
        return asdict(self)


def check_gguf(
    path: Path, folder: Path, quant: Quant, *, threads: int | None = None
) -> Faithfulness:
    """Compare the file at `path` with the model in `folder`; ExportError when they differ."""
    with LlamaEngine(path, threads=threads, lazy=True) as engine:
        limit = min(_TEXT_TOKENS, engine.context_length)
        rows = [ids for text in SAMPLE if len(ids := engine.encode(text)[:limit]) > 2]
        ours = _read(engine, rows)
        battery = [*SAMPLE, *_TRICKY]
        otherwise = sum(engine.native_tokens(text) != engine.tokenize(text) for text in battery)
    theirs = _reference(folder, rows)
    found = _compare(ours, theirs, otherwise, len(battery))
    _judge(found, quant, path)
    return found


def _read(engine: Engine, rows: Sequence[Sequence[int]]) -> list[Trace]:
    return [engine.trace(ids[:1], ids[1:]) for ids in rows]


def _reference(folder: Path, rows: Sequence[Sequence[int]]) -> list[Trace] | None:
    """Read the texts with transformers in float32; None when that does not fit into memory."""
    import psutil

    need = Checkpoint.open(folder).parameter_count * 4
    if need * 1.2 > psutil.virtual_memory().available:
        return None
    from solarmini.engine.local import TransformersEngine

    with TransformersEngine(folder, device="cpu", precision="fp32") as engine:
        return _read(engine, rows)


def _compare(
    ours: Sequence[Trace], theirs: Sequence[Trace] | None, otherwise: int, texts: int
) -> Faithfulness:
    positions = sum(len(trace.logprobs) for trace in ours)
    perplexity = _perplexity(ours)
    if theirs is None:
        return Faithfulness(positions, perplexity, False, None, None, None, otherwise, texts)
    same = sum(
        mine == other
        for one, two in zip(ours, theirs, strict=True)
        for mine, other in zip(one.best, two.best, strict=True)
    )
    reference = _perplexity(theirs)
    return Faithfulness(
        positions,
        perplexity,
        True,
        reference,
        same / positions,
        perplexity / reference,
        otherwise,
        texts,
    )


def _perplexity(traces: Sequence[Trace]) -> float:
    values = [value for trace in traces for value in trace.logprobs]
    return math.exp(-sum(values) / len(values))


def _judge(found: Faithfulness, quant: Quant, path: Path) -> None:
    fail: Callable[[str, str], ExportError] = lambda what, mend: ExportError(  # noqa: E731
        what, where=path.name, mend=mend
    )
    if not math.isfinite(found.perplexity):
        raise fail("the written file gives no finite probabilities", "choose more bits")
    if found.agreement is not None and quant.name in ("f32", "f16"):
        if found.agreement < LEAST_AGREEMENT:
            raise fail(
                f"the written file chooses the same token as transformers at only "
                f"{found.agreement:.1%} of {found.positions} positions",
                "values too small or large for 16 bits? try --quant f32",
            )
    elif found.ratio is not None and found.ratio > WORST_RATIO:
        raise fail(
            f"the written file's perplexity is {found.ratio:.2f} times the model's",
            "choose more bits, such as --quant q8_0",
        )
    if found.texts_cut_otherwise:
        raise fail(
            f"llama.cpp cuts {found.texts_cut_otherwise} of {found.texts} texts into other tokens "
            "than the model's tokenizer",
            "--no-check writes it all the same: solar sends the tokens of the model's own "
            "tokenizer, other programs will not",
        )
