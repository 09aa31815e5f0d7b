"""HWPX, the open format of Hancom's word processor (OWPML, KS X 6101): a ZIP of XML.

Names are matched without their namespace, which differs between versions of the format.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from solarmini.errors import DocumentError
from solarmini.layout.document import Category, Cell, ListItem, Span, Table
from solarmini.layout.office.builder import HEADINGS, Builder, grid_table, joined
from solarmini.layout.office.hwpx_head import Head, local
from solarmini.layout.office.xml import parse_xml
from solarmini.layout.stated import stated_number

_UNIT = 100.0  # HWPUNITs a point (1/7200 inch)


def read_hwpx(path: Path, builder: Builder) -> str | None:
    """Read an HWPX into `builder`; return its title."""
    with zipfile.ZipFile(path) as archive:
        manifest = parse_xml(archive.read("Contents/content.hpf"))
        items = {
            node.get("id", ""): (node.get("href", ""), node.get("media-type", ""))
            for node in manifest.iter()
            if local(node) == "item"
        }
        order = [n.get("idref", "") for n in manifest.iter() if local(n) == "itemref"]
        title = next((n.text for n in manifest.iter() if local(n) == "title" and n.text), None)
        head = Head.read(parse_xml(archive.read("Contents/header.xml")))
        reader = _Reader(archive, items, head, builder)
        sections = [
            name for key in order if (name := _inside(archive, items.get(key, ("", ""))[0]))
        ]
        sections = [name for name in sections if posixpath.basename(name).startswith("section")]
        if not sections:
            raise DocumentError("the file names no sections")
        for name in sections:
            reader.section(parse_xml(archive.read(name)))
    return title


def _inside(archive: zipfile.ZipFile, href: str) -> str | None:
    """Return the name in the archive of an address in the manifest, or None."""
    for name in (href, f"Contents/{href}"):
        if name and name in archive.NameToInfo:
            return name
    return None


class _Reader:
    """Walks the sections in order; keeps the counters of lists and notes."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        items: dict[str, tuple[str, str]],
        head: Head,
        builder: Builder,
    ) -> None:
        self.archive = archive
        self.items = items
        self.head = head
        self.builder = builder
        self.pending: list[ListItem] = []
        self.notes: list[tuple[str, tuple[Span, ...]]] = []
        self.footers: list[tuple[Span, ...]] = []
        self.note_count = 0
        self.link: str | None = None

    def section(self, root: Any) -> None:
        """Read one section; it begins a page."""
        self._start_page(root)
        bottom = -1
        one_column = all(int(n.get("colCount", "1")) < 2 for n in _named(root, "colPr"))
        for node in root:
            if local(node) != "p":
                continue
            tops = [int(seg.get("vertpos", "0")) for seg in _line_segments(node)]
            turned = one_column and bool(tops) and tops[0] < bottom
            if (node.get("pageBreak") == "1" or turned) and not self.builder.at_page_start:
                self._end_page()
                self._start_page(root)
            bottom = tops[-1] if tops else bottom
            self._paragraph(node)
        self._end_page()
        for spans in self.footers:
            self.builder.text("footer", spans)
        self.footers = []

    def _start_page(self, root: Any) -> None:
        paper = next(_named(root, "pagePr"), None)
        if paper is None:
            self.builder.start_page()
            return
        width, height = int(paper.get("width", "59528")), int(paper.get("height", "84186"))
        if paper.get("landscape") == "NARROWLY":
            width, height = height, width
        self.builder.start_page(width / _UNIT, height / _UNIT)

    def _end_page(self) -> None:
        self._flush()
        for mark, spans in self.notes:
            self.builder.text("footnote", (Span(text=f"{mark} "), *spans))
        self.notes = []

    def _flush(self) -> None:
        self.builder.items(self.pending)
        self.pending = []

    def _paragraph(self, node: Any) -> None:
        """Add a paragraph, and in their places the objects anchored in it."""
        spans: list[Span] = []
        marker, level = self.head.marker(node)
        outline = self.head.outline(node)
        first = True

        def put() -> None:
            nonlocal first
            text = "".join(span.text for span in spans)
            if text.strip():
                own = marker if first else None
                self._place(tuple(spans), own, level, outline, node)
                first = False
            spans.clear()

        for kind, value in self._parts(node):
            if kind == "text":
                spans.append(value)
                continue
            put()
            self._flush()
            self._object(kind, value)
        put()

    def _place(
        self, spans: tuple[Span, ...], marker: Any, level: int, outline: int, node: Any
    ) -> None:
        if marker is not None and not outline:
            self.pending.append(
                ListItem(marker=marker.text, spans=spans, level=level, ordered=marker.ordered)
            )
            return
        self._flush()
        if marker is not None and marker.text:
            spans = (Span(text=f"{marker.text} "), *spans)
        category: Category = HEADINGS[min(outline, 6) - 1] if outline else "paragraph"
        if not outline and self.head.style_name(node).lower() in ("caption", "캡션"):
            category = "caption"
        self.builder.text(category, spans)

    def _parts(self, node: Any) -> Iterator[tuple[str, Any]]:
        """Yield ("text", Span) and (kind of object, its element) of a paragraph in order."""
        for run in node:
            if local(run) != "run":
                continue
            style = self.head.character(run.get("charPrIDRef", ""))
            for child in run:
                name = local(child)
                if name == "t":
                    text = _text(child)
                    if text:
                        yield "text", Span(text=text, link=self.link).model_copy(update=style)
                elif name == "ctrl":
                    yield from self._control(child)
                elif name in ("tbl", "pic", "equation", "rect", "ellipse", "polygon", "container"):
                    yield name, child
                elif name in ("ole", "chart"):
                    yield "chart", child
                elif name in ("compose", "dutmal"):
                    text = child.get("composeText") or child.findtext("{*}mainText") or ""
                    yield "text", Span(text=text, link=self.link).model_copy(update=style)

    def _control(self, node: Any) -> Iterator[tuple[str, Any]]:
        for child in node:
            name = local(child)
            if name in ("footNote", "endNote"):
                self.note_count += 1
                mark = child.get("number") or str(self.note_count)
                yield "text", Span(text=mark, superscript=True)
                self.notes.append((mark, self._joined(child)))
            elif name == "header":
                self.builder.text("header", self._joined(child))
            elif name == "footer":
                self.footers.append(self._joined(child))
            elif name == "fieldBegin" and child.get("type") == "HYPERLINK":
                self.link = _address(child)
            elif name == "fieldEnd":
                self.link = None

    def _object(self, kind: str, node: Any) -> None:
        if kind == "tbl":
            self.builder.table(self._table(node))
        elif kind == "equation":
            script = next((n.text for n in node if local(n) == "script" and n.text), "")
            self.builder.text("equation", (Span(text=script.strip()),))
        elif kind in ("pic", "chart"):
            self.builder.figure(
                self._picture(node), category="chart" if kind == "chart" else "figure"
            )
        else:  # shapes may hold text and pictures
            for inner in node.iter():
                if local(inner) == "drawText":
                    self._drawn_text(inner)
                elif local(inner) == "pic":
                    self.builder.figure(self._picture(inner))
        caption = next((n for n in node if local(n) == "caption"), None)
        if caption is not None:
            self.builder.text("caption", self._joined(caption))

    def _drawn_text(self, node: Any) -> None:
        for paragraph in _paragraphs(node):
            self._paragraph(paragraph)
        self._flush()

    def _picture(self, node: Any) -> bytes | None:
        image = next((n for n in node.iter() if local(n) == "img"), None)
        reference = image.get("binaryItemIDRef", "") if image is not None else ""
        name = _inside(self.archive, self.items.get(reference, ("", ""))[0])
        return self.archive.read(name) if name else None

    def _joined(self, node: Any) -> tuple[Span, ...]:
        """Return the text of all paragraphs in `node`, those of nested tables too."""
        texts = []
        for paragraph in _paragraphs(node):
            marker, _ = self.head.marker(paragraph)
            spans: list[Span] = []
            for kind, value in self._parts(paragraph):
                if kind == "text":
                    spans.append(value)
                else:
                    spans += [Span(text=" "), *self._joined(value)]
            if marker is not None and marker.text and any(s.text.strip() for s in spans):
                spans.insert(0, Span(text=f"{marker.text} "))
            texts.append(tuple(spans))
        return joined(texts)

    def _table(self, node: Any) -> Table | None:
        cells = []
        header_rows = 0
        rows = [child for child in node if local(child) == "tr"]
        for at, row in enumerate(rows):
            inside = [cell for cell in row if local(cell) == "tc"]
            if at == header_rows and inside and all(c.get("header") == "1" for c in inside):
                header_rows += 1
            for column, cell in enumerate(inside):
                place = next((n for n in cell if local(n) == "cellAddr"), None)
                span = next((n for n in cell if local(n) == "cellSpan"), None)
                cells.append(
                    Cell(
                        row=_count(place, "rowAddr", at),
                        column=_count(place, "colAddr", column),
                        row_span=max(_count(span, "rowSpan", 1), 1),
                        column_span=max(_count(span, "colSpan", 1), 1),
                        header=cell.get("header") == "1",
                        spans=self._joined(cell),
                    )
                )
        if not header_rows and node.get("repeatHeader") == "1" and len(rows) > 1:
            header_rows = 1
        columns = max((cell.column + cell.column_span for cell in cells), default=0)
        return grid_table(len(rows), columns, cells, header_rows)


