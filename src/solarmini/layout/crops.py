"""Pictures of pieces of a page."""

import io
from collections.abc import Collection
from typing import TYPE_CHECKING

from solarmini.layout.primitives import Block, PageContent, PageDraft

if TYPE_CHECKING:
    import numpy as np

DPI = 150.0


def crop(draft: PageDraft, content: PageContent, categories: Collection[str]) -> None:
    """Give the blocks of these categories their picture, as PNG; "heading1" means any heading."""
    names = {"heading" if name.startswith("heading") else name for name in categories}
    wanted = [block for block in draft.blocks if block.category in names]
    if not wanted or content.render is None:
        return
    page = content.render(DPI)
    for block in wanted:
        block.image = _cut(page, block, content)


def _cut(page: "np.ndarray", block: Block, content: PageContent) -> bytes | None:
    from PIL import Image

    high, wide = page.shape[:2]
    across, down = wide / content.width, high / content.height  # pixels a point
    left, top = max(int(block.box.left * across), 0), max(int(block.box.top * down), 0)
    right, bottom = int(block.box.right * across) + 1, int(block.box.bottom * down) + 1
    piece = page[top:bottom, left:right]
    if not piece.size:
        return None
    file = io.BytesIO()
    Image.fromarray(piece).save(file, "PNG")
    return file.getvalue()
