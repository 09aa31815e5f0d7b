"""Blocks to chunks: paragraphs packed under their headings, tables and figures whole."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from solarmini.rag.chunk import tables
from solarmini.rag.chunk.model import Block, Chunk, ChunkSize, Kind, Parsed, Place, chunk_id
from solarmini.rag.chunk.sentences import sentences
from solarmini.rag.chunk.tokens import TokenCounter, estimate_tokens


def chunk(
    parsed: Parsed, size: ChunkSize | None = None, count: TokenCounter = estimate_tokens
) -> list[Chunk]:
    """Return the chunks of a source in reading order.

    No chunk crosses a heading. Paragraphs are joined up to `size.target` tokens; one longer than
    `size.most` is split between sentences. A table or figure is a chunk by itself, with its
    caption; a table longer than `size.table` is split between rows, each part with the head. The
    same source always gives the same chunks with the same ids.
    """
    packer = _Packer(size or ChunkSize(), count, parsed.title)
    for number, block in enumerate(parsed.blocks):
        packer.take(number, block)
    return packer.finish()


@dataclass(slots=True)
class _Draft:
    order: int  # number of its first block
    kind: Kind
    text: str
    heading: tuple[str, ...]
    section: int
    places: list[Place]
    markup: str | None = None


@dataclass(slots=True)
class _Packer:
    size: ChunkSize
    count: TokenCounter
    title: str | None
    headings: list[tuple[int, Block]] = field(default_factory=list)
    section: int = 0
    bare: bool = False  # the innermost heading has nothing under it yet
    buffer: list[tuple[int, Block]] = field(default_factory=list)
    held: int = 0  # tokens in the buffer
    drafts: list[_Draft] = field(default_factory=list)

    def take(self, number: int, block: Block) -> None:
        if block.level:
            self._open_section(number, block)
            return
        self.bare = False
        if block.kind == "table" and block.table is not None:
            self.drafts.extend(self._table(number, block))
        elif block.kind == "figure":
            text = "\n".join(part for part in (block.caption, block.text) if part)
            self.drafts.extend(self._pieces(number, block, "figure", text))
        elif block.kind == "furniture":
            self._flush()
            self.headings, self.section = [], self.section + 1
            self.drafts.extend(self._pieces(number, block, "furniture", block.text))
        else:
            self._text(number, block)

    def finish(self) -> list[Chunk]:
        self._flush()
        self._close_bare()
        self.drafts.sort(key=lambda draft: draft.order)
        seen: Counter[str] = Counter()
        chunks = []
        for draft in self.drafts:
            said = chunk_id(draft.kind, draft.heading, draft.text, 0)
            copy, seen[said] = seen[said], seen[said] + 1
            name = chunk_id(draft.kind, draft.heading, draft.text, copy) if copy else said
            chunks.append(
                Chunk(
                    id=name,
                    kind=draft.kind,
                    text=draft.text,
                    heading=draft.heading,
                    places=tuple(draft.places),
                    tokens=self.count(draft.markup or draft.text),
                    section=draft.section,
                    markup=draft.markup,
                )
            )
        return chunks

    def _open_section(self, number: int, block: Block) -> None:
        self._flush()
        if not (self.headings and self.headings[-1][1].level < block.level):
            self._close_bare()
        while self.headings and self.headings[-1][1].level >= block.level:
            self.headings.pop()
        self.headings.append((number, block))
        self.section += 1
        self.bare = True

    def _close_bare(self) -> None:
        """Keep a heading that nothing stands under as a chunk of its own."""
        if self.bare and self.headings:
            number, block = self.headings[-1]
            self.drafts.append(
                _Draft(number, "text", _line(block.text), self._path()[:-1], self.section,
                       list(block.places))
            )  # fmt: skip
        self.bare = False

    def _path(self) -> tuple[str, ...]:
        path = tuple(_line(block.text) for _, block in self.headings)
        title = _line(self.title or "")
        return (title, *path) if title and title not in path else path

    def _text(self, number: int, block: Block) -> None:
        tokens = self.count(block.text)
        if self.buffer and self.held + tokens > self.size.target:
            self._flush()
        if tokens > self.size.most:
            self.drafts.extend(self._pieces(number, block, block.kind, block.text))
            return
        self.buffer.append((number, block))
        self.held += tokens

    def _flush(self) -> None:
        if not self.buffer:
            return
        blocks = [block for _, block in self.buffer]
        kind: Kind = "code" if all(block.kind == "code" for block in blocks) else "text"
        self.drafts.append(
            _Draft(
                order=self.buffer[0][0],
                kind=kind,
                text="\n".join(block.text for block in blocks),
                heading=self._path(),
                section=self.section,
                places=_joined_places(blocks),
            )
        )
        self.buffer, self.held = [], 0

    def _pieces(self, number: int, block: Block, kind: Kind, text: str) -> Iterator[_Draft]:
        """Yield a block by itself, split between sentences where it is too long."""
        whole = self.count(text) <= self.size.most
        for piece in [text] if whole else pack(text, self.size.target, self.count):
            yield _Draft(number, kind, piece, self._path(), self.section, list(block.places))

    def _table(self, number: int, block: Block) -> Iterator[_Draft]:
        table = block.table
        if table is None:
            return
        html = tables.markup(table)
        parts = [(table, html)]
        head = min(table.header_rows, table.rows)
        if self.count(html) > self.size.table and table.rows - head > 1:
            rows = [tables.rows_of(table, row, row + 1) for row in range(head, table.rows)]
            sizes = [self.count(tables.markup(row)) for row in rows]
            runs = tables.split_rows(sizes, self.size.table)
            cut = [tables.rows_of(table, head + first, head + last) for first, last in runs]
            parts = [(part, tables.markup(part)) for part in cut]
        for part, html in parts:
            text = "\n".join(filter(None, [block.caption, *tables.row_texts(part)]))
            if text.strip():
                draft = _Draft(number, "table", text, self._path(), self.section, [*block.places])
                draft.markup = html
                yield draft


def _joined_places(blocks: Sequence[Block]) -> list[Place]:
    """Return the places of blocks whose texts are joined by line breaks."""
    places, start = [], 0
    for block in blocks:
        places += [place._replace(start=start) for place in block.places]
        start += len(block.text) + 1
    return places


def pack(text: str, target: int, count: TokenCounter) -> Iterator[str]:
    """Yield runs of whole sentences of about `target` tokens; longer sentences are cut at words."""
    start, end, held = 0, 0, 0
    for first, last in _bounded(text, target, count):
        tokens = count(text[first:last])
        if end > start and held + tokens > target:
            yield text[start:end]
            start, held = first, 0
        end = last
        held += tokens
    if end > start:
        yield text[start:end]


def _bounded(text: str, target: int, count: TokenCounter) -> Iterator[tuple[int, int]]:
    for start, end in sentences(text):
        while count(text[start:end]) > target:
            cut = _cut(text, start, end, target, count)
            yield start, cut
            start = cut
            while start < end and text[start].isspace():
                start += 1
        if end > start:
            yield start, end


def _cut(text: str, start: int, end: int, target: int, count: TokenCounter) -> int:
    """Return the last white space before `target` tokens are full, or the last place at all."""
    low, high = start + 1, end
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[start:middle]) <= target else (low, middle - 1)
    space = max(text.rfind(" ", start + 1, low), text.rfind("\n", start + 1, low))
    return space if space > start else low


def _line(text: str) -> str:
    return " ".join(text.split())
