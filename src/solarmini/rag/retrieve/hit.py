"""What a search returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solarmini.layout.document import Polygon
from solarmini.rag.chunk.model import Kind, Place
from solarmini.rag.store.records import StoredChunk


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found, and where it stands.

    `score` orders hits of one search and means nothing between searches; `lexical` is BM25 and
    `dense` the cosine. `found` is the share of the question's weight that the passage holds, 0..1;
    `ahead` how far its cosine is above that of passages not quite as near, None where there are no
    vectors or too few passages.

    `text` is to be shown and quoted, `markup` (HTML) to be read by a model where there is any.
    `duplicates` are ids of chunks left out because they say the same. `context` is the text
    around, when it was asked for.
    """

    chunk_id: str
    source: str
    title: str | None
    kind: Kind
    heading: tuple[str, ...]
    text: str
    markup: str | None
    places: tuple[Place, ...]
    tokens: int
    score: float
    lexical: float
    dense: float
    row: int
    metadata: Mapping[str, str]
    found: float = 0.0
    ahead: float | None = None
    duplicates: tuple[str, ...] = ()
    context: str = ""

    @property
    def page(self) -> int:
        """Page of the first piece, from 1."""
        return self.places[0].page

    @property
    def pages(self) -> tuple[int, ...]:
        """All pages it touches, ascending."""
        return tuple(sorted({place.page for place in self.places}))

    @property
    def polygon(self) -> Polygon | None:
        """Box of the first piece in fractions of its page; None where a source has no pages."""
        return self.places[0].polygon

    @property
    def polygons(self) -> tuple[tuple[int, Polygon], ...]:
        """(page, box) of every piece that has one."""
        return tuple((p.page, p.polygon) for p in self.places if p.polygon is not None)

    def place_of(self, start: int) -> Place:
        """Return the piece in which character `start` of the text stands.

        A table or figure is one piece, its caption included.
        """
        if self.kind in ("table", "figure"):
            return self.places[0]
        return max((place for place in self.places if place.start <= start), key=lambda p: p.start)

    def as_dict(self) -> dict[str, Any]:
        """Return the hit as what JSON can hold."""
        return {
            "source": self.source,
            "page": self.page,
            "pages": list(self.pages),
            "polygon": self.polygon and [[x, y] for x, y in self.polygon],
            "polygons": [
                {"page": page, "polygon": [[x, y] for x, y in polygon]}
                for page, polygon in self.polygons
            ],
            "title": self.title,
            "heading": list(self.heading),
            "kind": self.kind,
            "text": self.text,
            "markup": self.markup,
            "context": self.context or None,
            "score": round(self.score, 6),
            "lexical": round(self.lexical, 6),
            "dense": round(self.dense, 6),
            "chunk_id": self.chunk_id,
            "duplicates": list(self.duplicates),
            "metadata": dict(self.metadata),
        }


def hit_of(
    stored: StoredChunk,
    score: float,
    lexical: float,
    dense: float,
    found: float = 0.0,
    ahead: float | None = None,
) -> Hit:
    """Return a stored chunk as a hit."""
    chunk = stored.chunk
    return Hit(
        chunk_id=chunk.id,
        source=stored.document.source,
        title=stored.document.title,
        kind=chunk.kind,
        heading=chunk.heading,
        text=chunk.text,
        markup=chunk.markup,
        places=chunk.places,
        tokens=chunk.tokens,
        score=score,
        lexical=lexical,
        dense=dense,
        row=stored.row,
        metadata=stored.document.metadata,
        found=found,
        ahead=ahead,
    )
