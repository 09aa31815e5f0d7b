"""Connected pieces of a mask, with what is needed of each: box, mass, direction."""

from typing import NamedTuple

import numpy as np


class Blobs(NamedTuple):
    """The connected (8 neighbours) pieces of a mask, one entry each, in order of their first row.

    `boxes` int (n, 4): left, top, right, bottom, the last two exclusive. `area` (n,) pixels.
    `score` (n,) mean weight. `angle` (n,) degrees of the long axis from the x axis, y downward, in
    (-90, 90]. `stretch` (n,) long over short axis of the ellipse with the same second moments.
    """

    boxes: np.ndarray
    area: np.ndarray
    score: np.ndarray
    angle: np.ndarray
    stretch: np.ndarray


def find_blobs(mask: np.ndarray, weights: np.ndarray) -> Blobs:
    """Return the pieces of `mask` (height, width) with their mean of `weights`, same shape."""
    rows, starts, ends = _runs(mask)
    if not len(rows):
        none = np.zeros(0)
        return Blobs(np.zeros((0, 4), dtype=np.int64), none, none, none, none)
    owner = _connect(rows, starts, ends, mask.shape[1])
    count = int(owner.max()) + 1

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(owner, weights=values, minlength=count)

    boxes = np.empty((count, 4), dtype=np.int64)
    boxes[:, :2] = np.iinfo(np.int64).max
    boxes[:, 2:] = 0
    np.minimum.at(boxes[:, 0], owner, starts)
    np.minimum.at(boxes[:, 1], owner, rows)
    np.maximum.at(boxes[:, 2], owner, ends)
    np.maximum.at(boxes[:, 3], owner, rows + 1)
    length = (ends - starts).astype(np.float64)
    area = total(length)
    summed = np.zeros((mask.shape[0], mask.shape[1] + 1))
    np.cumsum(weights, axis=1, out=summed[:, 1:])
    score = total(summed[rows, ends] - summed[rows, starts]) / area
    angle, stretch = _axes(rows, starts, ends, area, total)
    return Blobs(boxes, area, score, angle, stretch)


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, starts and ends (exclusive) of the horizontal runs of a mask, row by row."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return rows, starts, ends


def _connect(rows: np.ndarray, starts: np.ndarray, ends: np.ndarray, width: int) -> np.ndarray:
    """Number the runs by the piece they belong to."""
    stride = width + 2
    # the runs of the next row that touch run i lie between two places of the sorted run list
    low = np.searchsorted(rows * stride + ends, (rows + 1) * stride + starts, side="left")
    high = np.searchsorted(rows * stride + starts, (rows + 1) * stride + ends, side="right")
    counts = np.maximum(high - low, 0)
    upper = np.repeat(np.arange(len(rows)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    lower = np.repeat(low, counts) + np.arange(len(upper)) - first
    label = np.arange(len(rows))
    while True:
        a, b = label[upper], label[lower]
        apart = a != b
        if not apart.any():
            break
        np.minimum.at(label, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while True:  # every run to the root of its piece
            root = label[label]
            if np.array_equal(root, label):
                break
            label = root
    return np.unique(label, return_inverse=True)[1]


def _axes(rows, starts, ends, area, total) -> tuple[np.ndarray, np.ndarray]:
    """Direction in degrees and long over short axis of each piece, from its second moments."""
    y = rows.astype(np.float64)
    first, last = starts.astype(np.float64), ends - 1.0
    n = last - first + 1
    sum_x = (first + last) * n / 2
    # sum of k^2 for k = first..last
    sum_xx = n * (first * first + first * (n - 1) + (n - 1) * (2 * n - 1) / 6)
    mean_x, mean_y = total(sum_x) / area, total(y * n) / area
    var_x = total(sum_xx) / area - mean_x**2 + 1 / 12
    var_y = total(y * y * n) / area - mean_y**2 + 1 / 12
    cov = total(sum_x * y) / area - mean_x * mean_y
    angle = np.degrees(np.arctan2(2 * cov, var_x - var_y)) / 2
    middle, spread = (var_x + var_y) / 2, np.hypot((var_x - var_y) / 2, cov)
    stretch = np.sqrt((middle + spread) / np.maximum(middle - spread, 1e-6))
    return angle, stretch
