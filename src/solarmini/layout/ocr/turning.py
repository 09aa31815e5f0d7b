"""How a scan lies: turned by quarters, askew by a few degrees; found from its lines of text."""

from dataclasses import dataclass, replace

import numpy as np

from solarmini.layout.ocr.blobs import Blobs
from solarmini.layout.ocr.detect import Spot, TextDetector, spots_of
from solarmini.layout.ocr.pieces import pieces_of
from solarmini.layout.ocr.pixels import Rect, quarter_turned, straightened
from solarmini.layout.ocr.recogniser import Recogniser

MOST_SKEW = 15.0  # degrees; text that slants more is slanted on purpose
LEAST_SKEW = 0.15  # degrees; less does not hinder reading
KEEP_SIZE = 3.0  # degrees up to which the page keeps its size when it is straightened
SAMPLE = 8  # lines read to tell upright from upside down
SURE = 0.88  # mean confidence of upright text
LEAST_LINES = 2  # that agree on a direction
READABLE = 0.55  # mean confidence below which nothing was read
LINE_STRETCH = 6.0  # kernels this long show the direction of their line


@dataclass(frozen=True, slots=True)
class Turn:
    """What is done to a picture to make its text upright: quarter turns, then `skew` degrees.

    Both clockwise.
    """

    quarters: int = 0
    skew: float = 0.0

    @property
    def degrees(self) -> float:
        """Clockwise degrees in all, -180 < degrees <= 180."""
        whole = (self.quarters * 90 + self.skew) % 360
        return whole - 360 if whole > 180 else whole

    @property
    def nothing(self) -> bool:
        """Whether the picture stays as it is."""
        return self.quarters == 0 and self.skew == 0

    @property
    def grows(self) -> bool:
        """Whether the page becomes larger so that its corners are kept."""
        return abs(self.skew) > KEEP_SIZE

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Return the picture turned."""
        if self.quarters:
            image = quarter_turned(image, self.quarters)
        return straightened(image, self.skew, self.grows) if self.skew else image

    def size(self, width: float, height: float) -> tuple[float, float]:
        """Width and height of a page of the given size after the turn."""
        if self.quarters % 2:
            width, height = height, width
        if not self.grows:
            return width, height
        sin, cos = abs(np.sin(np.radians(self.skew))), abs(np.cos(np.radians(self.skew)))
        return float(width * cos + height * sin), float(width * sin + height * cos)


def upright(
    image: np.ndarray, detector: TextDetector, recogniser: Recogniser
) -> tuple[Turn, np.ndarray, list[Spot]]:
    """Return how an RGB picture was turned to stand upright, the picture so, and its spots of text.

    Long text kernels show the direction of the lines (mod 180 degrees); reading a few lines tells
    up from down. What cannot be read either way is left as it is.
    """
    blobs, x_scale, y_scale = detector.blobs(image)
    spots = spots_of(blobs, x_scale, y_scale)
    first = _level(_direction(blobs, y_scale / x_scale))
    turned = image
    if not first.nothing:
        turned = first.apply(image)
        found = detector.find(turned)
    else:
        found = spots
    sample = _sample(turned, found)
    if not sample:
        return Turn(), image, spots
    straight = _confidence(recogniser, sample)
    if straight >= SURE and first.quarters == 0:
        return first, turned, found
    over = _confidence(recogniser, [quarter_turned(crop, 2) for crop in sample])
    if max(straight, over) < READABLE:
        return Turn(), image, spots
    if over <= straight:
        return first, turned, found
    high, wide = turned.shape[:2]
    turn = Turn((first.quarters + 2) % 4, first.skew)
    return turn, quarter_turned(turned, 2), [_opposite(spot, wide, high) for spot in found]


def _level(direction: float | None) -> Turn:
    """The turn that makes lines of this direction level, reading either way."""
    if direction is None:
        return Turn()
    quarters = 0 if abs(direction) <= 45 else 1
    askew = direction if not quarters else direction - 90 if direction > 0 else direction + 90
    if abs(askew) > MOST_SKEW:
        return Turn()
    return Turn(quarters, round(-askew, 3) if abs(askew) >= LEAST_SKEW else 0.0)


def _opposite(spot: Spot, wide: int, high: int) -> Spot:
    """The spot on the picture turned by 180 degrees."""
    rect = spot.rect
    turned = Rect(wide - rect.right, high - rect.bottom, wide - rect.left, high - rect.top)
    return replace(spot, rect=turned)


def _sample(image: np.ndarray, spots: list[Spot]) -> list[np.ndarray]:
    """A few lines of middling length, upright."""
    chosen = [s for s in spots if s.rect.width > 2.5 * s.rect.height and not s.angle]
    chosen.sort(key=lambda s: abs(s.rect.width / s.rect.height - 9))
    crops = [piece.crop for piece in pieces_of(image, chosen[:SAMPLE])]
    return [crop for crop in crops[:SAMPLE] if crop.shape[1] >= 16]


def _confidence(recogniser: Recogniser, crops: list[np.ndarray]) -> float:
    """Mean confidence, weighted by letters."""
    read = recogniser(crops)
    letters = sum(len(line.text) for line in read)
    return sum(line.confidence * len(line.text) for line in read) / max(letters, 1)


def _direction(blobs: Blobs, aspect: float) -> float | None:
    """Direction in degrees (-90..90] of most lines of text, None where there are none.

    `aspect` is y over x scale of the map, close to 1.
    """
    long = blobs.stretch >= LINE_STRETCH
    if not long.any():
        return None
    radians = np.radians(blobs.angle[long])
    angles = np.degrees(np.arctan2(np.sin(radians) * aspect, np.cos(radians)))
    weights = np.sqrt(blobs.area[long] * blobs.stretch[long])  # their length
    # the direction around which most length lies; angles go round at 180
    apart = np.abs((angles[:, None] - angles[None, :] + 90) % 180 - 90)
    near = (apart < 2.0) @ weights
    best = int(np.argmax(near))
    if near[best] < 0.4 * weights.sum() or (apart[best] < 2.0).sum() < LEAST_LINES:
        return None
    close = apart[best] < 2.0
    offsets = (angles[close] - angles[best] + 90) % 180 - 90
    # long kernels are known better: the error of a direction falls with length to the 3/2
    return _wrapped(angles[best] + _weighted_median(offsets, weights[close] ** 2))


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    half = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(half, half[-1] / 2)])


def _wrapped(angle: float) -> float:
    angle = (angle + 90) % 180 - 90
    return 90.0 if angle == -90 else float(angle)
