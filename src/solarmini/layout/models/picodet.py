"""PP-PicoDet layout detector (CDLA classes); whose weights: `networks/NOTICE`.

The network is anchor free: for every cell of four feature maps it gives class scores and, for
each side of the box, a distribution over distances (generalised focal loss; PP-PicoDet,
arXiv:2111.00902). It sees a page in 800 x 608 pixels, about 72 dpi of A4, in .3 CPU-seconds.
"""

from typing import Literal, get_args

import numpy as np

from solarmini.errors import require
from solarmini.layout.models.networks import IMAGENET_MEAN, IMAGENET_STD, NETWORKS
from solarmini.layout.networks import EXTRA, open_session
from solarmini.layout.primitives import Box, Region

_HEIGHT, _WIDTH = 800, 608
_STRIDES = (8, 16, 32, 64)

Label = Literal[
    "text", "title", "table", "figure", "caption", "header", "footer", "footnote", "equation"
]
# the classes of the CDLA data set, in the order of the network's outputs
_CLASSES: tuple[Label, ...] = (
    "text",
    "title",
    "figure",
    "caption",  # of a figure
    "table",
    "caption",  # of a table
    "header",
    "footer",
    "text",  # reference
    "equation",
)
LABELS: tuple[Label, ...] = get_args(Label)


class PicoDetLayout:
    """Layout detector of ten classes; MissingExtraError when onnxruntime is not installed."""

    name = "picodet"
    dpi = 100.0

    def __init__(self, *, threshold: float = 0.4, threads: int = 1) -> None:
        self.threshold = threshold
        self._session = open_session(NETWORKS / "layout_detector.onnx", threads)

    def detect(self, image: np.ndarray, dpi: float) -> list[Region]:
        """Return regions in points, best first (see LayoutModel)."""
        height, width = image.shape[:2]
        if height < 8 or width < 8:
            return []
        feed = {self._session.get_inputs()[0].name: _prepare(image)}
        outputs = [np.asarray(o) for o in self._session.run(None, feed)]
        half = len(outputs) // 2
        boxes, scores = _decode(outputs[:half], outputs[half:], self.threshold)
        scale = np.array([width / _WIDTH, height / _HEIGHT] * 2) * 72.0 / dpi
        found: list[Region] = []
        for index in range(len(_CLASSES)):
            sure = scores[:, index] > self.threshold
            for at in suppress(boxes[sure], scores[sure, index], 0.5):
                box = np.clip(boxes[sure][at], 0, (_WIDTH, _HEIGHT) * 2) * scale
                found.append(
                    Region(Box(*map(float, box)), _CLASSES[index], float(scores[sure][at, index]))
                )
        return sorted(found, key=lambda region: -region.score)


def _prepare(image: np.ndarray) -> np.ndarray:
    """Scale to the network's size: (height, width, 3) uint8 → (1, 3, 800, 608) float32."""
    pillow = require("PIL.Image", EXTRA)
    picture = pillow.fromarray(image).resize((_WIDTH, _HEIGHT), pillow.Resampling.BILINEAR)
    values = np.asarray(picture, dtype=np.float32) / 255.0
    values = (values - np.array(IMAGENET_MEAN, np.float32)) / np.array(IMAGENET_STD, np.float32)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None], dtype=np.float32)


def _decode(
    scores: list[np.ndarray], sides: list[np.ndarray], threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Turn the maps into boxes (n, 4) in network pixels and scores (n, classes) over threshold."""
    boxes, kept = [], []
    for stride, score, side in zip(_STRIDES, scores, sides, strict=True):
        score, side = score[0], side[0]
        at = np.flatnonzero(score.max(axis=1) > threshold)
        wide = -(-_WIDTH // stride)
        center = (np.stack((at % wide, at // wide), axis=1) + 0.5) * stride
        bins = side[at].reshape(len(at), 4, side.shape[1] // 4)
        bins = np.exp(bins - bins.max(axis=2, keepdims=True))
        bins /= bins.sum(axis=2, keepdims=True)
        away = (bins * np.arange(bins.shape[2])).sum(axis=2) * stride  # left, top, right, bottom
        boxes.append(np.concatenate((center - away[:, :2], center + away[:, 2:]), axis=1))
        kept.append(score[at])
    return np.concatenate(boxes), np.concatenate(kept)


def suppress(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> list[int]:
    """Greedy non-maximum suppression: indexes of the boxes (n, 4) to keep, best first."""
    order = list(np.argsort(-scores, kind="stable"))
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while order:
        best = int(order.pop(0))
        kept.append(best)
        if not order:
            break
        rest = np.array(order)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        iou = shared / np.maximum(areas[best] + areas[rest] - shared, 1e-6)
        order = [int(i) for i in rest[iou <= overlap]]
    return kept