def _paragraphs(node: Any) -> Iterator[Any]:
    """Yield the paragraphs of `node`'s own text, not those inside other objects of it."""
    for child in node:
        if local(child) == "p":
            yield child
        elif local(child) in ("subList", "drawText", "tr", "tc"):
            yield from _paragraphs(child)


def _text(node: Any) -> str:
    """Return the text of a hp:t, whose tabs and breaks are elements; deleted text is left out."""
    parts = [node.text or ""]
    deleted = False
    for child in node:
        name = local(child)
        if name in ("deleteBegin", "deleteEnd"):
            deleted = name == "deleteBegin"
        parts.append({"lineBreak": "\n", "tab": " ", "nbSpace": " ", "fwSpace": " "}.get(name, ""))
        parts.append({"hyphen": "-"}.get(name, ""))
        parts.append("" if deleted else child.tail or "")
    return "".join(parts)


def _address(field: Any) -> str | None:
    for node in field.iter():
        if local(node) == "stringParam" and node.get("name") in ("Path", "Command"):
            text = (node.text or "").replace("\\:", ":").split(";")[0].strip()
            if text:
                return text
    return None


def _named(root: Any, name: str) -> Iterator[Any]:
    return (node for node in root.iter() if local(node) == name)


def _line_segments(paragraph: Any) -> list[Any]:
    array = next((node for node in paragraph if local(node) == "linesegarray"), None)
    return [] if array is None else [node for node in array if local(node) == "lineseg"]


def _count(node: Any, name: str, otherwise: int) -> int:
    return stated_number(node.get(name) if node is not None else None, otherwise)
