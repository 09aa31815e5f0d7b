"""What was seen, drawn on the pages: boxes by category, the order of reading, and the text.

One HTML file that needs no network, or a PNG of one page. The page's script is ours alone, named
by its hash in the page's content security policy: nothing of the document can run.
"""

import base64
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, TextIO

from solarmini.layout.document import Category, Document, Element, Page, Polygon
from solarmini.layout.export.clean import clean
from solarmini.layout.export.html import data_uri, title_of
from solarmini.layout.export.plain import element_text

if TYPE_CHECKING:
    import numpy as np

Picture = Callable[[int], bytes | None]
"""Page number -> the page as PNG, JPEG or WebP; None where it cannot be drawn."""

COLORS: dict[Category, str] = {
    "paragraph": "#2f6fd0",
    "heading1": "#c2185b",
    "heading2": "#c2185b",
    "heading3": "#c2185b",
    "heading4": "#c2185b",
    "heading5": "#c2185b",
    "heading6": "#c2185b",
    "list": "#00796b",
    "table": "#b45309",
    "figure": "#6d28d9",
    "chart": "#9333ea",
    "caption": "#4d7c0f",
    "equation": "#0e7490",
    "header": "#64748b",
    "footer": "#64748b",
    "footnote": "#7c6f64",
    "index": "#1d4ed8",
    "code": "#334155",
}
_WIDTH = 1000  # of a page in the units of its drawing


def overlay_page(document: Document, picture: Picture) -> str:
    """Return the overlay as one self-contained HTML page."""
    return "".join(_parts(document, picture))


def write_overlay(file: TextIO, document: Document, picture: Picture) -> None:
    """Write the overlay page by page: one picture in memory at a time."""
    for part in _parts(document, picture):
        file.write(part)


def _parts(document: Document, picture: Picture) -> Iterator[str]:
    script = _asset("overlay.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    title = escape(title_of(document))
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}: layout</title>\n<style>\n{_asset('overlay.css')}</style>\n"
        "</head>\n<body>\n"
    )
    yield _header(document, title)
    yield '<main tabindex="-1" aria-label="Pages">\n'
    for page in document.pages:
        yield _drawn(page, picture(page.number))
    yield "</main>\n<aside>\n"
    yield from _contents(document)
    yield f'<output aria-live="polite"></output>\n</aside>\n<script>{script}</script>\n'
    yield "</body>\n</html>\n"


@cache
def _asset(name: str) -> str:
    return (files("solarmini.layout.export") / name).read_text(encoding="utf-8")


