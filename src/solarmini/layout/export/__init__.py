"""A Document as HTML, Markdown, plain text, JSON, and as a picture of what was seen."""

from solarmini.layout.export.html import element_html, to_html
from solarmini.layout.export.markdown import element_markdown, to_markdown
from solarmini.layout.export.overlay import overlay_page, overlay_png, write_overlay
from solarmini.layout.export.plain import element_text, to_text
from solarmini.layout.export.wire import to_json

__all__ = [
    "element_html",
    "element_markdown",
    "element_text",
    "overlay_page",
    "overlay_png",
    "to_html",
    "to_json",
    "to_markdown",
    "to_text",
    "write_overlay",
]
