"""What an answer is made of: statements, each with the citations that bear it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from solarmini.layout.document import Polygon
from solarmini.rag.chunk.model import Place
from solarmini.rag.retrieve.hit import Hit

Reason = Literal["nothing found", "not answered", "not supported", "model declined"]


@dataclass(frozen=True, slots=True)
class Citation:
    """The words of a source that bear out a statement, and where they stand.

    `number` is the marker's; `quote` is literally characters [start, end) of the hit's text;
    `page` is from 1 and `polygon` in fractions of it (None where a source has no pages).
    """

    number: int
    source: str
    title: str | None
    page: int
    polygon: Polygon | None
    heading: tuple[str, ...]
    kind: str
    quote: str
    start: int
    end: int
    chunk_id: str
    metadata: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "number": self.number,
            "source": self.source,
            "title": self.title,
            "page": self.page,
            "polygon": self.polygon and [[x, y] for x, y in self.polygon],
            "heading": list(self.heading),
            "kind": self.kind,
            "quote": self.quote,
            "chunk_id": self.chunk_id,
            "metadata": dict(self.metadata),
        }


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer, without markers; `support` 0..1 is how well it is borne out."""

    text: str
    citations: tuple[Citation, ...]
    support: float

    @property
    def marked(self) -> str:
        """The sentence with its markers: "… [1][3]"."""
        numbers = dict.fromkeys(citation.number for citation in self.citations)
        return " ".join(filter(None, [self.text, "".join(f"[{n}]" for n in numbers)]))


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence, or one marker of it, that the source does not support; it is not shown."""

    text: str
    markers: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its proofs, or the fact that there is none.

    `question` is as asked and `searched` as understood with the conversation before it.
    `abstained` names why nothing is said. `confidence` 0..1 is that the sources answer the
    question at all. `dropped` is what a model said without support; `warnings` name sources that
    hold text which speaks to the model. `mode` is "extractive" or the model's name.
    """

    question: str
    searched: str
    statements: tuple[Statement, ...]
    hits: tuple[Hit, ...]
    mode: str
    confidence: float
    abstained: Reason | None = None
    dropped: tuple[Dropped, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The answer with its markers, or a sentence that says there is none."""
        if self.abstained:
            return refusal(self.question)
        return " ".join(statement.marked for statement in self.statements)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Every citation once, by number."""
        found = {
            (c.number, c.start, c.end): c
            for statement in self.statements
            for c in statement.citations
        }
        return tuple(found[key] for key in sorted(found))

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "question": self.question,
            "searched": self.searched,
            "answer": self.text,
            "abstained": self.abstained,
            "confidence": round(self.confidence, 4),
            "mode": self.mode,
            "statements": [
                {
                    "text": statement.text,
                    "support": round(statement.support, 4),
                    "citations": [citation.number for citation in statement.citations],
                }
                for statement in self.statements
            ],
            "citations": [citation.as_dict() for citation in self.citations],
            "dropped": [
                {"text": dropped.text, "markers": list(dropped.markers), "why": dropped.why}
                for dropped in self.dropped
            ],
            "warnings": list(self.warnings),
        }


def refusal(question: str) -> str:
    """Return the sentence that says there is no answer, in the language of the question."""
    from solarmini.rag.lexical.hangul import has_hangul

    if has_hangul(question):
        return "이 문서들에서는 답을 찾을 수 없습니다."
    return "The answer is not in these documents."


def cite(hit: Hit, number: int, start: int, end: int) -> Citation:
    """Return a citation of characters [start, end) of a hit's text."""
    place: Place = hit.place_of(start)
    return Citation(
        number=number,
        source=hit.source,
        title=hit.title,
        page=place.page,
        polygon=place.polygon,
        heading=hit.heading,
        kind=hit.kind,
        quote=hit.text[start:end],
        start=start,
        end=end,
        chunk_id=hit.chunk_id,
        metadata=hit.metadata,
    )
