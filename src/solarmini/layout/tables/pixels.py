"""Rules of a scanned page: long thin runs of dark pixels."""

import numpy as np

from solarmini.layout.primitives import Box, Drawing, Rule

_SHORTEST = 18.0  # points: longer than the strokes of ordinary letters
_THICKEST = 4.0  # points: what is thicker is a bar, a letter or a picture
_BLOCK = 4096  # rows looked at together, so that memory stays flat
_COARSE = 50.0  # dpi at which fills are looked for
_COLORS = 24  # fill colours looked for on a page
_MOST = 600  # fills of a page
_BRIDGE = 14.0  # points of text that do not interrupt a fill


def rules_from_pixels(image: np.ndarray, dpi: float) -> list[Rule]:
    """Return horizontal and vertical rules seen in `image`, in points.

    `image` is uint8, RGB (height, width, 3) or grey (height, width), drawn at `dpi`; it should
    stand straight (a rule that climbs more than its own length in forty is lost).
    """
    grey = image if image.ndim == 2 else image[..., :3].mean(axis=2, dtype=np.float32)
    return rules_in(_dark(grey), dpi)


def rules_in(dark: np.ndarray, dpi: float) -> list[Rule]:
    """Return the horizontal and vertical rules of a mask of ink, bool (height, width)."""
    flat = _runs(dark, dpi, horizontal=True)
    tall = _runs(np.ascontiguousarray(dark.T), dpi, horizontal=False)
    return flat + tall


