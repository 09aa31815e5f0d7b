"""What a check answers: one label and score for the answer, and the same for each claim."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Label = Literal["grounded", "notGrounded", "notSure"]


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of passage number `passage` (0 where the context is one text)."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of the answer: its characters [start, end), and how the context bears it out.

    `support` is the passage's sentence (or two neighbouring ones) that says most of it, None where
    no word of it is found. `problems` name what speaks against it: values of the claim for which
    the support has others, statements that it denies.
    """

    text: str
    start: int
    end: int
    label: Label
    score: float
    support: Span | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer says only what its context says; `score` 0 (no) to 1 (yes)."""

    label: Label
    score: float
    claims: tuple[Claim, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return asdict(self)
