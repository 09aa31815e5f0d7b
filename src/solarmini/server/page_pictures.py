"""Pictures of a document's pages, drawn in a process of its own."""

import asyncio
import base64
import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request

from solarmini.errors import DocumentError, SolarError
from solarmini.layout.stated import stated_number
from solarmini.server.body import Upload
from solarmini.server.documents import upload_of
from solarmini.server.errors import invalid
from solarmini.server.gate import Gate
from solarmini.server.respond import Json, while_connected
from solarmini.server.state import State, state_of

MOST = 16  # pages drawn in one request
_WIDTHS = (100, 2000)  # pixels
_PIXELS = 8_000_000  # of one picture
_SECONDS = 60.0  # processor time of one page
_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")
_TARGET = "solarmini.server.page_pictures:draw"
_drawing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Order:
    """What to draw: `width` in pixels; `angles` by which pages were turned to be read."""

    path: Path
    width: int
    angles: dict[int, float]
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """One page as JPEG; sizes in pixels."""

    total: int
    width: int
    height: int
    data: bytes


async def page_pictures(request: Request) -> Json:
    """Draw pages of an uploaded document: `pages` such as `1-4`, `width` in pixels."""
    state = state_of(request)
    upload = await upload_of(state, request)
    assert upload.path is not None
    path = upload.path
    try:
        order, numbers = _order_of(state, upload, path)
        gate = state.cache.setdefault("page pictures", Gate(1, state.settings.bounds.documents))
        gate.check()
        return Json(await while_connected(request.receive, _drawn(gate, order, numbers)))
    finally:
        path.unlink(missing_ok=True)


async def _drawn(gate: Gate, order: Order, numbers: list[int]) -> dict[str, Any]:
    await gate.acquire()
    task = asyncio.ensure_future(asyncio.to_thread(draw_all, order, numbers))

    def done(_: object) -> None:
        gate.release()
        if not task.cancelled():
            task.exception()  # whoever asked may have gone away before it was known

    task.add_done_callback(done)
    return await asyncio.shield(task)


def draw_all(order: Order, numbers: list[int]) -> dict[str, Any]:
    """Draw pages in a process that a hostile file may bring down; those that fail are left out.

    Raises what the file itself is refused with.
    """
    from solarmini.layout.workers import Crew

    pages, total, failed = [], 0, ""
    with _drawing, Crew(_TARGET, 1, wall_seconds=_SECONDS * 2) as crew:
        crew.submit(0, order, numbers)
        for result in crew.results():
            value = result.value
            if isinstance(value, SolarError):
                raise value
            if isinstance(value, Drawn):
                total = value.total
                pages.append(_as_json(result.item, value))
            failed = failed or result.failure or ""
    if failed and not pages:
        raise DocumentError(f"drawing the page {failed}", where="document")
    return {"total_pages": total, "pages": pages}


def _as_json(number: int, drawn: Drawn) -> dict[str, Any]:
    return {
        "page": number,
        "width": drawn.width,
        "height": drawn.height,
        "type": "image/jpeg",
        "base64": base64.b64encode(drawn.data).decode(),
    }


def draw(order: Order, number: int) -> Drawn | SolarError | None:
    """Draw one page, in the worker process; None where that page cannot be drawn."""
    from solarmini.layout.clock import OutOfTimeError, time_limit
    from solarmini.layout.limits import Limits
    from solarmini.layout.source import open_source

    limits = Limits(max_bytes=order.max_bytes, max_render_pixels=_PIXELS)
    try:
        with (
            time_limit(_SECONDS, kill=True),
            open_source(order.path, limits=limits, name="document") as source,
        ):
            if number > source.total_pages:
                return None
            try:
                return _drawn_page(source, order, number)
            except SolarError:
                return None
    except SolarError as error:
        return error
    except OutOfTimeError:
        return None


def _drawn_page(source: Any, order: Order, number: int) -> Drawn | None:
    import numpy as np

    from solarmini.layout.pictures import as_jpeg

    content = source.page(number)
    if content.render is None:
        return None
    pixels = content.render(72 * order.width / max(content.width, 1.0))
    quarters = round(order.angles.get(number, 0.0) / 90) % 4
    pixels = np.ascontiguousarray(np.rot90(pixels, -quarters))
    height, width = pixels.shape[:2]
    return Drawn(source.total_pages, width, height, as_jpeg(pixels, 82))


def _order_of(state: State, upload: Upload, path: Path) -> tuple[Order, list[int]]:
    fields = upload.fields
    width = stated_number(_whole(fields.get("width", "1000")))
    if not _WIDTHS[0] <= width <= _WIDTHS[1]:
        raise invalid(f"width is a number from {_WIDTHS[0]} to {_WIDTHS[1]}.", "width")
    found = _RANGE.fullmatch(_whole(fields.get("pages", "1")))
    if found is None:
        raise invalid("pages is a number, or two with a dash between.", "pages")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last:
        raise invalid("pages begins with a page from 1 on and does not run backwards.", "pages")
    if last - first >= MOST:
        raise invalid(f"At most {MOST} pages are drawn in one request.", "pages")
    angles = _angles(fields.get("angles", ""))
    most = state.settings.bounds.upload_bytes
    return Order(path, width, angles, most), list(range(first, last + 1))


def _whole(text: str) -> str:
    """Take 3.0 for 3, as everywhere."""
    return text.strip().removesuffix(".0")


def _angles(text: str) -> dict[int, float]:
    if not text:
        return {}
    try:
        return {int(page): float(angle) for page, angle in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise invalid("angles is an object from page to degrees.", "angles") from None
