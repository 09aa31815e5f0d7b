"""Plain text: golden file."""

from pathlib import Path

from small_documents import document, of

from solarmini.layout.document import Document
from solarmini.layout.export import to_text

GOLDEN = Path(__file__).parent / "golden"


def test_golden(sample: Document) -> None:
    assert to_text(sample) == (GOLDEN / "sample.txt").read_text(encoding="utf-8")


def test_controls_and_breaks_are_cleaned() -> None:
    text = "a\x00b\x1b[31m\r\nc\u2028d\x85e\u202ef\ufeff"
    assert to_text(document(of("paragraph", text))) == "ab[31m\nc\nd\nef\ufeff\n"


def test_nothing_is_nothing() -> None:
    assert to_text(document()) == ""
    assert to_text(document(of("paragraph", " \n "))) == ""
