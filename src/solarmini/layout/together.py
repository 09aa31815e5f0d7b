"""The pages of a document put together: what only all of them can tell."""

from collections.abc import Sequence

from solarmini.errors import SolarError
from solarmini.layout.document import Page, Problem
from solarmini.layout.primitives import PageDraft
from solarmini.layout.reading import Reading
from solarmini.layout.work import unpack


def put_together(packed: Sequence[bytes], reading: Reading) -> tuple[list[Page], list[Problem]]:
    """Return the typed pages of packed drafts, and the problems that the drafts name.

    Where the document-wide pass breaks, every page is finished by itself and a problem says so.
    """
    from solarmini.layout.assemble import finish

    drafts = [unpack(one) for one in packed]
    problems = [problem for draft in drafts for problem in draft.problems]
    try:
        if reading.merge_tables and len(drafts) > 1:
            drafts = _tables_joined(drafts)
        return finish(drafts), problems
    except SolarError:
        raise
    except Exception as error:
        what = f"the pages could not be joined ({type(error).__name__}: {error}): each is by itself"
        problems.append(Problem(what=what))
    pages: list[Page] = []
    for draft in map(unpack, packed):
        pages += _alone(draft, sum(len(page.elements) for page in pages), problems)
    return pages, problems


def _tables_joined(drafts: list[PageDraft]) -> list[PageDraft]:
    """Join tables over page breaks; running headers and footers between the parts do not count."""
    from solarmini.layout.assemble.finish import find_running
    from solarmini.layout.tables import join_tables

    find_running(drafts)
    return join_tables(drafts)


def _alone(draft: PageDraft, start: int, problems: list[Problem]) -> list[Page]:
    from solarmini.layout.assemble import finish

    try:
        [page] = finish([draft])
    except Exception as error:
        what = f"the page could not be put in order ({type(error).__name__}: {error})"
        problems.append(Problem(what=what, page=draft.number, fatal=True))
        return []
    shift = {
        "elements": tuple(
            e.model_copy(
                update={
                    "id": e.id + start,
                    "caption": None if e.caption is None else e.caption + start,
                    "continues": None if e.continues is None else e.continues + start,
                }
            )
            for e in page.elements
        )
    }
    return [page.model_copy(update=shift)]
