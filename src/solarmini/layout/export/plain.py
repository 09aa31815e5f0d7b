"""Plain text of a document."""

import re

from solarmini.layout.document import Document, Element, Span
from solarmini.layout.export.clean import clean
from solarmini.layout.export.flow import flowing

_RAISED = str.maketrans("0123456789+-=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_DIGITS = re.compile(r"[0-9+\-=()\s,*†‡]*")


def plain(span: Span) -> str:
    """Return a span's text; raised and lowered digits as the characters that Unicode has.

    So ten to the sixth does not become a hundred and six. Raised words stay as they are.
    """
    text = clean(span.text)
    if span.superscript and _DIGITS.fullmatch(text):
        return text.translate(_RAISED)
    if span.subscript and _DIGITS.fullmatch(text):
        return text.translate(_LOWERED)
    return text


def element_text(element: Element) -> str:
    """Return the text of an element: list items one a line, table cells with tabs between."""
    if element.items:
        lines = (f"{clean(i.marker)} {''.join(map(plain, i.spans))}" for i in element.items)
        return "\n".join(line.strip() for line in lines)
    if element.table is not None:
        rows: list[list[str]] = [[] for _ in range(element.table.rows)]
        for cell in element.table.cells:
            rows[cell.row].append("".join(map(plain, cell.spans)).replace("\n", " "))
        return "\n".join("\t".join(row) for row in rows)
    return "".join(map(plain, element.spans)).strip("\n")


def to_text(document: Document) -> str:
    """Return the text of all elements in reading order, with an empty line between them."""
    texts = (element_text(element) for element in flowing(document.elements))
    joined = "\n\n".join(text for text in texts if text.strip())
    return joined + "\n" if joined else ""