def fills_from_pixels(image: np.ndarray, dpi: float) -> list[Drawing]:
    """Return upright boxes of one colour (cells, stripes, bars) seen in `image`, in points."""
    step = max(round(dpi / _COARSE), 1)
    high, wide = image.shape[0] // step * step, image.shape[1] // step * step
    if not high or not wide or image.ndim == 2:
        return []
    blocks = image[:high, :wide, :3].reshape(high // step, step, wide // step, step, 3)
    small = blocks.mean(axis=(1, 3), dtype=np.float32).astype(np.int32)
    code = (small[..., 0] >> 4) << 8 | (small[..., 1] >> 4) << 4 | small[..., 2] >> 4
    values, counts = np.unique(code, return_counts=True)
    order = np.argsort(-counts)
    scale = 72.0 * step / dpi
    found: list[Drawing] = []
    for at in order[1 : _COLORS + 1]:  # the first is the paper
        color, count = int(values[at]), int(counts[at])
        if count < 0.0008 * code.size or min(color >> 8, color >> 4 & 15, color & 15) >= 15:
            continue
        found += _boxes(code == color, scale, color)
    found.sort(key=lambda d: -d.box.area)
    outer: list[Drawing] = []
    for drawing in found[:_MOST]:  # pieces that text cut out of a fill say nothing
        if not any(drawing.box.inside(other.box) > 0.8 for other in outer):
            outer.append(drawing)
    return outer


def _boxes(mask: np.ndarray, scale: float, color: int) -> list[Drawing]:
    """Boxes that a mask fills, text left out."""
    bridge = max(round(_BRIDGE / scale), 1)
    full = sum(
        part * 17 << shift
        for part, shift in zip((color >> 8, color >> 4 & 15, color & 15), (16, 8, 0), strict=True)
    )
    pieces = _long_runs(mask, max(round(6.0 / scale), 3), bridge)
    boxes = []
    for low, high, start, end in _stack(pieces, bridge, exact=True):
        area = (high - low + 1) * (end - start)
        filled = float(mask[low : high + 1, start:end].sum()) / max(area, 1)
        box = Box(start * scale, low * scale, end * scale, (high + 1) * scale)
        if min(box.width, box.height) >= 5.0 and filled > 0.5:
            boxes.append(Drawing(box, True, True, False, full))
    return boxes


def looks_plotted(image: np.ndarray) -> bool:
    """Whether a picture, uint8 RGB (height, width, 3), is flat colour on white, as plots are.

    Photographs and screens have no white paper, or many shades. What is left are plots, and the
    simplest of diagrams.
    """
    if image.size < 3 * 400:
        return False
    coarse = (image[..., :3] >> 5).astype(np.int32)
    code = coarse[..., 0] << 6 | coarse[..., 1] << 3 | coarse[..., 2]
    values, counts = np.unique(code, return_counts=True)
    order = np.argsort(-counts)
    shares = np.cumsum(counts[order]) / code.size
    white = int(values[order[0]]) == 7 << 6 | 7 << 3 | 7
    return white and shares[0] >= 0.7 and int((shares < 0.9).sum()) <= 4


def _dark(grey: np.ndarray) -> np.ndarray:
    """Ink: darker than a level between the page's paper and its darkest tenth of a percent."""
    sample = grey[:: max(grey.shape[0] // 400, 1), :: max(grey.shape[1] // 400, 1)]
    paper, ink = np.percentile(sample, 75), np.percentile(sample, 0.5)
    return grey < paper - max(0.35 * (paper - ink), 25.0)


def _runs(dark: np.ndarray, dpi: float, *, horizontal: bool) -> list[Rule]:
    """Rules along the rows of `dark`."""
    shortest = max(int(_SHORTEST * dpi / 72), 8)
    thickest = max(round(_THICKEST * dpi / 72), 2)
    pieces = _long_runs(dark, shortest, 1)
    scale = 72.0 / dpi
    rules = []
    for low, high, start, end in _stack(pieces):
        if high - low + 1 > thickest:
            continue
        if horizontal:
            box = Box(start * scale, low * scale, end * scale, (high + 1) * scale)
        else:
            box = Box(low * scale, start * scale, (high + 1) * scale, end * scale)
        rules.append(Rule(box, horizontal, (high - low + 1) * scale))
    return rules


def _long_runs(mask: np.ndarray, shortest: int, bridge: int) -> list[tuple[int, int, int]]:
    """Runs of set pixels along the rows (row, start, end), gaps of `bridge` pixels joined."""
    pieces: list[tuple[int, int, int]] = []
    for top in range(0, mask.shape[0], _BLOCK):
        part = mask[top : top + _BLOCK]
        padded = np.zeros((part.shape[0], part.shape[1] + 2), dtype=np.int8)
        padded[:, 1:-1] = part
        change = np.diff(padded, axis=1)
        rows, starts = np.nonzero(change == 1)
        _, ends = np.nonzero(change == -1)
        if not len(rows):
            continue
        new = np.ones(len(rows), dtype=bool)
        new[1:] = (rows[1:] != rows[:-1]) | (starts[1:] - ends[:-1] > bridge)
        first = np.flatnonzero(new)
        last = np.append(first[1:] - 1, len(rows) - 1)
        long = ends[last] - starts[first] >= shortest
        pieces += zip(
            (rows[first][long] + top).tolist(),
            starts[first][long].tolist(),
            ends[last][long].tolist(),
            strict=True,
        )
    return pieces


def _stack(
    pieces: list[tuple[int, int, int]], bridge: int = 2, *, exact: bool = False
) -> list[tuple[int, int, int, int]]:
    """Join runs of neighbouring rows that overlap: (first row, last row, start, end).

    `exact`: only runs of about the same ends; otherwise those that share half of the shorter.
    """
    open_: list[list[int]] = []
    done: list[list[int]] = []
    for row, start, end in pieces:
        still = []
        for group in open_:
            (still if group[1] >= row - bridge - 1 else done).append(group)
        open_ = still
        for group in open_:
            shared = min(group[3], end) - max(group[2], start)
            if exact:
                meets = abs(group[2] - start) <= 2 and abs(group[3] - end) <= 2
            else:
                meets = shared > 0.5 * min(end - start, group[3] - group[2])
            if meets:
                group[1] = row
                if not exact:
                    group[2], group[3] = min(group[2], start), max(group[3], end)
                break
        else:
            open_.append([row, row, start, end])
    return [(a, b, c, d) for a, b, c, d in done + open_]
