"""Pages drawn as pictures for the overlay, one at a time."""

import io
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from solarmini.errors import SolarError
from solarmini.layout.document import Document
from solarmini.layout.limits import Limits

if TYPE_CHECKING:
    import numpy as np

DPI = 110.0


@contextmanager
def page_pixels(
    path: Path | bytes,
    document: Document,
    *,
    dpi: float = DPI,
    limits: Limits | None = None,
    password: str | None = None,
) -> "Generator[Callable[[int], np.ndarray | None]]":
    """Give a function from page number to the page as it was read, uint8 RGB, turned upright.

    It returns None for a page that cannot be drawn and for office files, which have no pages to
    draw.
    """
    if document.format not in ("pdf", "image"):
        yield lambda _: None
        return
    from solarmini.layout.source import open_source

    angles = {page.number: page.angle for page in document.pages}
    with open_source(path, limits=limits, password=password) as source:

        def draw(number: int) -> "np.ndarray | None":
            try:
                content = source.page(number)
                image = content.render(dpi) if content.render else None
            except SolarError:
                return None
            return None if image is None else _turned(image, angles.get(number, 0.0))

        yield draw


def as_jpeg(pixels: "np.ndarray", quality: int = 80) -> bytes:
    """Return RGB pixels as JPEG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def _turned(image: "np.ndarray", angle: float) -> "np.ndarray":
    if not angle:
        return image
    from solarmini.layout.ocr.turning import Turn

    quarters = round(angle / 90)
    return Turn(quarters % 4, angle - 90 * quarters).apply(image)
