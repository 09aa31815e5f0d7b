"""OCR of a page: draw it, turn it upright, read it, and hand back lines in points."""

from dataclasses import replace

import numpy as np

from solarmini.layout.document import Problem
from solarmini.layout.limits import Limits
from solarmini.layout.ocr.engines import choose_engine
from solarmini.layout.ocr.lines import lines_of
from solarmini.layout.ocr.pixels import resize
from solarmini.layout.ocr.reading import Budget, Engine
from solarmini.layout.ocr.sieve import sifted
from solarmini.layout.ocr.turning import Turn, upright
from solarmini.layout.primitives import PageContent, Picture, Renderer

USUAL_DPI = 200.0  # of a page whose own resolution is not known
LEAST_SIDE = 32  # pixels; smaller pictures hold no text that could be read
BLANK = 10.0  # standard deviation of gray levels that no part of a blank page reaches
_PART = 16  # pixels along and across such a part, every fourth pixel taken


def needs_ocr(content: PageContent) -> bool:
    """Whether a page's text must come from its pixels.

    So it is where the reader says so (no text layer, or one that is garbage), and where a picture
    covers most of a page that has next to no text (a scan with a stamped page number).
    """
    if content.scanned:
        return True
    if content.render is None or content.ocr:
        return False
    letters = sum(len(line.text) for line in content.lines)
    return letters < 40 and _covering(content) is not None


def _covering(content: PageContent) -> Picture | None:
    """The picture that covers at least 60 % of the page, if one does."""
    page = content.box
    return max(
        (p for p in content.pictures if p.box.overlap(page) >= 0.6 * page.area),
        key=lambda p: p.pixels[0] * p.pixels[1],
        default=None,
    )


def reading_dpi(content: PageContent, limits: Limits) -> float:
    """Return the resolution at which a page is drawn for reading.

    That of the scan itself where a picture covers the page, between 72 and 220 dpi of a page in
    points; never more pixels than `limits` allow.
    """
    scan = _covering(content)
    dpi = USUAL_DPI
    if scan is not None:
        dpi = min(max(scan.pixels[0] / max(scan.box.width, 1.0) * 72, 72.0), 220.0)
    pixels = content.width * content.height * (dpi / 72) ** 2
    most = min(limits.max_render_pixels, 12_000_000)
    return dpi * min(1.0, (most / pixels) ** 0.5)


def is_blank(image: np.ndarray) -> bool:
    """Whether nothing stands on a picture (h, w, 3), not even one word on a large page."""
    gray = image[::4, ::4].mean(axis=2)
    high, wide = (max(size // _PART, 1) for size in gray.shape)
    high, wide = min(high, gray.shape[0]), min(wide, gray.shape[1])
    rows = np.array_split(gray, high)
    return not any(part.std() >= BLANK for row in rows for part in np.array_split(row, wide, 1))


def recognise(
    content: PageContent,
    *,
    languages: tuple[str, ...] = ("en", "ko"),
    engine: str | Engine = "auto",
    limits: Limits | None = None,
) -> PageContent:
    """Return the page with its lines read from its pixels, in points of the page turned upright.

    `width`, `height` and `render` are those of the turned page and `angle` says how far it was
    turned. A page that cannot be drawn, or whose time runs out, comes back with what was read and
    a Problem that says so. Raises DocumentError for an unknown engine or language.
    """
    limits = limits or Limits()
    reader = choose_engine(engine, languages) if isinstance(engine, str) else engine
    if content.render is None:
        return _with_problem(content, "the page cannot be drawn, so its text cannot be read")
    dpi = reading_dpi(content, limits)
    image = content.render(dpi)
    budget = Budget(limits.ocr_seconds)
    if min(image.shape[:2]) < LEAST_SIDE or is_blank(image):
        return replace(content, lines=[], scanned=True, ocr=True)
    turn, image, spots = upright(image, reader.detector, reader.recogniser)
    read, unread = reader.read(image, spots, budget)
    width, height = turn.size(content.width, content.height)
    scale = (width / image.shape[1], height / image.shape[0])
    turned = _turned(content, turn, image, dpi)
    turned.lines = lines_of(sifted(read), scale)
    if unread:
        return _with_problem(
            turned,
            f"reading stopped after {limits.ocr_seconds:g} s: {unread} pieces of text unread",
            mend="raise the limit ocr_seconds",
        )
    return turned


def _with_problem(content: PageContent, what: str, mend: str | None = None) -> PageContent:
    problem = Problem(what=what, page=content.number, mend=mend)
    return replace(content, problems=[*content.problems, problem])


def _turned(content: PageContent, turn: Turn, image: np.ndarray, dpi: float) -> PageContent:
    """Return the page as it is seen once turned, without lines.

    What the reader knew of pictures and strokes is dropped where it no longer lies straight.
    """
    width, height = turn.size(content.width, content.height)
    drop = not turn.nothing
    return replace(
        content,
        width=width,
        height=height,
        lines=[],
        rules=[] if drop else content.rules,
        drawings=[] if drop else content.drawings,
        pictures=[] if drop else content.pictures,
        render=_renderer(content.render, turn, image, dpi),
        scanned=True,
        angle=turn.degrees,
        ocr=True,
    )


def _renderer(render: Renderer | None, turn: Turn, image: np.ndarray, dpi: float) -> Renderer:
    """Draw the turned page; the picture that was read serves for all smaller ones."""

    def draw(wanted: float) -> np.ndarray:
        if wanted <= dpi * 1.01 or render is None:
            share = min(wanted / dpi, 1.0)
            high, wide = image.shape[:2]
            return resize(image, max(round(wide * share), 1), max(round(high * share), 1))
        return turn.apply(render(wanted))

    return draw
