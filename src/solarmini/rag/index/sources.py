"""Which files are sources, and what each says: laid-out documents, and files of text."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from solarmini.errors import DocumentError, LimitError, UnsupportedFormatError
from solarmini.layout.document import Document
from solarmini.rag.chunk.blocks import blocks_of
from solarmini.rag.chunk.html import parse_html
from solarmini.rag.chunk.markdown import parse_markdown, parse_text
from solarmini.rag.chunk.model import Parsed

LayoutParser = Callable[[Path], Document]

TEXT_SUFFIXES: dict[str, Callable[[str], Parsed]] = {
    ".txt": parse_text,
    ".text": parse_text,
    ".md": parse_markdown,
    ".markdown": parse_markdown,
    ".html": parse_html,
    ".htm": parse_html,
}
_LAYOUT_SUFFIXES = """
.pdf .png .jpg .jpeg .tif .tiff .bmp .webp .gif .docx .pptx .xlsx
.hwpx
"""
LAYOUT_SUFFIXES = frozenset(_LAYOUT_SUFFIXES.split())
_MOST_TEXT = 64 * 2**20  # bytes of one file of text
_ENCODINGS = ("utf-8-sig", "cp949")  # Korean Windows files are often not UTF-8


def read_source(path: Path, layout: LayoutParser) -> Parsed:
    """Return the blocks of a file.

    Raises DocumentError (of which LimitError and UnsupportedFormatError are kinds) when it cannot
    be read.
    """
    suffix = path.suffix.lower()
    if suffix in TEXT_SUFFIXES:
        return TEXT_SUFFIXES[suffix](_text_of(path))
    if suffix in LAYOUT_SUFFIXES:
        return blocks_of(layout(path))
    raise UnsupportedFormatError(
        f"files ending in '{suffix}' are not read" if suffix else "a file without an ending",
        where=path,
        mend="known: " + " ".join(sorted(LAYOUT_SUFFIXES | TEXT_SUFFIXES.keys())),
    )


def _text_of(path: Path) -> str:
    if path.stat().st_size > _MOST_TEXT:
        raise LimitError(f"more than {_MOST_TEXT >> 20} MiB of text in one file", where=path)
    raw = path.read_bytes()
    if b"\0" in raw[:4096] and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError("not a text file: it holds binary data", where=path)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DocumentError("the text is neither UTF-8, UTF-16 nor CP949", where=path)


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files to index: those named, and in folders all of a known kind, in order.

    Hidden files and folders are passed over, and a folder reached through a link is not
    followed. Raises DocumentError for a path that is not there.
    """
    seen: set[Path] = set()
    for path in paths:
        found = sorted(_inside(path)) if path.is_dir() else [path]
        for file in found:
            place = file.resolve()
            if not place.is_file():
                raise DocumentError("no such file or folder", where=path)
            if place not in seen:
                seen.add(place)
                yield place


def _inside(folder: Path) -> Iterator[Path]:
    known = LAYOUT_SUFFIXES | TEXT_SUFFIXES.keys()
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(base, name)
            wanted = path.suffix.lower() in known and not name.startswith((".", "~$"))
            if wanted and path.is_file():
                yield path


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
