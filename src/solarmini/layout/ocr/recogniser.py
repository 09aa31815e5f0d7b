"""Reads the text of line pictures: the protocol of a recogniser, and one that runs PP-OCR models.

A recogniser is a network with a CTC head (Graves et al., ICML 2006): a row of letter
probabilities along the line, decoded greedily: repeats are merged, blanks dropped.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from solarmini.layout.networks import open_session
from solarmini.layout.ocr.pixels import resize
from solarmini.layout.ocr.weights import need_model


@dataclass(frozen=True, slots=True)
class RecognisedLine:
    """The text of one line picture.

    `positions` holds for each character its middle, in fractions of the picture's width;
    `confidences` the probability of each; `confidence` their mean, 0 of an empty text.
    """

    text: str
    confidence: float
    positions: tuple[float, ...]
    confidences: tuple[float, ...] = ()


class Recogniser(Protocol):
    """Reads pictures of one line each."""

    def __call__(self, crops: Sequence[np.ndarray]) -> list[RecognisedLine]:
        """Return the text of uint8 RGB crops (height, width, 3), in their order."""
        ...


def batches_by_width(
    crops: Sequence[np.ndarray], height: int, pixels: int
) -> Iterator[tuple[list[int], list[int], int]]:
    """Group crops of similar shape: yields (indices, width of each, width of the batch).

    Widths are those at `height` pixels; a batch is at most `pixels` wide in total, so that memory
    is bounded, and padding within it at most an eighth or 32 pixels.
    """
    widths = [max(round(c.shape[1] * height / max(c.shape[0], 1)), 16) for c in crops]
    widths = [min(width, pixels) for width in widths]
    order = sorted(range(len(crops)), key=lambda i: -widths[i])
    start = 0
    while start < len(order):
        widest = widths[order[start]]
        end = start + 1
        while (
            end < len(order)
            and (end + 1 - start) * widest <= pixels
            and widths[order[end]] >= min(widest * 7 / 8, widest - 32)
        ):
            end += 1
        chosen = order[start:end]
        yield chosen, [widths[i] for i in chosen], -(-widest // 8) * 8
        start = end


def decode(probabilities: np.ndarray, letters: Sequence[str], share: float) -> RecognisedLine:
    """Decode (steps, letters) CTC probabilities whose class 0 is the blank.

    `share` is the part of the picture's width that is the line; the rest is padding.
    """
    best = probabilities.argmax(axis=1)
    sure = probabilities[np.arange(len(best)), best]
    changes = np.flatnonzero(np.diff(best, prepend=-1))
    ends = np.append(changes[1:], len(best))
    text, positions, confidences = [], [], []
    for start, end in zip(changes, ends, strict=True):
        if best[start] == 0:
            continue
        text.append(letters[best[start]])
        positions.append(float(min((start + end) / 2 / len(best) / share, 1.0)))
        confidences.append(float(sure[start:end].max()))
    joined = "".join(text)
    if len(joined) != len(positions):  # letters of more than one code point
        positions = [p for p, letter in zip(positions, text, strict=True) for _ in letter]
        confidences = [c for c, letter in zip(confidences, text, strict=True) for _ in letter]
    mean = float(np.mean(confidences)) if confidences else 0.0
    return RecognisedLine(joined, mean, tuple(positions), tuple(confidences))


class PaddleRecogniser:
    """A PP-OCR recognition model in ONNX form, its letters limited to Latin script.

    `model` is "rec-tiny" or "rec-small". Classes of other scripts are left out of the decision,
    which keeps look-alikes (a full-width colon, a Han stroke for "l") out of English text.
    """

    height = 48
    batch_pixels = 4096  # summed width of a batch

    def __init__(self, model: str) -> None:
        self.model = model

    @cached_property
    def _session(self) -> Any:
        return open_session(need_model(self.model))

    @cached_property
    def _letters(self) -> tuple[np.ndarray, list[str]]:
        """Classes kept, the blank first, and their letters."""
        meta = self._session.get_modelmeta().custom_metadata_map
        letters = ["", *meta["character"].splitlines(), " "]
        kept = [0] + [i for i, c in enumerate(letters) if i and is_latin(c)]
        return np.array(kept), [unicodedata.normalize("NFC", letters[i]) for i in kept]

    def __call__(self, crops: Sequence[np.ndarray]) -> list[RecognisedLine]:
        """Return the text of uint8 RGB crops (height, width, 3), in their order."""
        read: list[RecognisedLine | None] = [None] * len(crops)
        kept, letters = self._letters
        name = self._session.get_inputs()[0].name
        for indices, widths, wide in batches_by_width(crops, self.height, self.batch_pixels):
            batch = np.zeros((len(indices), self.height, wide, 3), dtype=np.float32)
            for row, (index, width) in enumerate(zip(indices, widths, strict=True)):
                small = resize(crops[index], width, self.height)
                batch[row, :, :width] = small[:, :, ::-1].astype(np.float32) / 127.5 - 1
            output = self._session.run(None, {name: batch.transpose(0, 3, 1, 2)})[0]
            for row, (index, width) in enumerate(zip(indices, widths, strict=True)):
                read[index] = decode(output[row][:, kept], letters, width / wide)
        return [line for line in read if line is not None]


def is_latin(letter: str) -> bool:
    """Whether a letter occurs in text of Latin script: its letters, digits, signs, Greek."""
    if letter == " ":
        return True
    return all(
        ord(c) < 0x2E80 and not 0x0400 <= ord(c) < 0x1E00 and c.isprintable() for c in letter
    )
