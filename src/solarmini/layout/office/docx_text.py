"""Runs of a DOCX paragraph as styled spans (ECMA-376 part 1, 17.3)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from solarmini.layout.document import Span
from solarmini.layout.office.docx_lists import W

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
VML = "{urn:schemas-microsoft-com:vml}"
_SKIPPED = (f"{W}del", f"{W}moveFrom", f"{W}instrText", f"{W}delText", f"{MC}Fallback", f"{W}rt")
_TEXT = {
    f"{W}tab": "\t",
    f"{W}cr": "\n",
    f"{W}noBreakHyphen": "-",
    f"{W}ptab": "\t",
}


@dataclass(slots=True)
class ParagraphText:
    """What stands in a paragraph: text, and what is anchored in it."""

    spans: list[Span] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)  # relationship ids
    charts: list[str] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)  # w:txbxContent elements
    notes: list[tuple[str, str]] = field(default_factory=list)  # ("footnote" | "endnote", id)
    note_places: list[int] = field(default_factory=list)  # where in `spans` they are called
    page_breaks: int = 0  # before the first text
    late_breaks: int = 0  # after some text
    formula: bool = False

    @property
    def text(self) -> str:
        """Plain text."""
        return "".join(span.text for span in self.spans)


def read_paragraph(node: Any, links: dict[str, str]) -> ParagraphText:
    """Read a w:p. `links` are the addresses of the part's external relationships."""
    found = ParagraphText()
    _read_children(node, found, links, None)
    found.formula = node.find(f".//{M}oMathPara") is not None
    return found


def _read_children(
    node: Any, found: ParagraphText, links: dict[str, str], link: str | None
) -> None:
    for child in node:
        tag = child.tag
        if tag in _SKIPPED or not isinstance(tag, str):
            continue
        if tag == f"{W}r":
            _read_run(child, found, link)
        elif tag == f"{W}hyperlink":
            target = links.get(child.get(f"{R}id", ""), link)
            _read_children(child, found, links, target)
        elif tag in (f"{M}oMath", f"{M}oMathPara"):
            text = "".join(part.text or "" for part in child.iter(f"{M}t"))
            found.spans.append(Span(text=text))
        elif tag not in (f"{W}pPr", f"{W}sdtPr"):
            _read_children(child, found, links, link)


def _read_run(run: Any, found: ParagraphText, link: str | None) -> None:
    style = _style(run.find(f"{W}rPr"))
    if style is None:  # hidden text
        return
    for child in _run_parts(run):
        tag = child.tag
        text = _TEXT.get(tag, "")
        if tag == f"{W}t":
            text = child.text or ""
        elif tag == f"{W}br":
            if child.get(f"{W}type") == "page":
                _page_break(found)
            elif child.get(f"{W}type") != "column":
                text = "\n"
        elif tag == f"{W}lastRenderedPageBreak":
            _page_break(found)
        elif tag == f"{W}sym":
            code = child.get(f"{W}char", "")
            text = "•" if code.upper().startswith("F") else _character(code)
        elif tag in (f"{W}footnoteReference", f"{W}endnoteReference"):
            kind = "footnote" if "foot" in tag else "endnote"
            found.notes.append((kind, child.get(f"{W}id", "")))
            found.note_places.append(len(found.spans))
            found.spans.append(Span(text="*", superscript=True))  # numbered by the caller
        elif tag in (f"{W}drawing", f"{W}pict", f"{W}object"):
            _read_drawing(child, found)
        if text:
            found.spans.append(Span(text=text, link=link, **style))


def _run_parts(run: Any) -> Iterator[Any]:
    for child in run:
        if child.tag == f"{MC}AlternateContent":
            choice = child.find(f"{MC}Choice")
            yield from choice if choice is not None else ()
        elif isinstance(child.tag, str) and child.tag not in _SKIPPED:
            yield child


def _page_break(found: ParagraphText) -> None:
    if found.text.strip():
        found.late_breaks += 1
    else:
        found.page_breaks += 1


def _read_drawing(node: Any, found: ParagraphText) -> None:
    for box in node.iter(f"{W}txbxContent"):
        inside_fallback = any(parent.tag == f"{MC}Fallback" for parent in box.iterancestors())
        if not inside_fallback:
            found.boxes.append(box)
    for blip in node.iter(f"{A}blip"):
        found.pictures.append(blip.get(f"{R}embed", ""))
    for image in node.iter(f"{VML}imagedata"):
        found.pictures.append(image.get(f"{R}id", ""))
    for chart in node.iter(f"{C}chart"):
        found.charts.append(chart.get(f"{R}id", ""))


def _style(properties: Any) -> dict[str, bool] | None:
    """Return the style of a run, or None for hidden text."""
    if properties is None:
        return {}
    if _on(properties, "vanish"):
        return None
    raised = properties.find(f"{W}vertAlign")
    kind = raised.get(f"{W}val") if raised is not None else None
    style = {
        "bold": _on(properties, "b"),
        "italic": _on(properties, "i"),
        "superscript": kind == "superscript",
        "subscript": kind == "subscript",
    }
    return {name: True for name, on in style.items() if on}


def _on(properties: Any, name: str) -> bool:
    node = properties.find(f"{W}{name}")
    return node is not None and node.get(f"{W}val", "true") not in ("0", "false", "off", "none")


def _character(code: str) -> str:
    try:
        return chr(int(code, 16))
    except (ValueError, OverflowError):
        return ""
