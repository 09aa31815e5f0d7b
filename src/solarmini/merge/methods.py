"""The arithmetic of merging: pure functions on float32 arrays of one shape.

Legend: `a`, `b`, `base` and every element of `tensors` have the same shape; results are float32.
"""

from collections.abc import Sequence
from functools import reduce

import numpy as np

from solarmini.errors import MergeError

Array = np.ndarray
_PARALLEL = 0.9995  # |cos| above which the arc is numerically a line (as in mergekit)
_SMALLEST_NORM = 1e-8


def linear(tensors: Sequence[Array], weights: Sequence[float], normalize: bool = True) -> Array:
    """Return Σ wᵢ·xᵢ, divided by Σ wᵢ when `normalize` (model soups, arXiv:2203.05482).

    A weight of zero takes no part at all, so weights (1, 0) give the first tensor bit for bit.
    """
    total = sum(weights) if normalize else 1.0
    if abs(total) < _SMALLEST_NORM:
        raise MergeError(f"the weights {list(weights)} add up to zero")
    shares = [(x, np.float32(w / total)) for x, w in zip(tensors, weights, strict=True) if w]
    if not shares:
        return np.zeros_like(tensors[0])
    return reduce(np.add, (x if share == 1 else x * share for x, share in shares))


def slerp(a: Array, b: Array, t: float) -> Array:
    """Interpolate along the arc between the directions of `a` (t=0) and `b` (t=1).

    Angles are those of the whole flattened tensors (Shoemake 1985; as in mergekit the lengths
    are not normalised). Nearly parallel or opposite tensors are interpolated on the line. The
    ends are the inputs themselves, bit for bit.
    """
    if t in (0, 1):
        return b if t else a
    x, y = a.ravel(), b.ravel()
    lengths = [_dot(v, v) ** 0.5 for v in (x, y)]
    scale = [length if length > _SMALLEST_NORM else 1.0 for length in lengths]
    cosine = _dot(x, y) / (scale[0] * scale[1])
    if abs(cosine) > _PARALLEL:
        share_a, share_b = 1 - t, t
    else:
        angle = np.arccos(cosine)
        share_a = np.sin((1 - t) * angle) / np.sin(angle)
        share_b = np.sin(t * angle) / np.sin(angle)
    return a * np.float32(share_a) + b * np.float32(share_b)


def task_arithmetic(
    base: Array,
    tensors: Sequence[Array],
    weights: Sequence[float],
    scale: float = 1.0,
    normalize: bool = False,
) -> Array:
    """Return base + λ·Σ wᵢ·(xᵢ − base) (arXiv:2212.04089), λ being `scale`."""
    moves = [(x - base) * np.float32(w) for x, w in zip(tensors, weights, strict=True)]
    total = reduce(np.add, moves)
    if normalize and abs(sum(weights)) >= _SMALLEST_NORM:
        total = total / np.float32(sum(weights))
    return base + _times(total, scale)


def ties(
    base: Array,
    tensors: Sequence[Array],
    weights: Sequence[float],
    densities: Sequence[float],
    scale: float = 1.0,
    normalize: bool = True,
) -> Array:
    """Trim, elect sign, merge disjointly (TIES, arXiv:2306.01708, section 4).

    Of every task vector xᵢ − base the share `densities[i]` of largest magnitude is kept; the sign
    of each parameter is that of the weighted sum (zero counts as positive); those that agree are
    summed, divided by their weights when `normalize` (a mean), times λ (`scale`).
    """
    moves, shares = [], [np.float32(w) for w in weights]
    for x, share, density in zip(tensors, shares, densities, strict=True):
        moves.append(trim(x - base, density) * share)
    elected = np.where(reduce(np.add, moves) >= 0, np.float32(1), np.float32(-1))
    agree = [np.sign(move) == elected for move in moves]
    total = reduce(
        np.add, (np.where(ok, move, np.float32(0)) for ok, move in zip(agree, moves, strict=True))
    )
    if normalize:
        mass = reduce(np.add, (ok * share for ok, share in zip(agree, shares, strict=True)))
        total = total / np.where(mass == 0, np.float32(1), mass)
    return base + _times(total, scale)


def trim(move: Array, density: float) -> Array:
    """Keep the share `density` of elements that are largest in magnitude, zero the others.

    At least one element stays when density > 0; among equal magnitudes the earlier ones stay.
    """
    if density >= 1:
        return move
    keep = max(1, int(density * move.size)) if density > 0 else 0
    if keep == 0 or move.size == 0:
        return np.zeros_like(move)
    size = np.abs(move.ravel())
    limit = np.partition(size, move.size - keep)[move.size - keep]
    kept = size > limit
    equal = np.flatnonzero(size == limit)
    kept[equal[: keep - int(kept.sum())]] = True
    return np.where(kept.reshape(move.shape), move, np.float32(0))


def _times(x: Array, scale: float) -> Array:
    return x if scale == 1 else x * np.float32(scale)


def _dot(x: Array, y: Array, step: int = 2**22) -> float:
    """Dot product summed in float64, in steps that keep the wide copies small."""
    return sum(
        float(x[i : i + step].astype(np.float64) @ y[i : i + step].astype(np.float64))
        for i in range(0, x.size, step)
    )
