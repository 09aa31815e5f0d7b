"""An open PDF: its pages one at a time, every handle closed as soon as it is done with."""

import contextlib
import ctypes
from collections.abc import Generator
from pathlib import Path

import numpy as np

from solarmini.errors import DocumentError, EncryptedDocumentError
from solarmini.layout.limits import Limits
from solarmini.layout.pdf import native
from solarmini.layout.pdf.characters import read_characters
from solarmini.layout.pdf.graphics import read_graphics
from solarmini.layout.pdf.health import judge
from solarmini.layout.pdf.lines import build_lines
from solarmini.layout.pdf.links import filled_in, read_links
from solarmini.layout.pdf.render import draw
from solarmini.layout.pdf.space import PageSpace, page_space
from solarmini.layout.primitives import PageContent


class PdfFile:
    """A PDF by path or as bytes.

    Safe to use from several threads: PDFium is not, so all work of a process takes turns behind
    one lock; workers in processes of their own open the file again, which costs a few
    milliseconds. Raises EncryptedDocumentError, DocumentError, LimitError.
    """

    def __init__(
        self, source: Path | bytes, *, limits: Limits, password: str | None, name: str
    ) -> None:
        self.limits = limits
        self.name = name
        self._bytes = source if isinstance(source, bytes) else None  # must outlive the handle
        self._handle = _open(source, password, name)
        with native.LOCK:
            self.total_pages = int(native.page_count(self._handle))
        if self.total_pages <= 0:
            self.close()
            raise DocumentError("the PDF has no pages", where=name, mend="the file is damaged")

    @property
    def title(self) -> str | None:
        """The title that the file states."""
        with native.LOCK:
            size = native.meta_text(self._opened(), b"Title", native.NULL, 0)
            if not 2 < size < 4096:
                return None
            out = ctypes.create_string_buffer(size)
            native.meta_text(self._opened(), b"Title", ctypes.addressof(out), size)
        text = out.raw.decode("utf-16-le", "ignore").split("\0")[0]
        return " ".join(text.split()) or None

    def page(self, number: int) -> PageContent:
        """Read page `number` (from 1). Raises DocumentError where it cannot be read."""
        with self._page(number) as (page, space):
            content = PageContent(number=number, width=space.width, height=space.height)
            content.render = _Renderer(self, number)
            graphics = read_graphics(page, space, self.limits, content)
            characters = read_characters(page, space, self.limits, content)
            links = read_links(self._opened(), page, space)
        content.lines = build_lines(characters, links, content, graphics.grounds)
        judge(content)
        return content

    def draw(self, number: int, dpi: float) -> np.ndarray:
        """Draw page `number`: uint8 RGB (height, width, 3), less than `dpi` where limits ask."""
        with self._page(number) as (page, space):
            return draw(page, space, dpi, self.limits.max_render_pixels)

    def close(self) -> None:
        """Free the document; a second call does nothing."""
        with native.LOCK:
            handle, self._handle = self._handle, native.NULL
            if handle:
                native.close_document(handle)
            self._bytes = None

    def _opened(self) -> int:
        if not self._handle:
            raise DocumentError("the document is closed already", where=self.name)
        return self._handle

    @contextlib.contextmanager
    def _page(self, number: int) -> Generator[tuple[int, PageSpace]]:
        if not 1 <= number <= self.total_pages:
            raise DocumentError(f"there is no page {number} of {self.total_pages}", where=self.name)
        with native.LOCK:
            page = native.load_page(self._opened(), number - 1)
            if not page:
                raise DocumentError(f"page {number} is damaged", where=self.name)
            try:
                if filled_in(page) and native.flatten(page, native.FOR_DISPLAY) == native.FLATTENED:
                    native.close_page(page)
                    page = native.load_page(self._opened(), number - 1)
                    if not page:
                        raise DocumentError(f"page {number} is damaged", where=self.name)
                yield page, page_space(page)
            except DocumentError as error:
                if error.where is None:
                    raise type(error)(
                        error.what, where=f"{self.name}, page {number}", mend=error.mend
                    ) from error
                raise
            finally:
                if page:
                    native.close_page(page)


class _Renderer:
    """Draws one page of an open file when asked."""

    def __init__(self, file: PdfFile, number: int) -> None:
        self.file = file
        self.number = number

    def __call__(self, dpi: float) -> np.ndarray:
        return self.file.draw(self.number, dpi)


def _open(source: Path | bytes, password: str | None, name: str) -> int:
    secret = None if password is None else password.encode("utf-8")
    with native.LOCK:
        if isinstance(source, bytes):
            address = ctypes.cast(ctypes.c_char_p(source), ctypes.c_void_p).value
            handle = native.load_memory(address, len(source), secret)
        else:
            handle = native.load_document(str(source).encode("utf-8"), secret)
        if handle:
            return handle
        reason = native.last_error()
    if reason == native.ERROR_PASSWORD:
        given = "the password is wrong" if password else "the PDF is encrypted"
        raise EncryptedDocumentError(given, where=name, mend="give the password it opens with")
    if reason == native.ERROR_SECURITY:
        raise EncryptedDocumentError(
            "the PDF is encrypted in a way that is not known", where=name, mend="decrypt it first"
        )
    raise DocumentError("the PDF is damaged and cannot be opened", where=name)
