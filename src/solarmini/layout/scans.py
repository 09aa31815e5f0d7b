"""What a scanned page shows besides text: rules, fills, strokes and photographs, from its pixels.

Ink that is neither text nor a rule is grouped to connected pieces. Large pieces of many shades are
photographs, large thin ones are strokes (curves, slanted lines, outlines of drawings).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from solarmini.layout.ocr.blobs import find_blobs
from solarmini.layout.primitives import Box, Drawing, Line, PageContent, Picture, Rule

DPI = 150.0  # at which rules are looked for
STEP = 2  # pixels of that picture that are one here
INK = 36  # levels of any colour between paper and what counts as ink
PHOTO = 30.0  # points: sides of the smallest photograph
DENSE = 0.45  # share of its box that a photograph inks
GRID = 0.8  # share of the ink of a grid that its rules are
SOLID = 0.85  # share of its box that a bar inks
SHADES = 18.0  # standard deviation of gray levels in a photograph
STROKE = 2.2  # of the font size: smaller pieces may be letters that were not read
WHOLE = 0.6  # share of the page from which a picture is the scan itself


def with_marks(content: PageContent) -> PageContent:
    """Return a scanned page with the rules, drawings and pictures that its pixels show.

    The picture that is the page itself is left out. Other pages come back unchanged.
    """
    if not content.scanned or content.marked or content.render is None:
        return content
    from solarmini.layout.tables.pixels import fills_from_pixels, rules_from_pixels

    image = content.render(DPI)
    dpi = 72.0 * image.shape[1] / content.width  # what the limits left of it
    rules = [*content.rules, *rules_from_pixels(image, dpi)]
    fills = fills_from_pixels(image, dpi)
    grounds = [f.box for f in fills if _holds_text(f.box, content.lines)]
    covered = [w.box for line in content.lines for w in line.words]
    covered += [rule.box for rule in rules] + grounds
    photos, strokes, grids = _pieces(image, 72.0 / dpi, covered, content.lines)
    page = content.box
    own = [p for p in content.pictures if p.box.overlap(page) < WHOLE * page.area]
    fills = [f for f in fills if not any(f.box.inside(p.box) > 0.5 for p in photos)]
    strokes = [
        s
        for s in strokes
        if not s.filled or not any(s.box.overlap(f.box) > 0.5 * s.box.area for f in fills)
    ]
    return replace(
        content,
        rules=rules + grids,
        drawings=[*content.drawings, *fills, *strokes],
        pictures=[*own, *photos],
        marked=True,
    )


def _holds_text(box: Box, lines: Sequence[Line]) -> bool:
    """Whether a fill is the ground of some text, not a bar with a label in it."""
    return any(
        line.box.inside(box) > 0.6 and line.box.area > 0.04 * box.area and line.box.width > 8
        for line in lines
    )


def _pieces(
    image: np.ndarray, scale: float, covered: Sequence[Box], lines: Sequence[Line]
) -> tuple[list[Picture], list[Drawing], list[Rule]]:
    """Return photographs, strokes and pale rules; `scale` is points per pixel of `image`.

    Ink in the boxes `covered` is left out: what it is is known.
    """
    high, wide = image.shape[0] // STEP * STEP, image.shape[1] // STEP * STEP
    if not high or not wide or image.ndim == 2:
        return [], [], []
    parts = [image[y:high:STEP, x:wide:STEP, :3] for y in range(STEP) for x in range(STEP)]
    small = np.minimum.reduce(parts)  # thin lines stay whole
    scale *= STEP
    mask = _ink(small)
    for box in covered:
        _clear(mask, box.grown(1.2), scale)
    gray = small.mean(axis=2, dtype=np.float32)
    blobs = find_blobs(mask, gray)
    sizes = sorted(line.size for line in lines) or [10.0]
    least = STROKE * sizes[len(sizes) // 2]
    photos: list[Picture] = []
    strokes: list[Drawing] = []
    rules: list[Rule] = []
    for (left, top, right, bottom), area in zip(blobs.boxes.tolist(), blobs.area, strict=True):
        box = Box(left * scale, top * scale, right * scale, bottom * scale)
        if max(box.width, box.height) < least or min(box.width, box.height) < 2.0:
            continue
        share = float(area) / max((right - left) * (bottom - top), 1)
        piece = mask[top:bottom, left:right]
        part = gray[top:bottom, left:right][piece]
        if min(box.width, box.height) >= PHOTO and share >= DENSE and part.std() >= SHADES:
            photos.append(Picture(box, (round(box.width / scale), round(box.height / scale))))
        elif share < DENSE and (grid := _grid(piece, box, scale)):
            rules += grid
        elif share < DENSE:
            strokes.append(Drawing(box, False, False, min(box.width, box.height) > least))
        elif share > SOLID:
            strokes.append(Drawing(box, True, True, False, round(float(part.mean())) * 0x10101))
    return photos, strokes, rules


def _grid(piece: np.ndarray, box: Box, scale: float) -> list[Rule]:
    """The rules of a piece that is next to nothing but rules: a frame with cells in it."""
    if min(box.width, box.height) < 2 * PHOTO:
        return []
    from solarmini.layout.tables.pixels import rules_in

    found = rules_in(piece, 72.0 / scale)
    inked = sum(rule.box.area for rule in found) / scale**2
    few = min(sum(r.horizontal for r in found), sum(not r.horizontal for r in found)) < 2
    if few or len(found) < 5 or inked < GRID * piece.sum():
        return []
    x, y = box.left, box.top
    return [
        replace(
            rule,
            box=Box(rule.box.left + x, rule.box.top + y, rule.box.right + x, rule.box.bottom + y),
        )
        for rule in found
    ]


def _ink(image: np.ndarray) -> np.ndarray:
    """Pixels that differ from the paper, the commonest colour, bool (height, width)."""
    coarse = (image >> 4).astype(np.int32)
    code = coarse[..., 0] << 8 | coarse[..., 1] << 4 | coarse[..., 2]
    common = int(np.bincount(code.ravel(), minlength=4096).argmax())
    paper = np.median(image[code == common], axis=0)
    return np.asarray(np.abs(image - paper.astype(np.int16)).max(axis=2) > INK)


def _clear(mask: np.ndarray, box: Box, scale: float) -> None:
    left, top = max(int(box.left / scale), 0), max(int(box.top / scale), 0)
    mask[top : int(box.bottom / scale) + 1, left : int(box.right / scale) + 1] = False
