"""Text that cannot be seen is left out, unless it is what was recognised in a scan."""

import numpy as np

from solarmini.layout.pdf.characters import Characters
from solarmini.layout.primitives import Box, PageContent

SCAN = 0.6  # of the page covered by pictures: invisible text is an OCR layer


def drop_unseen(characters: Characters, content: PageContent, grounds: list[Box]) -> None:
    """Drop characters off the page, invisible, or white on white paper."""
    if not len(characters):
        return
    x = (characters.cell[:, 0] + characters.cell[:, 2]) / 2
    y = (characters.cell[:, 1] + characters.cell[:, 3]) / 2
    inside = (x >= 0) & (x <= content.width) & (y >= 0) & (y <= content.height)
    characters.keep(inside, "outside the page")
    if not len(characters):
        return
    hidden = np.array([style.invisible for style in characters.styles])[characters.style]
    if hidden.any() and not scan_layer(content):
        characters.keep(~hidden, "invisible")
    white = np.array([style.white and not style.invisible for style in characters.styles])
    white = white[characters.style] if len(characters) else np.zeros(0, dtype=bool)
    if white.any():
        characters.keep(~white | _on(characters, grounds), "white on white")


def scan_layer(content: PageContent) -> bool:
    """Whether pictures cover most of the page, so that invisible text is what they show."""
    return picture_share(content) >= SCAN


def picture_share(content: PageContent) -> float:
    """Share of the page under pictures, 0..1 (on a coarse grid: pictures may overlap)."""
    grid = np.zeros((40, 40), dtype=bool)
    for picture in content.pictures:
        left, top, right, bottom = picture.box
        x0, x1 = (round(40 * v / content.width) for v in (left, right))
        y0, y1 = (round(40 * v / content.height) for v in (top, bottom))
        grid[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = True
    return float(grid.mean())


def _on(characters: Characters, grounds: list[Box]) -> np.ndarray:
    """Which characters stand on one of `grounds`."""
    on = np.zeros(len(characters), dtype=bool)
    x = (characters.ink[:, 0] + characters.ink[:, 2]) / 2
    y = (characters.ink[:, 1] + characters.ink[:, 3]) / 2
    for box in grounds:
        on |= (x >= box.left) & (x <= box.right) & (y >= box.top) & (y <= box.bottom)
    return on
