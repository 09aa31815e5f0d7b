"""The head of an HWPX file: styles of characters and paragraphs, numbering, bullets."""

import re
from dataclasses import dataclass, field
from typing import Any

from solarmini.layout.office.markers import bullet, number_text
from solarmini.layout.stated import stated_number

_OUTLINE = re.compile(r"(?:개요|outline)\s*(\d{1,2})$", re.IGNORECASE)


def local(node: Any) -> str:
    """Return an element's name without its namespace; "" for comments."""
    tag = node.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


@dataclass(frozen=True, slots=True)
class Marker:
    """A printed list marker and whether it counts."""

    text: str
    ordered: bool


@dataclass(slots=True)
class Head:
    """What paragraphs and runs refer to by number."""

    characters: dict[str, dict[str, bool]] = field(default_factory=dict)
    headings: dict[str, tuple[str, str, int]] = field(default_factory=dict)  # type, id, level
    styles: dict[str, tuple[str, str]] = field(default_factory=dict)  # name, paragraph style
    numberings: dict[str, dict[int, tuple[str, str, int]]] = field(default_factory=dict)
    bullets: dict[str, str] = field(default_factory=dict)
    counts: dict[str, dict[int, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Any) -> "Head":
        """Read Contents/header.xml."""
        head = cls()
        for node in root.iter():
            name, identity = local(node), str(node.get("id", ""))
            if name == "charPr":
                inside = {local(child) for child in node}
                names = {"bold": "bold", "italic": "italic"}
                names |= {"supscript": "superscript", "subscript": "subscript"}
                head.characters[identity] = {names[n]: True for n in inside if n in names}
            elif name == "paraPr":
                kind = next((c for c in node if local(c) == "heading"), None)
                if kind is not None:
                    head.headings[identity] = (
                        kind.get("type", "NONE"),
                        kind.get("idRef", "0"),
                        stated_number(kind.get("level")),
                    )
            elif name == "style":
                label = node.get("name") or node.get("engName") or ""
                head.styles[identity] = (label, node.get("paraPrIDRef", ""))
            elif name == "numbering":
                head.numberings[identity] = dict(_level(c) for c in node if local(c) == "paraHead")
            elif name == "bullet":
                head.bullets[identity] = bullet(node.get("char", "•"))
        return head

    def character(self, identity: str) -> dict[str, bool]:
        """Return the style of a run."""
        return self.characters.get(identity, {})

    def style_name(self, paragraph: Any) -> str:
        """Return the name of a paragraph's style."""
        return self.styles.get(paragraph.get("styleIDRef", ""), ("", ""))[0]

    def outline(self, paragraph: Any) -> int:
        """Return the heading level of a paragraph, 0 for other text."""
        kind, _, level = self._heading(paragraph)
        if kind == "OUTLINE":
            return level + 1
        found = _OUTLINE.match(self.style_name(paragraph))
        return int(found[1]) if found else 0

    def marker(self, paragraph: Any) -> tuple[Marker | None, int]:
        """Count a paragraph; return its marker, if it has one, and its level from 0."""
        kind, identity, level = self._heading(paragraph)
        if kind == "BULLET":
            return Marker(self.bullets.get(identity, "•"), ordered=False), min(level, 15)
        levels = self.numberings.get(identity if identity != "0" else "1")
        if kind not in ("NUMBER", "OUTLINE") or not levels or level not in levels:
            return None, 0
        counts = self.counts.setdefault(f"{kind} {identity}", {})
        _, _, start = levels[level]
        counts[level] = counts.get(level, start - 1) + 1
        for deeper in [at for at in counts if at > level]:
            del counts[deeper]

        def shown(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            _, form, start = levels.get(at, ("", "DIGIT", 1))
            return number_text(counts.get(at, start), form)

        text, _, _ = levels[level]
        return Marker(re.sub(r"\^(\d{1,2})", shown, text), ordered=True), min(level, 15)

    def _heading(self, paragraph: Any) -> tuple[str, str, int]:
        own = paragraph.get("paraPrIDRef", "")
        return self.headings.get(own, ("NONE", "0", 0))


def _level(node: Any) -> tuple[int, tuple[str, str, int]]:
    start = stated_number(node.get("start"), 1)
    return (
        stated_number(node.get("level"), 1) - 1,
        (node.text or "", node.get("numFormat", "DIGIT"), start),
    )
