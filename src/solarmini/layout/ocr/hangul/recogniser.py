"""Reads Korean and Latin lines with the network in `korean_latin.onnx`.

The network is PP-OCRv6's smallest text recogniser (PaddleOCR, Apache-2.0) with a last layer over
an alphabet of our own, trained on drawn lines by `training/hangul`.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from solarmini.errors import DocumentError
from solarmini.layout.networks import open_session
from solarmini.layout.ocr.pixels import resize
from solarmini.layout.ocr.recogniser import RecognisedLine, batches_by_width, decode

FOLDER = Path(__file__).parent
WEIGHTS = FOLDER / "korean_latin.onnx"
CHARACTERS = FOLDER / "characters.txt"


def read_characters(path: Path) -> list[str]:
    """One character a line, in the order of the network's classes after the blank."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]


class LineRecogniser:
    """Reads Hangul, the commonest Hanja, Latin letters, digits and signs.

    The weights are loaded at the first call. Raises DocumentError there if a file is missing or
    the two do not belong together.
    """

    height = 48
    batch_pixels = 6400  # summed width of a batch

    def __init__(self, weights: Path = WEIGHTS, characters: Path = CHARACTERS) -> None:
        self.weights = weights
        self.characters = characters

    @cached_property
    def _session(self) -> Any:
        for path in (self.weights, self.characters):
            if not path.is_file():
                raise DocumentError(
                    "a file of the Korean line recogniser is missing",
                    where=path,
                    mend="install the package again, or run training/hangul/export.py",
                )
        return open_session(self.weights)

    @cached_property
    def letters(self) -> list[str]:
        """What the classes stand for; the first, the blank, for nothing."""
        letters = ["", *read_characters(self.characters)]
        classes = self._session.get_outputs()[0].shape[-1]
        if classes != len(letters):
            raise DocumentError(
                f"weights of {classes} classes with a list of {len(letters) - 1} characters",
                where=self.characters,
                mend="use the list that was written with the weights",
            )
        return letters

    def __call__(self, crops: Sequence[np.ndarray]) -> list[RecognisedLine]:
        """Return the text of uint8 RGB crops (height, width, 3), in their order."""
        read: list[RecognisedLine | None] = [None] * len(crops)
        name = self._session.get_inputs()[0].name
        for indices, widths, wide in batches_by_width(crops, self.height, self.batch_pixels):
            batch = np.zeros((len(indices), 3, self.height, wide), dtype=np.float32)
            for row, (index, width) in enumerate(zip(indices, widths, strict=True)):
                small = resize(crops[index], width, self.height)
                batch[row, :, :, :width] = small.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
            output = self._session.run(None, {name: batch})[0]
            for row, (index, width) in enumerate(zip(indices, widths, strict=True)):
                # steps beyond the line see padding only
                steps = -(-width // 8)
                share = width / (8 * steps)
                read[index] = decode(output[row, :steps], self.letters, share)
        return [line for line in read if line is not None]
