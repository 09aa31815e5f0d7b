"""Documents → typed elements in reading order → HTML, Markdown, text, JSON. Imports no torch.

from solarmini.layout import parse, to_html
document = parse("paper.pdf")
print(to_html(document))
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solarmini.layout.document import Document, Element, Page
    from solarmini.layout.driver import Parser, parse
    from solarmini.layout.export import to_html, to_json, to_markdown, to_text
    from solarmini.layout.limits import Limits

__all__ = [
    "Document",
    "Element",
    "Limits",
    "Page",
    "Parser",
    "parse",
    "to_html",
    "to_json",
    "to_markdown",
    "to_text",
]

_PLACES = {
    "Document": "document",
    "Element": "document",
    "Limits": "limits",
    "Page": "document",
    "Parser": "driver",
    "parse": "driver",
    "to_html": "export",
    "to_json": "export",
    "to_markdown": "export",
    "to_text": "export",
}


def __getattr__(name: str) -> Any:  # loaded when first used: workers import this package too
    if name not in _PLACES:
        raise AttributeError(f"module 'solarmini.layout' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"solarmini.layout.{_PLACES[name]}"), name)
