"""The engines that read pictures, and the rule that chooses one.

`auto`: the engine of this package (its own detector and recognisers for Latin and Hangul) reads
everything it was made for, English and Korean; a language beyond these is read by Tesseract where
it is installed with that language, else it is an error that says so. `rapidocr` runs the larger
PP-OCRv6 models of the `rapidocr` package: slower, a little more exact in English, no Korean.
`tesseract` runs the program of that name.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from solarmini.errors import DocumentError
from solarmini.layout.ocr.detect import Spot, TextDetector
from solarmini.layout.ocr.pieces import Piece, pieces_of, turned_over
from solarmini.layout.ocr.reading import Budget, Engine, ReadLine
from solarmini.layout.ocr.recogniser import (
    PaddleRecogniser,
    RecognisedLine,
    Recogniser,
)
from solarmini.layout.ocr.scripts import ScriptRecogniser
from solarmini.layout.ocr.words import line_of

ENGINES = ("auto", "own", "rapidocr", "tesseract")
OWN_LANGUAGES = frozenset({"en", "ko"})
GROUP = 32  # pieces read between two looks at the clock


class OnnxEngine:
    """Detector and recogniser networks, run by onnxruntime."""

    def __init__(self, name: str, detector: TextDetector, recogniser: Recogniser) -> None:
        self.name = name
        self.detector = detector
        self.recogniser = recogniser

    def read(
        self, image: np.ndarray, spots: list[Spot] | None, budget: Budget
    ) -> tuple[list[ReadLine], int]:
        """Return the lines on a uint8 RGB picture, and how many pieces were left unread."""
        found = self.detector.find(image) if spots is None else spots
        pieces = pieces_of(image, found)
        return self.read_pieces(pieces, budget)

    def read_pieces(self, pieces: list[Piece], budget: Budget) -> tuple[list[ReadLine], int]:
        """Return the lines of `pieces`, and how many were left unread."""
        lines: list[ReadLine] = []
        # groups of like shape, so that batches within them are full
        order = sorted(pieces, key=lambda p: p.crop.shape[1] / max(p.crop.shape[0], 1))
        for start in range(0, len(order), GROUP):
            if budget.spent():
                return lines, len(order) - start
            group = order[start : start + GROUP]
            for piece, read in zip(group, self.recogniser([p.crop for p in group]), strict=True):
                best = self._better_way_up(piece, read)
                if best is not None:
                    lines.append(best)
        return lines, 0

    def _better_way_up(self, piece: Piece, read: RecognisedLine) -> ReadLine | None:
        """Text that runs upward or downward is read both ways."""
        if piece.angle:
            other = turned_over(piece)
            again = self.recogniser([other.crop])[0]
            if again.confidence > read.confidence:
                piece, read = other, again
        return line_of(piece, read)


@lru_cache
def _own(languages: tuple[str, ...]) -> OnnxEngine:
    return OnnxEngine("own", TextDetector("det-tiny"), ScriptRecogniser(languages))


@lru_cache
def _rapidocr() -> OnnxEngine:
    return OnnxEngine("rapidocr", TextDetector("det-small"), PaddleRecogniser("rec-small"))


def choose_engine(name: str = "auto", languages: Sequence[str] = ("en", "ko")) -> Engine:
    """Return the engine `name` for `languages` (ISO 639-1 codes).

    Raises DocumentError for a name that is none of ENGINES, and for languages it cannot read;
    MissingExtraError where its package or program is not installed.
    """
    from solarmini.layout.ocr.tesseract import TesseractEngine

    if name not in ENGINES:
        raise DocumentError(
            f"there is no OCR engine '{name}'", mend=f"one of: {', '.join(ENGINES)}"
        )
    beyond = sorted(set(languages) - OWN_LANGUAGES)
    if name == "tesseract" or (name == "auto" and beyond):
        return TesseractEngine(tuple(languages), _own(("en",)))
    if beyond:
        raise DocumentError(
            f"the OCR engine '{name}' does not read {', '.join(beyond)}",
            mend="languages en and ko, or --ocr-engine tesseract with its language data installed",
        )
    return _rapidocr() if name == "rapidocr" else _own(tuple(sorted(set(languages))))
