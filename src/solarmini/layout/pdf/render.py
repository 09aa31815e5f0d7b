"""A page drawn as pixels, within the limits."""

import math

import numpy as np

from solarmini.errors import DocumentError, LimitError
from solarmini.layout.pdf import native
from solarmini.layout.pdf.space import PageSpace

SMALLEST_DPI = 8.0


def bounded_dpi(dpi: float, width: float, height: float, most: int) -> float:
    """Return `dpi`, or less where a page of width x height points would have over `most` pixels.

    Raises LimitError where even the coarsest useful picture is too large.
    """
    if not dpi > 0:
        raise DocumentError(f"a page cannot be drawn at {dpi:g} dpi")
    fits = 72 * math.sqrt(most / (width * height))
    if fits < SMALLEST_DPI:
        raise LimitError(
            f"a page of {width:.0f} x {height:.0f} points is too large to draw",
            mend="raise max_render_pixels",
        )
    return min(dpi, fits)


def draw(page: int, space: PageSpace, dpi: float, most: int) -> np.ndarray:
    """Draw a page handle: uint8 RGB (height, width, 3), white ground, annotations drawn."""
    scale = bounded_dpi(dpi, space.width, space.height, most) / 72
    # a hair more than a whole number is no reason for another row
    wide = max(math.ceil(space.width * scale - 1e-3), 1)
    high = max(math.ceil(space.height * scale - 1e-3), 1)
    pixels = np.full((high, wide, 3), 255, dtype=np.uint8)
    bitmap = native.bitmap_new(wide, high, native.BGR, pixels.ctypes.data, wide * 3)
    if not bitmap:
        raise DocumentError("the page could not be drawn: no memory for its pixels")
    try:
        flags = native.ANNOTATIONS | native.RGB_ORDER
        native.render_page(bitmap, page, 0, 0, wide, high, 0, flags)
    finally:
        native.bitmap_free(bitmap)
    return pixels
