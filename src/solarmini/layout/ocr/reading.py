"""What an engine returns: words on lines, in pixels of the picture that it read."""

import time
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from solarmini.layout.ocr.detect import Spot, TextDetector
from solarmini.layout.ocr.pixels import Rect
from solarmini.layout.ocr.recogniser import Recogniser


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word: its text, its place on the picture, and how sure the reader is (0..1)."""

    text: str
    rect: Rect
    confidence: float


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line of words. `angle` is the direction of reading: 0, 90 (downward) or 270 (upward).

    `size` is the font size and `stroke` the weight of its letters (mean run of ink over the size;
    0 unknown), both from its ink; `baseline` is a row of the picture (a column of a turned line).
    """

    words: tuple[ReadWord, ...]
    rect: Rect
    confidence: float
    size: float
    baseline: float
    angle: int = 0
    stroke: float = 0.0
    color: int = 0

    @property
    def text(self) -> str:
        """The words with spaces between."""
        return " ".join(word.text for word in self.words)


@dataclass(slots=True)
class Budget:
    """Processor time that one page may use; `spent()` says when it is over."""

    seconds: float
    started: float = field(default_factory=time.process_time)

    def spent(self) -> bool:
        """Whether the time is over."""
        return time.process_time() - self.started > self.seconds

    @property
    def left(self) -> float:
        """Seconds that are left, 0 when over."""
        return max(self.seconds - (time.process_time() - self.started), 0.0)


class Engine(Protocol):
    """Reads pictures whose text is level and upright.

    `detector` and `recogniser` serve to find out how a page lies, whatever reads it afterwards.
    """

    name: str
    detector: TextDetector
    recogniser: Recogniser

    def read(
        self, image: np.ndarray, spots: list[Spot] | None, budget: Budget
    ) -> tuple[list[ReadLine], int]:
        """Return the lines on a uint8 RGB picture, and how many were left unread for want of time.

        `spots` are pieces of text found on this picture already; None has the engine look.
        """
        ...
