"""What the ink of a line picture tells: where it is, how large the letters are, how heavy."""

from dataclasses import dataclass

import numpy as np

from solarmini.layout.ocr.pixels import gray_of

CONTRAST = 24.0  # gray levels between ink and paper, below which there is nothing to measure

# Heights of letters over the font's size, typical of text faces.
_X_HEIGHT = 0.50
_CAP_HEIGHT = 0.70
_HANGUL_HEIGHT = 0.86
_DESCENT = 0.21


@dataclass(frozen=True, slots=True)
class Ink:
    """The ink of a line picture: `mass` (h, w) is 0 on paper and 1 on full ink.

    `mask` is mass over one half, without strokes that run through the whole picture (rules,
    underlines, borders of cells). `color` is that of the ink, 0xRRGGBB.
    """

    mass: np.ndarray
    mask: np.ndarray
    color: int

    def columns(self) -> np.ndarray:
        """Which columns hold ink, bool (w,)."""
        return np.asarray(self.mask.any(axis=0))


def ink_of(crop: np.ndarray) -> Ink | None:
    """Return the ink of an RGB crop (h, w, 3), dark on light or light on dark; None if blank."""
    gray = gray_of(crop)
    split = _otsu(gray)
    if split is None:
        return None
    dark = gray < split
    dark_level, light_level = float(np.median(gray[dark])), float(np.median(gray[~dark]))
    if light_level - dark_level < CONTRAST:
        return None
    # paper is what most of the picture's rim and most of its area are
    rim = np.concatenate([dark[0], dark[-1], dark[:, 0], dark[:, -1]])
    inverted = rim.mean() + dark.mean() > 1.0
    mass = np.clip((light_level - gray) / (light_level - dark_level), 0, 1)
    if inverted:
        mass = 1 - mass
    mask = mass > 0.5
    color = _color(crop, mass > 0.8)
    return Ink(mass, _without_rules(mask), color)


def _otsu(gray: np.ndarray) -> float | None:
    """Threshold between two groups of gray levels (Otsu 1979), None of a flat picture."""
    counts = np.bincount(gray.astype(np.uint8).ravel(), minlength=256).astype(np.float64)
    levels = np.arange(256)
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * levels)
    valid = (below > 0) & (above > 0)
    if not valid.any():
        return None
    low = sums[valid] / below[valid]
    high = (sums[-1] - sums[valid]) / above[valid]
    between = below[valid] * above[valid] * (low - high) ** 2
    # several thresholds are equally good where levels are missing: take their middle
    best = levels[valid][between >= between.max() * (1 - 1e-9)]
    return float(best.mean()) + 0.5


def _color(crop: np.ndarray, ink: np.ndarray) -> int:
    if not ink.any():
        return 0
    red, green, blue = (int(v) for v in np.median(crop[ink], axis=0))
    if max(red, green, blue) < 72:  # black print is never quite black in pixels
        return 0
    return red << 16 | green << 8 | blue


def _without_rules(mask: np.ndarray) -> np.ndarray:
    """Drop rows and columns of ink that run (almost) through the whole picture."""
    high, wide = mask.shape
    through = mask.mean(axis=0) > 0.96
    mask = mask.copy()
    if wide > 3 * high:
        mask[mask.mean(axis=1) > 0.85] = False
    if through.any() and wide > high:
        # strokes of letters rarely fill the height of a picture that has margins
        mask[:, through] = False
    return mask


def gaps(columns: np.ndarray, least: float) -> list[tuple[int, int]]:
    """Return the runs of empty columns between ink that are at least `least` wide."""
    inked = np.flatnonzero(columns)
    if len(inked) < 2:
        return []
    wide = np.flatnonzero(np.diff(inked) > least)
    return [(int(inked[i]) + 1, int(inked[i + 1])) for i in wide]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of a line, in pixels of its picture: font size, baseline, top and bottom of its ink.

    `stroke` is the mean run of ink along a row over the font size: the weight of the letters.
    """

    size: float
    baseline: float
    top: float
    bottom: float
    stroke: float


def measure(ink: Ink, text: str) -> Metrics | None:
    """Return the metrics of a line that reads `text`; None where there is no ink."""
    profile = ink.mask.sum(axis=1).astype(np.float64)
    if profile.max(initial=0) <= 0:
        return None
    # the band of small letters: the rows that hold most ink
    level = 0.45 * np.quantile(profile[profile > 0], 0.9)
    rows = _largest_band(profile >= level, profile)
    top, bottom = _ink_extent(profile, rows)
    core = rows[1] - rows[0]
    size = _size(text, core, bottom - top, rows[1] - top, bottom - rows[0])
    return Metrics(size, float(rows[1]), float(top), float(bottom), _stroke(ink, rows) / size)


def _largest_band(rows: np.ndarray, profile: np.ndarray) -> tuple[int, int]:
    """The run of true rows that holds most of `profile`; gaps of a row or two do not end it."""
    inked = np.flatnonzero(rows)
    slack = max(len(rows) // 12, 1)
    cuts = np.flatnonzero(np.diff(inked) > slack)
    starts = np.append(inked[0], inked[cuts + 1])
    ends = np.append(inked[cuts], inked[-1]) + 1
    sums = [profile[a:b].sum() for a, b in zip(starts, ends, strict=True)]
    best = int(np.argmax(sums))
    return int(starts[best]), int(ends[best])


def _ink_extent(profile: np.ndarray, rows: tuple[int, int]) -> tuple[int, int]:
    """Grow the band to all ink that hangs together with it: ascenders and descenders."""
    least = 0.01 * profile.max()
    top, bottom = rows
    while top > 0 and profile[top - 1] > least:
        top -= 1
    while bottom < len(profile) and profile[bottom] > least:
        bottom += 1
    return top, bottom


def _size(text: str, core: float, full: float, above: float, below: float) -> float:
    """Font size from the heights that this text's letters have.

    `core` small letters' band, `full` all ink, `above` baseline to the top of the ink, `below` top
    of the small letters to the bottom of the ink.
    """
    letters = [c for c in text if not c.isspace()]
    hangul = sum("\u3131" <= c <= "\ud7a3" or "\u4e00" <= c <= "\u9fff" for c in letters)
    if hangul * 3 >= len(letters) > 0:
        return max(full / (_HANGUL_HEIGHT + 0.04), 1.0)
    tall = any(c.isupper() or c.isdigit() or c in "bdfhklt()[]{}|/\\!?$%&#@" for c in letters)
    deep = any(c in "gjpqy()[]{}|Q,;" for c in letters)
    if tall:
        # with descenders or without, the height over the baseline is that of capitals; where the
        # band is that of capitals itself (no small letters) the baseline is its lower edge too
        guess = above / _CAP_HEIGHT
        whole = full / (_CAP_HEIGHT + (_DESCENT if deep else 0.0))
        return max(float(np.sqrt(guess * whole)), 1.0)
    if deep:
        return max(below / (_X_HEIGHT + _DESCENT), 1.0)
    return max(core / _X_HEIGHT, full / _CAP_HEIGHT, 1.0)


def _stroke(ink: Ink, rows: tuple[int, int]) -> float:
    """Mean length of the runs of ink along rows of the band, to a fraction of a pixel.

    Mass over half the total variation does not depend on how soft the edges are.
    """
    band = ink.mass[rows[0] : rows[1]]
    crossings = np.abs(np.diff(band, axis=1, prepend=0, append=0)).sum() / 2
    return float(band.sum() / crossings) if crossings > 0 else 0.0
