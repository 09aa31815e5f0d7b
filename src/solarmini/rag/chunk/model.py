"""What a document becomes on its way into a knowledge base: blocks, then chunks."""

import hashlib
import json
from dataclasses import dataclass
from typing import Literal, NamedTuple

from solarmini.layout.document import Point, Polygon, Table

Kind = Literal["text", "table", "figure", "code", "furniture"]


class Place(NamedTuple):
    """Where a piece of a chunk stands: page from 1, its polygon there, and the element's id.

    Sources without pages (plain text, Markdown, HTML) have page 1 and no polygon; `element` is
    then the number of the block in the file. `start` is where its words begin in the chunk's
    text.
    """

    page: int
    polygon: Polygon | None
    element: int
    start: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a source that is never split without need: paragraph, list, table, figure.

    `level` is 1..6 for a heading and 0 for anything else. A table keeps its grid in `table`.
    `caption` is that of a table or figure; its place is among `places`.
    """

    kind: Kind
    text: str
    places: tuple[Place, ...]
    level: int = 0
    table: Table | None = None
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A source as blocks in reading order, with what is known of the whole."""

    format: str
    blocks: tuple[Block, ...]
    pages: int
    title: str | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a source that is found and cited as one.

    `text` is what is shown and quoted, `markup` (HTML) what a model reads instead where there is
    any, `heading` the titles above it from the outermost in. `section` numbers the headings of
    the source, so that neighbours of one section are known.
    """

    id: str
    kind: Kind
    text: str
    heading: tuple[str, ...]
    places: tuple[Place, ...]
    tokens: int
    section: int
    markup: str | None = None

    @property
    def search_text(self) -> str:
        """What is indexed: the titles above, then the text."""
        return "\n".join([" > ".join(self.heading), self.text] if self.heading else [self.text])

    @property
    def pages(self) -> tuple[int, int]:
        """First and last page."""
        pages = [place.page for place in self.places]
        return min(pages), max(pages)


def chunk_id(kind: str, heading: tuple[str, ...], text: str, copy: int) -> str:
    """Return the id of a chunk: a hash of what it says, 32 hex digits.

    The same words under the same titles have the same id in every run, place and store; `copy`
    counts equal chunks of one document from 0.
    """
    said = json.dumps([kind, list(heading), text, copy], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def places_to_json(places: tuple[Place, ...]) -> str:
    """Write places as JSON: [[page, element, [x, y, …] or null, start], …], 5 digits a fraction."""
    return json.dumps(
        [
            [
                place.page,
                place.element,
                place.polygon and [round(v, 5) for point in place.polygon for v in point],
                place.start,
            ]
            for place in places
        ],
        separators=(",", ":"),
    )


def places_from_json(text: str) -> tuple[Place, ...]:
    """Read what `places_to_json` wrote."""
    return tuple(
        Place(page, flat and _polygon(flat), element, *start)
        for page, element, flat, *start in json.loads(text)
    )


def _polygon(flat: list[float]) -> Polygon:
    a, b, c, d = (Point(flat[at], flat[at + 1]) for at in (0, 2, 4, 6))
    return (a, b, c, d)


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """How large chunks may be, in tokens.

    `target` is where a chunk is closed when the next block would not fit; `most` is where a
    block by itself is split; `table` is the same for a table, kept whole as long as possible.
    """

    target: int = 240
    most: int = 400
    table: int = 1536
    counter: str = "estimate"  # name of what measures; other sizes make other chunks
