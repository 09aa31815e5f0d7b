"""How one page is read: content → text from pixels where needed → regions → tables → blocks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from solarmini.errors import SolarError
from solarmini.layout.clock import time_limit
from solarmini.layout.crops import crop
from solarmini.layout.document import Category, Problem
from solarmini.layout.limits import Limits
from solarmini.layout.primitives import (
    FoundFigure,
    FoundTable,
    PageContent,
    PageDraft,
    Region,
)

if TYPE_CHECKING:
    from solarmini.layout.source import Source

Mode = Literal["default", "fast"]
Ocr = Literal["auto", "force", "never"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading:
    """What is asked of the reader; the same for every page of a file."""

    mode: Mode = "default"
    ocr: Ocr = "auto"
    languages: tuple[str, ...] = ("en", "ko")
    images: tuple[Category, ...] = ()
    merge_tables: bool = True
    limits: Limits = field(default_factory=Limits)
    password: str | None = None


def read_page(source: "Source", number: int, reading: Reading, *, kill: bool = False) -> PageDraft:
    """Read one page to a draft.

    A stage that fails on this page is left out and named in the draft's problems; only when not
    even the text can be had an error is raised. `kill`: see `time_limit`.
    """
    seconds = reading.limits.page_seconds
    with time_limit(seconds, kill=kill):
        content = source.page(number)
    with time_limit(seconds + reading.limits.ocr_seconds, kill=kill):
        content = _recognise(content, reading)
    with time_limit(seconds, kill=kill):
        draft = _analyse(content, reading)
        if reading.images:
            crop(draft, content, reading.images)
    return draft


def _recognise(content: PageContent, reading: Reading) -> PageContent:
    """Read the text from the page's pixels where it has none, or where that was asked for."""
    if reading.ocr == "never":
        if content.scanned:
            content.problems.append(
                Problem(
                    what="the page is a picture and OCR is switched off: its text was not read",
                    page=content.number,
                    mend="allow OCR",
                )
            )
        return content
    pictures = [picture.box for picture in content.pictures]
    if reading.ocr == "auto" and not content.scanned and content.lines and not pictures:
        return content  # the usual page; OCR's modules need not be loaded
    from solarmini.layout.ocr import needs_ocr, recognise, recognise_inside

    if reading.ocr == "force" or needs_ocr(content):
        return recognise(content, languages=reading.languages, limits=reading.limits)
    if reading.mode == "fast":
        return content
    return recognise_inside(content, pictures, languages=reading.languages, limits=reading.limits)


def _analyse(content: PageContent, reading: Reading) -> PageDraft:
    from solarmini.layout.assemble import draft_page

    content = _stage(content, "the search for strokes", lambda: _marked(content), content)
    regions = _stage(content, "the layout model", lambda: _regions(content, reading), [])
    tables = _stage(
        content, "the search for tables", lambda: _tables(content, regions, reading), []
    )
    figures = _stage(
        content, "the search for figures", lambda: _figures(content, tables, regions), []
    )
    return draft_page(content, tables, figures, regions)


def _marked(content: PageContent) -> PageContent:
    if not content.scanned:
        return content
    from solarmini.layout.scans import with_marks

    return with_marks(content)


def _tables(content: PageContent, regions: list[Region], reading: Reading) -> list[FoundTable]:
    from solarmini.layout.tables import find_tables

    if reading.mode == "fast":
        return find_tables(content, regions)
    from solarmini.layout.models import table_model

    return find_tables(content, regions, table_model())


def _figures(
    content: PageContent, tables: list[FoundTable], regions: list[Region]
) -> list[FoundFigure]:
    from solarmini.layout.figures import find_figures

    return find_figures(content, tables, regions)


def _stage(content: PageContent, name: str, work: Callable[[], T], otherwise: T) -> T:
    """Do one stage; where it breaks on this page, go on without it and say so."""
    try:
        return work()
    except SolarError:
        raise
    except Exception as error:
        what = f"{name} failed ({type(error).__name__}: {error}); read without it"
        content.problems.append(Problem(what=what, page=content.number))
        return otherwise


def _regions(content: PageContent, reading: Reading) -> list[Region]:
    if reading.mode == "fast" or content.render is None:
        return []
    from solarmini.layout.models import layout_model

    model = layout_model()
    return model.detect(content.render(model.dpi), model.dpi)
