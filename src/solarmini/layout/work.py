"""What a worker process answers: how many pages a file has, and its pages one by one."""

import io
import pickle
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from solarmini.errors import DocumentError, LimitError, MissingExtraError, SolarError
from solarmini.layout.clock import OutOfTimeError, time_limit
from solarmini.layout.document import Page, Problem
from solarmini.layout.primitives import Font, Line, PageDraft, Word
from solarmini.layout.reading import Reading, read_page

if TYPE_CHECKING:
    from solarmini.layout.source import Source

Format = Literal["pdf", "image", "docx", "pptx", "xlsx", "hwpx"]
OFFICE = ("docx", "pptx", "xlsx", "hwpx")
_LINES = 4
_MEND_TIME = "raise page_seconds of the limits, or leave this page out"


@dataclass(frozen=True, slots=True)
class Order:
    """One file to read: where it is, what it is called, and how to read it."""

    path: Path
    name: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file says of itself. Office files come whole: their `pages` are done."""

    format: Format
    total_pages: int
    title: str | None
    pages: tuple[Page, ...] = ()
    problems: tuple[Problem, ...] = ()


def answer(order: Order, item: Literal["open"] | int) -> Opened | SolarError | Problem | bytes:
    """Answer in a worker: facts of the file for "open", a packed draft for a page number."""
    if item == "open":
        try:
            with time_limit(order.reading.limits.page_seconds, kill=True):
                opened, source = open_order(order)
                if source is not None:
                    source.close()
                return opened
        except SolarError as error:
            return error
        except OutOfTimeError as error:
            return late(order.name, error)
        except Exception as error:
            return unforeseen(order.name, error)
    try:
        draft = draft_of(_source(order), item, order, kill=True)
    except SolarError as error:
        return error
    return draft if isinstance(draft, Problem) else pack(draft)


def draft_of(
    source: "Source", number: int, order: Order, *, kill: bool = False
) -> PageDraft | Problem:
    """Read a page; whatever goes wrong becomes a Problem that names it.

    MissingExtraError is raised: it is the same for every page.
    """
    try:
        return thin(read_page(source, number, order.reading, kill=kill))
    except MissingExtraError:
        raise
    except SolarError as error:
        return Problem(what=error.what, page=number, mend=error.mend, fatal=True)
    except OutOfTimeError as error:
        return Problem(what=f"the page {error}", page=number, mend=_MEND_TIME, fatal=True)
    except Exception as error:
        what = f"the page could not be read ({type(error).__name__}: {error})"
        return Problem(what=what, page=number, fatal=True)


_held: "list[tuple[Order, Source]]" = []  # the file that this worker has open


def _source(order: Order) -> "Source":
    if not _held or _held[0][0] != order:
        while _held:
            _held.pop()[1].close()
        _held.append((order, _open(order)))
    return _held[0][1]


def _open(order: Order) -> "Source":
    from solarmini.layout.source import open_source

    reading = order.reading
    return open_source(
        order.path, limits=reading.limits, password=reading.password, name=order.name
    )


def open_order(order: Order) -> "tuple[Opened, Source | None]":
    """Find out what a file is; returns it open where it has pages to read one by one."""
    from solarmini.layout.source import sniff

    kind = sniff(order.path, name=order.name, limits=order.reading.limits)
    if kind in OFFICE:
        from solarmini.layout.office import read_office

        return read_office(order.path, kind, order.reading, name=order.name), None
    source = _open(order)
    return Opened(source.format, source.total_pages, source.title), source


def late(name: str, error: OutOfTimeError) -> DocumentError:
    """Return the error of a file that takes too long to open."""
    return LimitError(f"opening the file {error}", where=name, mend="raise page_seconds")


def unforeseen(name: str, what: object) -> DocumentError:
    """Return the error of a file whose opening broke in a way that nobody foresaw."""
    text = f"{type(what).__name__}: {what}" if isinstance(what, Exception) else str(what)
    return DocumentError(f"the file cannot be opened: {text}", where=name)


def thin(draft: PageDraft) -> PageDraft:
    """Return a draft with no more of its lines than the document-wide pass looks at.

    That pass asks of a block how many lines up to four it has and how its longest is set; the text
    itself is in the spans. The lines of a long document would take ten times the memory.
    """
    for block in draft.blocks:
        if len(block.lines) > _LINES:
            longest = max(block.lines, key=lambda line: len(line.text))
            block.lines = [*block.lines[:_LINES], longest]
    return draft


def pack(draft: PageDraft) -> bytes:
    """Return a draft as few bytes: thousands wait for the end of a long document."""
    file = io.BytesIO()
    _Pickler(file, protocol=5).dump(draft)
    return zlib.compress(file.getbuffer(), 1)


class _Pickler(pickle.Pickler):
    """Words and lines as calls of their class: they are many, and ten times faster so."""

    def reducer_override(self, obj: object) -> Any:
        if isinstance(obj, (Word, Line, Font)):
            return type(obj), tuple(getattr(obj, name) for name in obj.__slots__)
        return NotImplemented


def unpack(packed: bytes) -> PageDraft:
    """Return what `pack` made bytes of."""
    return pickle.loads(zlib.decompress(packed))
