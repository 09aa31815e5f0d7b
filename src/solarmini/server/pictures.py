"""Pages of kept documents as pictures, drawn in a process of their own."""

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solarmini.layout.document import Document
from solarmini.server.errors import ApiError, unavailable
from solarmini.server.gate import Gate

if TYPE_CHECKING:
    from solarmini.layout.workers import Crew

_TARGET = "solarmini.server.pictures:answer"
_SECONDS = 60.0
_WAITING = 32


class Pictures:
    """Draws one page at a time; a file that crashes the drawing costs that page alone."""

    def __init__(self) -> None:
        self._gate = Gate(1, _WAITING)
        self._crew: Crew | None = None
        self._lock = threading.Lock()

    async def page(self, path: Path, document: Document, number: int) -> bytes:
        """Return a page as JPEG, turned as it was read; ApiError 404 where it cannot be drawn."""
        self._gate.check()
        await self._gate.acquire()
        try:
            drawing = asyncio.to_thread(self._draw, path, document, number)
            drawn, failure = await asyncio.shield(drawing)
        finally:
            self._gate.release()
        if failure is not None:
            raise unavailable(f"The page could not be drawn: it {failure}", "not_drawn")
        if drawn is None:
            raise ApiError(404, "There is no such page, or it has no picture.", "not_found")
        return drawn

    def _draw(self, path: Path, document: Document, number: int) -> tuple[bytes | None, str | None]:
        from solarmini.layout.workers import Crew

        with self._lock:
            if self._crew is None:
                self._crew = Crew(_TARGET, 1, wall_seconds=_SECONDS)
            bare = document.model_copy(
                update={
                    "pages": tuple(p.model_copy(update={"elements": ()}) for p in document.pages)
                }
            )
            self._crew.submit(0, (path, bare), [number])
            results = list(self._crew.results())
        return results[-1].value, results[-1].failure

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._crew is not None:
                self._crew.close()
                self._crew = None


def answer(payload: tuple[Path, Document], number: Any) -> bytes | None:
    """Draw one page; called in the process."""
    from solarmini.layout.pictures import as_jpeg, page_pixels

    path, document = payload
    with page_pixels(path, document) as draw:
        pixels = draw(number)
        return None if pixels is None else as_jpeg(pixels)
