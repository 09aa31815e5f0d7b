"""DOCX: paragraphs, lists, tables, pictures, notes; pages where Word noted its breaks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from solarmini.errors import require
from solarmini.layout.document import Category, ListItem, Span
from solarmini.layout.office.builder import HEADINGS, LETTER, Builder, joined
from solarmini.layout.office.charts import chart_spans
from solarmini.layout.office.docx_lists import Numbering, W
from solarmini.layout.office.docx_table import read_table
from solarmini.layout.office.docx_text import ParagraphText, read_paragraph
from solarmini.layout.office.xml import parse_xml
from solarmini.layout.stated import stated_number

_HEADING = re.compile(r"(?:heading|제목|überschrift|titre)\s*([1-9])$", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:toc|목차)\s*\d+$", re.IGNORECASE)


def read_docx(path: Path, builder: Builder) -> str | None:
    """Read a DOCX into `builder`; return its title."""
    docx = require("docx", "layout")
    document = docx.Document(str(path))
    reader = _Reader(document, builder)
    reader.read()
    return document.core_properties.title


class _Reader:
    """Walks the body in order; keeps the counters of lists and notes."""

    def __init__(self, document: Any, builder: Builder) -> None:
        self.document = document
        self.builder = builder
        self.part = document.part
        self.links = _links(self.part)
        self.numbering = Numbering.read(_part_root(self.part, "numbering"))
        self.styles = {s.get(f"{W}styleId"): s for s in document.styles.element}
        self.notes = {kind: _notes(self.part, f"{kind}s") for kind in ("footnote", "endnote")}
        self.pending: list[ListItem] = []  # items of the list that is being read
        self.contents: list[tuple[Span, ...]] = []  # lines of the table of contents
        self.called: list[tuple[int, str, str]] = []  # notes called on this page
        self.note_count = 0

    def read(self) -> None:
        self._start_page()
        section = self.document.sections[0] if len(self.document.sections) else None
        if section is not None:
            self._furniture(section.header, "header")
        for node in _blocks(self.document.element.body):
            if node.tag == f"{W}p":
                self._paragraph(node)
            else:
                self._flush()
                self.builder.table(read_table(node, self._cell_spans))
        self._flush()
        self._end_notes()
        if section is not None:
            self._furniture(section.footer, "footer")

    def _start_page(self) -> None:
        section = self.document.sections[0] if len(self.document.sections) else None
        width, height = LETTER
        if section is not None and section.page_width and section.page_height:
            width, height = section.page_width.pt, section.page_height.pt
        self.builder.start_page(width, height)

    def _break_page(self, count: int) -> None:
        for _ in range(min(count, 1)):  # two in a row are one break and Word's note of it
            self._flush()
            self._end_notes()
            self._start_page()

    def _paragraph(self, node: Any) -> None:
        found = read_paragraph(node, self.links)
        style = _style_id(node)
        before = self._value(node, style, "pageBreakBefore") not in (None, "0", "false")
        self._break_page(found.page_breaks + before if self._has_content() else 0)
        spans = self._numbered_notes(found)
        if found.text.strip():
            self._place(node, style, found, spans)
        for box in found.boxes:
            for inner in _blocks(box):
                if inner.tag == f"{W}p":
                    self._paragraph(inner)
                else:
                    self._flush()
                    self.builder.table(read_table(inner, self._cell_spans))
        self._objects(found)
        self._break_page(found.late_breaks)

    def _has_content(self) -> bool:
        return bool(self.pending or self.contents or not self.builder.at_page_start)

    def _place(
        self, node: Any, style: str | None, found: ParagraphText, spans: tuple[Span, ...]
    ) -> None:
        name = self._style_name(style)
        level = self._heading_level(node, style, name)
        marker = self._marker(node, style)
        if _CONTENTS.match(name):
            self._flush(keep="contents")
            self.contents.append(tuple(_tabs_as_spaces(spans)))
            return
        if marker and not level:
            self._flush(keep="list")
            item = ListItem(
                marker=marker.text, spans=spans, level=min(marker.level, 15), ordered=marker.ordered
            )
            self.pending.append(item)
            return
        self._flush()
        if marker and marker.text:
            spans = (Span(text=f"{marker.text} "), *spans)
        category: Category = HEADINGS[level - 1] if level else "paragraph"
        if not level and name.lower() in ("caption", "캡션"):
            category = "caption"
        elif found.formula:
            category = "equation"
        self.builder.text(category, tuple(_tabs_as_spaces(spans)))

    def _flush(self, keep: str = "") -> None:
        """Write the list or the table of contents that ended."""
        if self.pending and keep != "list":
            self.builder.items(self.pending)
            self.pending = []
        if self.contents and keep != "contents":
            self.builder.text("index", joined(self.contents))
            self.contents = []

    def _objects(self, found: ParagraphText) -> None:
        for relation in found.pictures:
            part = self.part.related_parts.get(relation)
            if part is not None:
                self._flush()
                self.builder.figure(part.blob)
        for relation in found.charts:
            part = self.part.related_parts.get(relation)
            if part is not None:
                self._flush()
                self.builder.figure(None, spans=chart_spans(part.blob), category="chart")

    def _furniture(self, owner: Any, category: Category) -> None:
        links = _links(owner.part)
        for node in _blocks(owner._element):
            if node.tag == f"{W}p":
                spans = read_paragraph(node, links).spans
                self.builder.text(category, tuple(_tabs_as_spaces(tuple(spans))))

    def _numbered_notes(self, found: ParagraphText) -> tuple[Span, ...]:
        spans = list(found.spans)
        for place, (kind, identity) in zip(found.note_places, found.notes, strict=True):
            self.note_count += 1
            self.called.append((self.note_count, kind, identity))
            spans[place] = spans[place].model_copy(update={"text": str(self.note_count)})
        return tuple(spans)

    def _end_notes(self) -> None:
        for number, kind, identity in self.called:
            node = self.notes[kind].get(identity)
            if node is not None:
                texts = [tuple(read_paragraph(p, {}).spans) for p in node.iter(f"{W}p")]
                self.builder.text("footnote", (Span(text=f"{number} "), *joined(texts)))
        self.called = []

    def _cell_spans(self, cell: Any) -> tuple[Span, ...]:
        texts = []
        for node in cell.iter(f"{W}p"):  # nested tables' paragraphs too
            marker = self._marker(node, _style_id(node))
            found = read_paragraph(node, self.links)
            spans = self._numbered_notes(found)
            if marker and marker.text and found.text.strip():
                spans = (Span(text=f"{marker.text} "), *spans)
            texts.append(tuple(_tabs_as_spaces(spans)))
        return joined(texts)

    def _marker(self, node: Any, style: str | None) -> Any:
        for owner in (node, *self._style_chain(style)):
            numbering = owner.find(f"{W}pPr/{W}numPr")
            if numbering is None:
                continue
            number, level = numbering.find(f"{W}numId"), numbering.find(f"{W}ilvl")
            identity = number.get(f"{W}val", "0") if number is not None else None
            if identity == "0":
                return None
            if identity is not None:
                at = level.get(f"{W}val", "0") if level is not None else "0"
                return self.numbering.next(identity, stated_number(at))
        return None

    def _heading_level(self, node: Any, style: str | None, name: str) -> int:
        if name.lower() in ("title", "제목"):
            return 1
        found = _HEADING.match(name)
        if found:
            return min(int(found[1]), 6)
        outline = self._value(node, style, "outlineLvl")
        level = stated_number(outline, 9)  # 9 is body text
        return min(level + 1, 6) if level < 9 else 0

    def _value(self, node: Any, style: str | None, name: str) -> str | None:
        for owner in (node, *self._style_chain(style)):
            found = owner.find(f"{W}pPr/{W}{name}")
            if found is not None:
                return found.get(f"{W}val", "true")
        return None

    def _style_name(self, style: str | None) -> str:
        node = self.styles.get(style)
        name = node.find(f"{W}name") if node is not None else None
        return name.get(f"{W}val", "") if name is not None else ""

    def _style_chain(self, style: str | None) -> Iterator[Any]:
        for _ in range(20):  # a chain may be a circle
            node = self.styles.get(style)
            if node is None:
                return
            yield node
            base = node.find(f"{W}basedOn")
            if base is None:
                return
            style = base.get(f"{W}val")


def _blocks(parent: Any) -> Iterator[Any]:
    """Yield paragraphs and tables in order, those in content controls and revisions too."""
    for child in parent:
        if child.tag in (f"{W}p", f"{W}tbl"):
            yield child
        elif child.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}customXml", f"{W}moveTo"):
            yield from _blocks(child)


def _links(part: Any) -> dict[str, str]:
    return {key: rel.target_ref for key, rel in part.rels.items() if rel.is_external}


def _style_id(node: Any) -> str | None:
    style = node.find(f"{W}pPr/{W}pStyle")
    return style.get(f"{W}val") if style is not None else None


def _part_root(part: Any, kind: str) -> Any:
    """Return the XML of the related part of a kind ("numbering", "footnotes"), or None."""
    for relation in part.rels.values():
        if not relation.is_external and relation.reltype.endswith(f"/{kind}"):
            return parse_xml(relation.target_part.blob)
    return None


def _notes(part: Any, kind: str) -> dict[str, Any]:
    root = _part_root(part, kind)
    return {} if root is None else {note.get(f"{W}id", ""): note for note in root}


def _tabs_as_spaces(spans: tuple[Span, ...]) -> Iterator[Span]:
    for span in spans:
        yield span.model_copy(update={"text": span.text.replace("\t", " ")})
