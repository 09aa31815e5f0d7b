"""Bounds on a ZIP of XML before a library opens it."""

import zipfile
from pathlib import Path
from typing import IO

from solarmini.errors import DocumentError, EncryptedDocumentError, LimitError
from solarmini.layout.limits import Limits

MOST_PARTS = 20_000
_XML_SHARE = 16  # an XML part may have a sixteenth of `max_unpacked_bytes`: its tree is larger
_CHUNK = 1 << 20
# A DOCTYPE can define entities that grow without bound or name other files; office formats have
# none, in any encoding that an XML parser tells by itself.
_FORBIDDEN = tuple(
    text.encode(code)
    for text in ("<!DOCTYPE", "<!ENTITY")
    for code in ("ascii", "utf-16-le", "utf-16-be")
)
_OVERLAP = max(map(len, _FORBIDDEN)) - 1


def check_archive(path: Path, limits: Limits, name: str) -> None:
    """Raise LimitError or DocumentError where an archive is not fit to be opened.

    The sizes that it states are binding: Python's `zipfile` never gives more of a part than that.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS:
                raise LimitError(f"the file has {len(parts):,} parts", where=name)
            if any(part.flag_bits & 1 for part in parts):
                raise EncryptedDocumentError(
                    "the file is encrypted", where=name, mend="save it without a password"
                )
            total = sum(part.file_size for part in parts)
            if total > limits.max_unpacked_bytes:
                raise LimitError(
                    f"the file unpacks to {total:,} bytes; at most "
                    f"{limits.max_unpacked_bytes:,} are read",
                    where=name,
                    mend="raise max_unpacked_bytes",
                )
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels", ".hpf", ".vml")):
                    _check_xml(archive, part, limits, name)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise DocumentError(f"the file is a damaged ZIP archive: {error}", where=name) from error
    except Exception as error:
        if type(error).__name__ in ("error", "LZMAError"):  # of zlib and lzma
            raise DocumentError("the file is a damaged ZIP archive", where=name) from error
        raise


def _check_xml(archive: zipfile.ZipFile, part: zipfile.ZipInfo, limits: Limits, name: str) -> None:
    most = limits.max_unpacked_bytes // _XML_SHARE
    if part.file_size > most:
        raise LimitError(
            f"{part.filename} unpacks to {part.file_size:,} bytes; at most {most:,} are read",
            where=name,
            mend="raise max_unpacked_bytes",
        )
    with archive.open(part) as file:
        if _holds(file, _FORBIDDEN):
            raise LimitError(
                f"{part.filename} defines XML entities, which office files do not", where=name
            )


def _holds(file: IO[bytes], needles: tuple[bytes, ...]) -> bool:
    tail = b""
    while chunk := file.read(_CHUNK):
        window = tail + chunk
        if any(needle in window for needle in needles):
            return True
        tail = window[-_OVERLAP:]
    return False
