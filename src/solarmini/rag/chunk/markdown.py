"""Markdown and plain text to blocks: headings, lists, fenced code, tables, paragraphs.

A reader for search, not a renderer: it keeps the words and where one thing ends and the next
begins. Structure after CommonMark 0.31 and GitHub's tables.
"""

import re
from collections.abc import Iterator

from solarmini.layout.document import Cell, Span, Table
from solarmini.rag.chunk.model import Block, Kind, Parsed, Place

_HEADING = re.compile(r" {0,3}(#{1,6})(?:\s+(.*?))?\s*#*\s*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ROW = re.compile(r"\s*\|?.*\|.*")
_DIVIDER = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_MARKS = re.compile(r"(\*\*\*|\*\*|\*|___|__)(?=\S)(.+?)(?<=\S)\1|`([^`]+)`")


def parse_text(text: str) -> Parsed:
    """Return plain text as blocks: paragraphs between blank lines."""
    blocks = [
        Block("text", paragraph.strip("\n"), (Place(1, None, number),))
        for number, paragraph in enumerate(re.split(r"\n[ \t]*\n+", _lines(text)))
        if paragraph.strip()
    ]
    return Parsed("txt", tuple(blocks), pages=1)


def parse_markdown(text: str) -> Parsed:
    """Return Markdown as blocks; the title is that of the front matter or the first heading."""
    front, body = _front_matter(_lines(text))
    blocks = []
    for number, (kind, level, raw) in enumerate(_split(_COMMENT.sub("", body).split("\n"))):
        place = (Place(1, None, number),)
        if kind == "table":
            table = _table(raw)
            blocks.append(Block("table", "\n".join(raw), place, table=table))
            continue
        said = "\n".join(raw) if kind == "code" else _plain("\n".join(raw)).strip()
        if said.strip():
            blocks.append(Block(kind, said, place, level=level))
    title = front or next((" ".join(b.text.split()) for b in blocks if b.level == 1), None)
    return Parsed("md", tuple(blocks), pages=1, title=title)


def _lines(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _front_matter(text: str) -> tuple[str | None, str]:
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    if not found:
        return None, text
    title = re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", found[1], re.MULTILINE)
    return (title[1] if title else None), text[found.end() :]


def _split(lines: list[str]) -> Iterator[tuple[Kind, int, list[str]]]:
    """Yield (kind, heading level, lines) of every block."""
    at, run = 0, []
    while at < len(lines):
        line = lines[at]
        fence, heading = _FENCE.match(line), _HEADING.match(line)
        underline = _UNDERLINE.match(line) if run else None
        divided = at + 1 < len(lines) and _DIVIDER.match(lines[at + 1]) and "|" in lines[at + 1]
        if underline and len(run) == 1:
            yield "text", 1 if underline[1][0] == "=" else 2, run
            run, at = [], at + 1
            continue
        if run and (fence or heading or not line.strip() or (divided and _ROW.match(line))):
            yield "text", 0, run
            run = []
        if fence:
            end = _fence_end(lines, at + 1, fence[1])
            yield "code", 0, lines[at + 1 : end]
            at = end + 1
        elif heading:
            yield "text", len(heading[1]), [heading[2] or ""]
            at += 1
        elif divided and _ROW.match(line):
            end = at + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            yield "table", 0, [line, *lines[at + 2 : end]]
            at = end
        else:
            if line.strip():
                run.append(line)
            at += 1
    if run:
        yield "text", 0, run


def _fence_end(lines: list[str], at: int, fence: str) -> int:
    while at < len(lines) and not lines[at].strip().startswith(fence):
        at += 1
    return at


def _table(rows: list[str]) -> Table:
    cells = [[_plain(c.strip()) for c in _cells(row)] for row in rows]
    width = len(cells[0])
    return Table(
        rows=len(cells),
        columns=width,
        header_rows=1,
        cells=tuple(
            Cell(row=r, column=c, header=r == 0, spans=(Span(text=(row + [""] * width)[c]),))
            for r, row in enumerate(cells)
            for c in range(width)
        ),
    )


def _cells(row: str) -> list[str]:
    bare = row.strip().removeprefix("|")
    bare = bare[:-1] if bare.endswith("|") and not bare.endswith("\\|") else bare
    return [cell.replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", bare)]


def _plain(text: str) -> str:
    """Take away the marks of emphasis, code and links; keep what they hold."""
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    text = _MARKS.sub(lambda m: m[2] or m[3] or "", text)
    return re.sub(r"^[ \t]*>[ \t]?", "", text, flags=re.MULTILINE)
