"""Paragraphs put together again that the end of a column or page had cut in two."""

from collections.abc import Iterable

from solarmini.layout.document import Element, Span


def flowing(elements: Iterable[Element]) -> list[Element]:
    """Return elements with those joined to the one before them that they continue.

    What has a figure, a footnote or the like in between stays where it stands on the page.
    """
    found: list[Element] = []
    last: int | None = None  # id of the element whose text stands last
    for element in elements:
        if element.continues is not None and element.continues == last:
            first = found[-1]
            glue = _glue(first.text[-1:], element.text[:1])
            spans = (*first.spans, *([Span(text=glue)] if glue else []), *element.spans)
            found[-1] = first.model_copy(update={"spans": spans})
        else:
            found.append(element)
        last = element.id
    return found


def _glue(last: str, first: str) -> str:
    """A space, but between ideographs nothing."""
    return "" if all("\u3040" <= c <= "\u9fff" for c in (last, first) if c) else " "
