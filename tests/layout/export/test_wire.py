"""JSON: the shape that Upstage's clients read, and our own form without loss."""

import base64
import json

import pytest
from small_documents import PNG, document, of

from solarmini.layout.document import Document, Element, Span
from solarmini.layout.export import to_json, to_text
from solarmini.layout.export.wire import FORMATS

CATEGORIES = {
    *("paragraph", "table", "figure", "chart", "header", "footer", "caption", "equation"),
    *("heading1", "list", "index", "footnote"),
}


def check_shape(answer: dict) -> None:
    """What the document-parse service says of its answer."""
    assert set(answer) == {"api", "content", "elements", "model", "usage"}
    assert isinstance(answer["api"], str)
    assert isinstance(answer["model"], str)
    assert isinstance(answer["usage"]["pages"], int)
    assert set(answer["content"]) == set(FORMATS)
    for element in answer["elements"]:
        required = {"category", "content", "id", "page"}
        assert required <= set(element) <= required | {"coordinates", "base64_encoding"}
        assert element["category"] in CATEGORIES
        assert set(element["content"]) == set(FORMATS)
        assert all(isinstance(text, str) for text in element["content"].values())
        if "coordinates" in element:
            assert len(element["coordinates"]) == 4
            for point in element["coordinates"]:
                assert set(point) == {"x", "y"}
                assert 0 <= point["x"] <= 1
                assert 0 <= point["y"] <= 1


def test_the_answer_has_the_shape(sample: Document) -> None:
    answer = json.loads(json.dumps(to_json(sample)))
    check_shape(answer)
    assert [e["id"] for e in answer["elements"]] == list(range(14))
    assert [e["page"] for e in answer["elements"]] == [1] * 8 + [2] * 6
    assert answer["usage"]["pages"] == 2
    assert not any("base64_encoding" in element for element in answer["elements"])


def test_the_recorded_answers_of_the_service_have_it_too(shared: object) -> None:
    """Our reading of the shape holds for what the service itself said, older fields aside."""
    from pathlib import Path

    recorded = json.loads((Path(str(shared)) / "bench/layout/upstage_241024.json").read_text())
    for answer in list(recorded.values())[:20]:
        shown = {key: answer[key] for key in ("api", "content", "elements", "model", "usage")}
        check_shape(shown)


def test_every_text_ends_its_line(sample: Document) -> None:
    answer = to_json(sample)
    for element in answer["elements"]:
        for text in element["content"].values():
            assert text == "" or text.endswith("\n")
    joined = "".join(element["content"]["html"] for element in answer["elements"])
    assert joined == answer["content"]["html"]
    assert answer["content"]["text"] == to_text(sample)


@pytest.mark.parametrize("asked", [(), ("html",), ("markdown", "text")])
def test_formats_that_were_not_asked_for_are_empty(
    sample: Document, asked: tuple[str, ...]
) -> None:
    answer = to_json(sample, formats=asked, coordinates=False)
    check_shape(answer)
    for name in FORMATS:
        filled = any(element["content"][name] for element in answer["elements"])
        assert filled == bool(answer["content"][name]) == (name in asked)
    assert "coordinates" not in answer["elements"][0]


def test_levels_stay_in_the_html() -> None:
    answer = to_json(document(of("heading3", "Deep"), of("code", "x")))
    assert [e["category"] for e in answer["elements"]] == ["heading1", "paragraph"]
    assert answer["elements"][0]["content"]["html"].startswith("<h3 ")
    assert answer["elements"][0]["content"]["markdown"] == "### Deep\n"


def test_pictures_come_for_the_categories_asked(sample: Document) -> None:
    answer = to_json(sample, base64_categories=["figure", "table"])
    encoded = {e["id"]: e["base64_encoding"] for e in answer["elements"] if "base64_encoding" in e}
    assert base64.b64decode(encoded.pop(9)) == PNG
    assert encoded == {}
    assert "data:image" not in answer["content"]["html"]


def test_our_own_form_loses_nothing(sample: Document) -> None:
    again = Document.model_validate_json(sample.model_dump_json())
    assert again == sample
    assert [e.image for e in again.elements][9] == PNG


def test_raised_digits_do_not_join_the_number_before() -> None:
    spans = (Span(text="10"), Span(text="-6", superscript=True), Span(text="m of CO"))
    spans += (Span(text="2", subscript=True), Span(text="4"), Span(text="th", superscript=True))
    element: Element = of("paragraph", spans=spans)
    assert to_text(document(element)) == "10⁻⁶m of CO₂4th\n"
