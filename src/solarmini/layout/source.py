"""Which kind of document some bytes are, and its pages one at a time."""

import io
import zipfile
from pathlib import Path
from typing import Literal, Protocol, Self

from solarmini.errors import DocumentError, LimitError, UnsupportedFormatError
from solarmini.layout.limits import Limits
from solarmini.layout.primitives import PageContent

Format = Literal["pdf", "image", "docx", "pptx", "xlsx", "hwpx"]
SNIFFED = 1024  # bytes; a PDF's head may stand anywhere in them
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_IMAGES += (b"BM", b"GIF87a", b"GIF89a")
_OFFICE: dict[str, Format] = {
    "word/document.xml": "docx",
    "ppt/presentation.xml": "pptx",
    "xl/workbook.xml": "xlsx",
    "Contents/content.hpf": "hwpx",
}


class PageReader(Protocol):
    """What reads one kind of paged file."""

    total_pages: int

    @property
    def title(self) -> str | None:
        """Title that the file states."""
        ...

    def page(self, number: int) -> PageContent:
        """Read one page, counted from 1."""
        ...

    def close(self) -> None:
        """Free what is held."""
        ...


class Source:
    """An open document of pages; close it, or use it in a `with` block.

    Holds one file handle and no page: opening it again in a worker process is cheap. Its
    renderers work until it is closed.
    """

    def __init__(self, reader: PageReader, name: str, kind: Format, limits: Limits) -> None:
        self._reader = reader
        self.name = name
        self.format = kind
        self.limits = limits

    @property
    def total_pages(self) -> int:
        """Pages of the file, whether or not the limits let all be read."""
        return self._reader.total_pages

    @property
    def title(self) -> str | None:
        """Title that the file states, if any."""
        return self._reader.title

    def page(self, number: int) -> PageContent:
        """Read page `number` (from 1).

        Raises DocumentError where the page is damaged or does not exist, LimitError beyond the
        limits; other pages can be read after it. Problems that leave some content are in the
        result's `problems`.
        """
        if number > self.limits.max_pages:
            raise LimitError(
                f"page {number} is beyond the limit of {self.limits.max_pages} pages",
                where=self.name,
                mend="raise max_pages, or choose pages",
            )
        return self._reader.page(number)

    def close(self) -> None:
        """Free the file; renderers of its pages stop working."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_source(
    source: str | Path | bytes,
    *,
    limits: Limits | None = None,
    password: str | None = None,
    name: str | None = None,
) -> Source:
    """Open a PDF or a picture by path or as bytes; `name` is what errors call it.

    Raises UnsupportedFormatError, EncryptedDocumentError, LimitError, and DocumentError where
    the file is empty, missing or damaged.
    """
    limits = limits or Limits()
    path = None if isinstance(source, bytes) else Path(source)
    name = name or (str(path) if path else "bytes")
    kind = sniff(source, name=name, limits=limits)
    data = source if isinstance(source, bytes) else path
    assert data is not None
    if kind == "pdf":
        from solarmini.layout.pdf import PdfFile

        reader: PageReader = PdfFile(data, limits=limits, password=password, name=name)
    elif kind == "image":
        from solarmini.layout.picture import PictureFile

        reader = PictureFile(data, limits=limits, name=name)
    else:
        raise UnsupportedFormatError(f"a {kind} file has no pages to draw", where=name)
    return Source(reader, name, kind, limits)


def sniff(
    source: str | Path | bytes, *, name: str | None = None, limits: Limits | None = None
) -> Format:
    """Tell the kind of a document by its content, whatever it is called.

    Raises UnsupportedFormatError, DocumentError (missing, empty), LimitError (too many bytes).
    """
    limits = limits or Limits()
    if isinstance(source, bytes):
        size, head, where = len(source), source[:SNIFFED], name or "bytes"
    else:
        path = Path(source)
        where = name or str(path)
        size, head = _head(path, where)
    if size == 0:
        raise DocumentError("the file is empty", where=where)
    if size > limits.max_bytes:
        raise LimitError(
            f"the file has {size:,} bytes; at most {limits.max_bytes:,} are read",
            where=where,
            mend="raise max_bytes",
        )
    if head.startswith(_IMAGES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "image"
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        kind = _office(source, where)
        if kind:
            return kind
    raise UnsupportedFormatError(
        _guess(head),
        where=where,
        mend="give PDF, PNG, JPEG, TIFF, BMP, WEBP, GIF, DOCX, PPTX, XLSX or HWPX",
    )


def _head(path: Path, where: str) -> tuple[int, bytes]:
    try:
        if not path.is_file():
            missing = "there is no such file" if not path.exists() else "this is not a file"
            raise DocumentError(missing, where=where)
        with path.open("rb") as file:
            return path.stat().st_size, file.read(SNIFFED)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"the file cannot be read: {reason}", where=where) from error


def _office(source: str | Path | bytes, where: str) -> Format | None:
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as file:
            names = set(file.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DocumentError("the file is a damaged ZIP archive", where=where) from error
    return next((kind for part, kind in _OFFICE.items() if part in names), None)


def _guess(head: bytes) -> str:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "this is an old binary or an encrypted Office file"
    if head.startswith(b"PK"):
        return "this is a ZIP archive of no known kind of document"
    if b"\0" not in head:
        return "this is plain text, or a kind of document that is not read"
    return "this is a kind of document that is not read"