def _header(document: Document, title: str) -> str:
    counts = Counter(element.category for element in document.elements)
    pages = len(document.pages)
    facts = f"{_counted(pages, 'page')}, {_counted(sum(counts.values()), 'element')}"
    kinds = "".join(
        f'<label><input type="checkbox" checked data-category="{name}">'
        f'<span class="chip" style="--c:{COLORS[name]}"></span>{name} {counts[name]}</label>'
        for name in COLORS
        if counts[name]
    )
    layers = "".join(
        f'<label><input type="checkbox" checked data-layer="{layer}">{text}</label>'
        for layer, text in (("order", "reading order"), ("cells", "table cells"))
    )
    return (
        f'<header>\n<h1 title="{title}">{title}</h1>\n<span class="facts">{facts}</span>\n'
        f"<fieldset><legend>Categories</legend>{kinds}</fieldset>\n"
        f"<fieldset><legend>Layers</legend>{layers}</fieldset>\n</header>\n"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _drawn(page: Page, picture: bytes | None) -> str:
    height = round(_WIDTH * page.height / page.width, 1)
    source = data_uri(picture) if picture else None
    image = (
        f'<img src="{source}" alt="Page {page.number}" loading="lazy" decoding="async" '
        f'width="{_WIDTH}" height="{round(height)}">'
        if source
        else f'<div class="blank" style="aspect-ratio:{_WIDTH}/{height}"></div>'
    )
    path = " ".join(
        f"{x:.0f},{y:.0f}"
        for x, y in (_start(element.polygon, height) for element in page.elements)
    )
    order = f'<polyline class="order" points="{path}"/>' if len(page.elements) > 1 else ""
    boxes = "\n".join(_box(element, height) for element in page.elements)
    return (
        f'<figure class="page" id="page-{page.number}">{image}\n'
        f'<svg viewBox="0 0 {_WIDTH} {height}" preserveAspectRatio="none" role="group" '
        f'aria-label="Page {page.number}">\n'
        f"{boxes}\n{order}</svg>\n<figcaption>{page.number}</figcaption></figure>\n"
    )


def _box(element: Element, height: float) -> str:
    points = _points(element.polygon, height)
    cells = ""
    if element.table is not None:
        cells = "".join(
            f'<polygon class="cell" points="{_points(cell.polygon, height)}"/>'
            for cell in element.table.cells
            if cell.polygon is not None and cell.page in (None, element.page)
        )
    x, y = _start(element.polygon, height)
    width = 8 + 7 * len(str(element.id))
    # the number stands outside the corner, so that it hides no letter
    x, y = min(max(x - width / 2 + 3, width / 2), _WIDTH - width / 2), max(y - 2, 8)
    label = escape(_head(element))
    return (
        f'<g class="element" data-of="{element.id}" data-kind="{element.category}" tabindex="0" '
        f'role="img" aria-label="{label}" style="--c:{COLORS[element.category]}">'
        f"<title>{label}\n{escape(_excerpt(element, 600), quote=False)}</title>"
        f'<polygon class="box" points="{points}"/>{cells}'
        f'<rect x="{x - width / 2:.0f}" y="{y - 8:.0f}" width="{width}" height="16" rx="3"/>'
        f'<text x="{x:.0f}" y="{y:.0f}">{element.id}</text></g>'
    )


def _contents(document: Document) -> Iterator[str]:
    yield '<nav aria-label="Elements in reading order">\n'
    if document.problems:
        yield "<h2>Problems</h2>\n<ol>\n"
        for problem in document.problems:
            where = f"page {problem.page}: " if problem.page else ""
            text = escape(clean(f"{where}{problem.what}"), quote=False)
            yield f'<li class="problem" style="padding:.2rem 1rem">{text}</li>\n'
        yield "</ol>\n"
    for page in document.pages:
        yield f"<h2>Page {page.number}</h2>\n<ol>\n"
        for element in page.elements:
            yield _row(element)
        yield "</ol>\n"
    yield "</nav>\n"


def _row(element: Element) -> str:
    head = escape(_head(element))
    said = escape(_excerpt(element, 160), quote=False)
    text = escape(element_text(element), quote=False)
    return (
        f'<li data-of="{element.id}" data-kind="{element.category}" data-head="{head}" '
        f'style="--c:{COLORS[element.category]}"><button type="button"><span class="chip"></span>'
        f'<b>{element.id}</b><span class="what"><small>{element.category}</small>'
        f'<span class="said">{said}</span></span></button><template>{text}</template></li>\n'
    )


def _head(element: Element) -> str:
    how = ", by OCR" if element.ocr else ""
    sure = f", {element.confidence:.0%} sure" if element.confidence < 0.995 else ""
    return f"{element.id} {element.category}{how}{sure}"


def _excerpt(element: Element, length: int) -> str:
    text = " ".join(element_text(element).split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _points(polygon: Polygon, height: float) -> str:
    return " ".join(f"{p.x * _WIDTH:.1f},{p.y * height:.1f}" for p in polygon)


def _start(polygon: Polygon, height: float) -> tuple[float, float]:
    """Return where reading begins: the first point of the polygon."""
    return polygon[0].x * _WIDTH, polygon[0].y * height


def overlay_png(page: Page, picture: "np.ndarray") -> bytes:
    """Return a page with its boxes and reading order drawn on it, as PNG.

    `picture` is the page as uint8 RGB (height, width, 3).
    """
    from PIL import Image, ImageDraw, ImageFont

    base = Image.fromarray(picture).convert("RGBA")
    wide, high = base.size
    scale = max(wide / _WIDTH, 0.5)
    layer = Image.new("RGBA", base.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    font = ImageFont.load_default(size=round(13 * scale))
    line = max(round(2 * scale), 1)
    starts = [(e.polygon[0].x * wide, e.polygon[0].y * high) for e in page.elements]
    for element in page.elements:
        color = _rgb(COLORS[element.category])
        points = [(p.x * wide, p.y * high) for p in element.polygon]
        draw.polygon(points, fill=(*color, 26))
        draw.line([*points, points[0]], fill=(*color, 255), width=line)
        if element.table is not None:
            for cell in element.table.cells:
                if cell.polygon is not None and cell.page in (None, element.page):
                    outline = [(p.x * wide, p.y * high) for p in cell.polygon]
                    draw.line([*outline, outline[0]], fill=(*color, 140), width=1)
    if len(starts) > 1:
        draw.line(starts, fill=(208, 16, 58, 150), width=line)
    for element, (x, y) in zip(page.elements, starts, strict=True):
        pad = 3 * scale
        left, top, right, bottom = draw.textbbox((0, 0), str(element.id), font=font)
        broad, tall = right - left + 2 * pad, bottom - top + 2 * pad
        # outside the corner, so that it hides no letter
        x, y = max(x - broad + pad, 0), max(y - tall / 2, 0)
        color = (*_rgb(COLORS[element.category]), 255)
        draw.rounded_rectangle((x, y, x + broad, y + tall), radius=pad, fill=color)
        draw.text((x + pad - left, y + pad - top), str(element.id), font=font, fill="white")
    file = io.BytesIO()
    Image.alpha_composite(base, layer).convert("RGB").save(file, "PNG", optimize=True)
    return file.getvalue()


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
