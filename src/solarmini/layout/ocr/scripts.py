"""One recogniser for text in Latin and Hangul: each line is read by the one that knows it."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from solarmini.layout.ocr.recogniser import PaddleRecogniser, RecognisedLine, Recogniser

DOUBT = 0.86  # mean confidence below which a Latin reading is doubted; of Hangul it is about .7
KOREAN = 0.2  # share of lines with Hangul from which all are shown to its recogniser
TRUST = 0.9  # a reading with Hangul stands if it has this share of the other's confidence


class ScriptRecogniser:
    """Reads Latin, and Hangul where Korean is among the languages.

    All lines are shown to the Latin recogniser, which is the best at English; those that it is not
    sure of, and all lines where many hold Hangul, to the Hangul recogniser too. Of two readings the
    one with Hangul stands if it is about as confident, else the more confident one.
    """

    def __init__(self, languages: tuple[str, ...]) -> None:
        self.languages = languages

    @cached_property
    def latin(self) -> Recogniser:
        """The recogniser of Latin text."""
        return PaddleRecogniser("rec-tiny")

    @cached_property
    def hangul(self) -> Recogniser | None:
        """The recogniser of Hangul and Latin text."""
        if "ko" not in self.languages:
            return None
        from solarmini.layout.ocr.hangul import LineRecogniser

        return LineRecogniser()

    def __call__(self, crops: Sequence[np.ndarray]) -> list[RecognisedLine]:
        """Return the text of uint8 RGB crops (height, width, 3), in their order."""
        read = self.latin(crops)
        if self.hangul is None:
            return read
        doubtful = [i for i, line in enumerate(read) if line.confidence < DOUBT]
        found = self._settle(crops, read, doubtful, self.hangul)
        if found >= max(KOREAN * len(crops), 1):
            seen = set(doubtful)
            rest = [i for i in range(len(crops)) if i not in seen]
            self._settle(crops, read, rest, self.hangul)
        return read

    @staticmethod
    def _settle(
        crops: Sequence[np.ndarray],
        read: list[RecognisedLine],
        chosen: list[int],
        hangul: Recogniser,
    ) -> int:
        """Put the better readings of the chosen lines into `read`; return how many hold Hangul."""
        found = 0
        for index, again in zip(chosen, hangul([crops[i] for i in chosen]), strict=True):
            korean = has_hangul(again.text)
            found += korean and again.confidence >= DOUBT
            if again.confidence > read[index].confidence * (TRUST if korean else 1.0):
                read[index] = again
        return found


def has_hangul(text: str) -> bool:
    """Whether a text holds a Hangul syllable."""
    return any("가" <= letter <= "힣" for letter in text)
