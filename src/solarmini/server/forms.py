"""The forms with which documents come, as JSON schema.

A form's values are texts: a number, a truth value or null arrives as its name. A list has one part
for each entry, so that one of a single entry is that entry, and an empty one a field left out.
"""

from collections.abc import Iterable
from typing import Any

from solarmini.layout.document import CATEGORIES
from solarmini.server.documents import FORMATS

_FILE = {"type": "string", "format": "binary", "minLength": 1}


def _one_of(*values: Any) -> dict[str, Any]:
    """Return the schema of a form's field that has one of some values."""
    alone = [[value] for value in values if not isinstance(value, str) or not value]
    return {"enum": [*values, [], *alone]}


def _text(pattern: str, **rest: Any) -> dict[str, Any]:
    """Return the schema of a form's field by its pattern; `rest` is for those that are numbers."""
    kinds = ["string", "array", *(["integer"] if "minimum" in rest else [])]
    return {"type": kinds, "pattern": f"^(?:{pattern})$", "maxItems": 0, **rest}


def _list_of(names: Iterable[str]) -> dict[str, Any]:
    """Return the schema of a list: `a`, `a,b`, `["a"]`, `['a', 'b']`, or a part for each."""
    one = f"['\"]?(?:{'|'.join(names)})['\"]?"
    pattern = f"^\\[?(?:{one}(?:, ?{one})*)?\\]?$"
    return {"type": ["string", "array"], "pattern": pattern, "items": {"enum": [*names]}}


_YES_OR_NO = _one_of(
    *("true", "false", "True", "False", "yes", "no", "on", "off", "1", "0", "none", "null", ""),
    *(True, False, 1, 0, None),
)
FORMS: dict[str, dict[str, Any]] = {
    "document_parse": {
        "model": _text(".*"),
        "ocr": _one_of("auto", "force", "true", "false", True, False),
        "mode": _one_of("standard", "enhanced", "auto", "fast"),
        "output_formats": _list_of(FORMATS),
        "coordinates": _YES_OR_NO,
        "merge_multipage_tables": _YES_OR_NO,
        "base64_encoding": _list_of(CATEGORIES),
    },
    "layout_analysis": {"ocr": _YES_OR_NO},
    "add_document": {},
    "page_pictures": {
        "pages": _text(
            "[1-9][0-9]{0,5}|1-(?:[1-9]|1[0-6])",
            minimum=1,
            maximum=999_999,
            description="A page, or a range such as 17-32 of at most 16.",
        ),
        "width": _text("[1-9][0-9]{2}|1[0-9]{3}|2000", minimum=100, maximum=2000),
    },
}
FORMS["submit"] = FORMS["document_parse"]


def form_of(name: str) -> dict[str, Any]:
    """Return the schema of the form that a route takes."""
    properties = {"document": _FILE, **FORMS[name]}
    return {"type": "object", "required": ["document"], "properties": properties}
