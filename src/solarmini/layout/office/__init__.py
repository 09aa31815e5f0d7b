"""Office files as documents: DOCX, PPTX, XLSX, HWPX. They say what is a heading; no guessing."""

from collections.abc import Callable
from pathlib import Path

from solarmini.errors import DocumentError, SolarError
from solarmini.layout.office.archive import check_archive
from solarmini.layout.office.builder import Builder
from solarmini.layout.reading import Reading
from solarmini.layout.work import Format, Opened

__all__ = ["read_office"]


def read_office(path: Path, kind: Format, reading: Reading, *, name: str) -> Opened:
    """Read an office file whole.

    Raises LimitError (zip bombs, XML of more than `max_unpacked_bytes` or with entities of its
    own), EncryptedDocumentError, DocumentError where the file is damaged.
    """
    check_archive(path, reading.limits, name)
    builder = Builder(reading)
    try:
        title = _reader(kind)(path, builder)
    except SolarError as error:
        if error.where is None:
            raise type(error)(error.what, where=name, mend=error.mend) from error
        raise
    except Exception as error:  # the libraries raise whatever a damaged part leads them to
        what = f"the {kind} file is damaged ({type(error).__name__}: {error})"
        raise DocumentError(what, where=name) from error
    pages = builder.pages()
    return Opened(kind, len(pages), title or None, tuple(pages), tuple(builder.problems))


def _reader(kind: Format) -> Callable[[Path, Builder], str | None]:
    if kind == "docx":
        from solarmini.layout.office.docx import read_docx

        return read_docx
    if kind == "pptx":
        from solarmini.layout.office.pptx import read_pptx

        return read_pptx
    if kind == "xlsx":
        from solarmini.layout.office.xlsx import read_xlsx

        return read_xlsx
    from solarmini.layout.office.hwpx import read_hwpx

    return read_hwpx
