"""A document as the first layout service answered: boxes in pixels, HTML and text an element."""

from typing import TYPE_CHECKING, Any

from solarmini.layout.export.html import element_html
from solarmini.layout.export.plain import element_text
from solarmini.layout.export.wire import wire_category

if TYPE_CHECKING:
    from solarmini.layout.document import Document

_SCALE = 150 / 72  # the service drew pages at 150 dpi


def legacy_answer(document: "Document") -> dict[str, Any]:
    """Return the answer as an object for `json.dumps`."""
    elements, html, texts = [], [], []
    for page in document.pages:
        width, height = round(page.width * _SCALE), round(page.height * _SCALE)
        for element in page.elements:
            markup, text = element_html(element, images="none"), element_text(element)
            html.append(markup)
            texts.append(text)
            box = [{"x": round(p.x * width), "y": round(p.y * height)} for p in element.polygon]
            elements.append(
                {
                    "bounding_box": box,
                    "category": wire_category(element.category),
                    "html": markup + "\n",
                    "id": element.id,
                    "page": element.page,
                    "text": text + "\n",
                }
            )
    sizes = [
        {"page": p.number, "width": round(p.width * _SCALE), "height": round(p.height * _SCALE)}
        for p in document.pages
    ]
    return {
        "api": "1.1",
        "billed_pages": len(document.pages),
        "elements": elements,
        "html": "\n".join(html),
        "metadata": {"pages": sizes},
        "mimetype": "multipart/form-data",
        "model": "layout-analyzer-0.1.0",
        "text": "\n".join(texts),
    }
