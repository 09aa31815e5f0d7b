"""A document as the JSON answer of Upstage's document-parse service.

Field by field what its clients read: `api`, `model`, `content`, `elements`, `usage`. Clients join
elements without a separator, so every text ends with a line break; formats that were not asked
for are empty strings.
"""

import base64
from collections.abc import Collection
from typing import Any

from solarmini.layout.document import Category, Document, Element
from solarmini.layout.export.html import element_html
from solarmini.layout.export.markdown import MarkdownWriter
from solarmini.layout.export.plain import element_text

API = "2.0"
MODEL = "solar-mini-layout"
FORMATS = ("html", "markdown", "text")


def to_json(
    document: Document,
    *,
    formats: Collection[str] = FORMATS,
    coordinates: bool = True,
    base64_categories: Collection[Category] = (),
    model: str = MODEL,
) -> dict[str, Any]:
    """Return the answer as an object for `json.dumps`.

    `formats` are those of html, markdown and text to fill; `coordinates=False` leaves the points
    of elements out; `base64_categories` get `base64_encoding`, if the document holds pictures of
    them. Headings of every level have the category heading1, the only one that the service knows;
    their HTML and Markdown keep the level.
    """
    writer = MarkdownWriter(rich=False, tables="html", images=None)
    elements = []
    whole: dict[str, list[str]] = {name: [] for name in FORMATS}
    for element in document.elements:
        content = _content(element, formats, writer)
        for name in FORMATS:
            whole[name].append(content[name])
        entry: dict[str, Any] = {"category": wire_category(element.category), "content": content}
        if coordinates:
            entry["coordinates"] = [{"x": p.x, "y": p.y} for p in element.polygon]
        if element.category in base64_categories and element.image is not None:
            entry["base64_encoding"] = base64.b64encode(element.image).decode()
        elements.append(entry | {"id": element.id, "page": element.page})
    joints = {"html": "", "markdown": "\n", "text": "\n"}
    return {
        "api": API,
        "content": {name: joints[name].join(filter(None, whole[name])) for name in FORMATS},
        "elements": elements,
        "model": model,
        "usage": {"pages": len(document.pages)},
    }


def wire_category(category: Category) -> str:
    """Return the service's name of a category."""
    if category.startswith("heading"):
        return "heading1"
    return "paragraph" if category == "code" else category


def _content(element: Element, formats: Collection[str], writer: MarkdownWriter) -> dict[str, str]:
    """Return the three texts of an element, each ended by a line break, or empty."""
    content = dict.fromkeys(FORMATS, "")
    if "html" in formats:
        content["html"] = element_html(element, images="none")
    if "markdown" in formats:
        content["markdown"] = writer.element(element)
    if "text" in formats:
        content["text"] = element_text(element)
    return {name: text + "\n" if text else "" for name, text in content.items()}
