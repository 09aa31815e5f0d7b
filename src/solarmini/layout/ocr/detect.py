"""Where text is on a picture: a differentiable-binarisation detector and its post-processing.

Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI 2020. The
network (PP-OCRv6 det) gives a map of text kernels, shrunk towards their middle; each connected
kernel is grown back to the box of its line.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from solarmini.layout.networks import open_session
from solarmini.layout.ocr.blobs import Blobs, find_blobs
from solarmini.layout.ocr.pixels import Rect, resize
from solarmini.layout.ocr.weights import need_model

_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32) * 255
_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32) * 255

# As published with the network: map value of text, mean map value of a line, growth of a kernel.
KERNEL = 0.2
LINE = 0.4
GROWTH = 1.4
STEP = 32  # sizes the network takes are multiples of this
BROAD = 2.0  # length over breadth up to which a picture is looked at in one piece
MOST_STRIPS = 16.0
OVERLAP = 5 * STEP  # of two strips, so that text at a border is seen whole by one of them


@dataclass(frozen=True, slots=True)
class Spot:
    """A piece of text found on a picture, in its pixels.

    `rect` is the upright box. `angle` is 0 for a level line; else the text is slanted by that many
    degrees clockwise (-90 < angle <= 90) and `size` is (length, height) along and across it.
    """

    rect: Rect
    score: float
    angle: float = 0.0
    size: tuple[float, float] = (0.0, 0.0)

    @property
    def center(self) -> tuple[float, float]:
        """Middle (x, y)."""
        return (self.rect.left + self.rect.right) / 2, (self.rect.top + self.rect.bottom) / 2


class TextDetector:
    """Finds lines of text. `long_side` is the size in pixels at which the network looks."""

    def __init__(self, model: str = "det-tiny", long_side: int = 1280) -> None:
        self.model = model
        self.long_side = long_side
        self._session: Any = None

    def map(self, image: np.ndarray) -> np.ndarray:
        """Return the text map (h', w') float32 0..1 of an RGB picture (h, w, 3)."""
        if self._session is None:
            self._session = open_session(need_model(self.model))
        high, wide = image.shape[:2]
        scale = min(1.0, self._looked_at(high, wide) / max(high, wide))
        # narrow strips keep at least one step each way
        width = max(round(wide * scale / STEP), 1) * STEP
        height = max(round(high * scale / STEP), 1) * STEP
        pixels = (resize(image, width, height)[:, :, ::-1].astype(np.float32) - _MEAN) / _STD
        longest = -(-self.long_side // STEP) * STEP
        if max(width, height) <= longest:
            return self._run(pixels)
        found = np.zeros((height, width), dtype=np.float32)
        for strip in strips_of(height, width, longest):
            np.maximum(found[strip], self._run(pixels[strip]), out=found[strip])
        return found

    def _looked_at(self, high: int, wide: int) -> float:
        """Return the long side, in pixels, at which a picture is looked at.

        A long screenshot or a banner would have its text shrunk away: its length counts as if it
        were as broad as a page, and it is looked at in strips.
        """
        ratio = max(high, wide) / max(min(high, wide), 1)
        return self.long_side * min(max(ratio / BROAD, 1.0), MOST_STRIPS)

    def _run(self, pixels: np.ndarray) -> np.ndarray:
        feed = {self._session.get_inputs()[0].name: pixels.transpose(2, 0, 1)[None]}
        return np.asarray(self._session.run(None, feed)[0])[0, 0]

    def blobs(self, image: np.ndarray) -> tuple[Blobs, float, float]:
        """Return the text kernels of a picture, and pixels of the picture per map pixel (x, y)."""
        found = self.map(image)
        blobs = find_blobs(found > KERNEL, found)
        keep = (blobs.score >= LINE) & (blobs.area >= 6)
        kept = Blobs(*(part[keep] for part in blobs))
        return kept, image.shape[1] / found.shape[1], image.shape[0] / found.shape[0]

    def find(self, image: np.ndarray) -> list[Spot]:
        """Return the lines of text on an RGB picture, from its top down."""
        blobs, x_scale, y_scale = self.blobs(image)
        return spots_of(blobs, x_scale, y_scale)


def strips_of(height: int, width: int, longest: int) -> list[tuple[slice, slice]]:
    """Return slices (rows, columns) that cover a map by overlapping strips along its long side."""
    length = max(height, width)
    starts = range(0, max(length - OVERLAP, 1), longest - OVERLAP)
    cuts = [slice(start, min(start + longest, length)) for start in starts]
    whole = slice(None)
    return [(whole, cut) if width >= height else (cut, whole) for cut in cuts]


def spots_of(blobs: Blobs, x_scale: float, y_scale: float) -> list[Spot]:
    """Grow kernels back to the boxes of their lines, in pixels of the picture."""
    spots = []
    for box, area, score, angle, stretch in zip(*blobs, strict=True):
        left, top, right, bottom = (float(v) for v in box)
        wide, high = right - left, bottom - top
        if min(wide, high) < 2:
            continue
        if stretch > 3 and 12 < abs(angle) < 78 and min(wide, high) > 8:
            spots.append(_slanted(box, area, score, angle, stretch, x_scale, y_scale))
            continue
        grow = wide * high * GROWTH / (2 * (wide + high))
        rect = Rect(
            (left - grow) * x_scale,
            (top - grow) * y_scale,
            (right + grow) * x_scale,
            (bottom + grow) * y_scale,
        )
        spots.append(Spot(rect, float(score)))
    return spots


def _slanted(box, area, score, angle, stretch, x_scale, y_scale) -> Spot:
    # an ellipse-like kernel of this area and stretch, as a rectangle along its axis
    across = float(np.sqrt(area / stretch))
    along = float(area / across)
    grow = along * across * GROWTH / (2 * (along + across))
    scale = (x_scale + y_scale) / 2
    left, top, right, bottom = (float(v) for v in box)
    rect = Rect(
        (left - grow) * x_scale,
        (top - grow) * y_scale,
        (right + grow) * x_scale,
        (bottom + grow) * y_scale,
    )
    size = ((along + 2 * grow) * scale, (across + 2 * grow) * scale)
    return Spot(rect, float(score), float(angle), size)
