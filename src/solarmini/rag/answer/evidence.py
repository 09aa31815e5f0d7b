"""Sentences and table rows of the hits, and how well each answers a question."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from solarmini.rag.answer.question import Question, Wanted, names_of
from solarmini.rag.chunk.html import parse_html
from solarmini.rag.chunk.sentences import sentences
from solarmini.rag.chunk.tables import row_line, row_pairs
from solarmini.rag.lexical.terms import document_words
from solarmini.rag.retrieve.hit import Hit

# Credit for a term of the question by where it stands, 1 in the sentence itself
_ABOVE = 0.7  # in the sentence before, the heading, caption or title
_NEARBY = 0.4  # elsewhere in the passage
_INSIDE = 0.8  # a Korean word within a longer one
# What a term is worth beside 2 in the sentence itself, when it stands above: that of a name, that
# of another word; and both where the sentence begins with a word that points back ("It was …")
_NAME_ABOVE = 1.2
_WORD_ABOVE = 0.5
_POINTED_AT = (1.6, 1.4)
_FITS = 0.15  # what a sentence gains that holds a new number, date or name where one is asked for
_DEFINES = 0.7  # what it gains that begins with the word whose meaning is asked for
_NAMES = 0.1  # what it gains for all names of the question
_GAP = 0.6  # most that a hit can be behind the best, in shares of its score
_BEHIND = 2.0  # what a sentence loses for that
_CELL = 0.5  # what a row gains whose cell is asked for; it need not be in the first hit then
_STRANGER = 0.03  # what a row loses for each word of its label that the question lacks

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters [start, end) of a hit's text: a sentence, or a row of a table as `pairs`."""

    hit: Hit
    rank: int  # of the hit, from 0
    start: int
    end: int
    terms: frozenset[str]
    above: frozenset[str]
    nearby: frozenset[str]
    caption: frozenset[str] = frozenset()
    pairs: Pairs = ()

    @property
    def text(self) -> str:
        """The words."""
        return self.hit.text[self.start : self.end]


@dataclass(slots=True)
class Evidence:
    """A piece beside a question: shares of its weight, 0..1, and what it is worth in all.

    `held` is the share in the piece itself, `near` with what stands around it, `names` the share
    of the question's names (1 where it has none), `fits` whether it holds the kind of thing that
    is asked for.
    """

    piece: Piece
    held: float
    near: float
    names: float
    fits: bool
    score: float = 0.0
    covered: frozenset[str] = field(default_factory=frozenset)


def weigh(question: Question, hits: Sequence[Hit]) -> list[Evidence]:
    """Return every piece of the hits with its worth, best first."""
    found = [
        _weighed(question, piece, gap)
        for rank, (hit, gap) in enumerate(zip(hits, _gaps(hits), strict=True))
        for piece in pieces(hit, rank)
    ]
    found.sort(key=lambda e: (-e.score, e.piece.rank, e.piece.start))
    return found


def _gaps(hits: Sequence[Hit]) -> list[float]:
    """Return how far each hit's score is below the best, in shares of it."""
    best = max((hit.score for hit in hits), default=0.0)
    return [min((best - hit.score) / max(abs(best), 1e-6), _GAP) for hit in hits]


def pieces(hit: Hit, rank: int) -> Iterator[Piece]:
    """Yield the rows of a table and the sentences of anything else."""
    heading = _terms(" ".join((*hit.heading, hit.title or "", hit.source.rsplit("/", 1)[-1])))
    whole = _terms(hit.text)
    rows = _rows(hit)
    if rows:
        caption = _terms(hit.text[: min(start for start, _, _ in rows)])
        for start, end, pairs in rows:
            terms = _terms(hit.text[start:end])
            yield Piece(hit, rank, start, end, terms, heading, whole, caption, pairs)
    before = frozenset()
    last = min((start for start, _, _ in rows), default=len(hit.text))
    for start, end in sentences(hit.text[:last]):
        terms = _terms(hit.text[start:end])
        if terms:
            yield Piece(hit, rank, start, end, terms, heading | before, whole)
        before = terms


def _rows(hit: Hit) -> list[tuple[int, int, Pairs]]:
    """Return where each row of a table stands in the text, with its pairs."""
    if hit.kind != "table" or not hit.markup:
        return []
    tables = [block.table for block in parse_html(hit.markup).blocks if block.table is not None]
    found, at = [], 0
    for pairs in (row for table in tables for row in row_pairs(table)):
        line = row_line(pairs)
        start = hit.text.find(line, at)
        if start >= 0:
            at = start + len(line)
            found.append((start, at, tuple(pairs)))
    return found


def _terms(text: str) -> frozenset[str]:
    return frozenset(document_words(text))


def _weighed(question: Question, piece: Piece, gap: float) -> Evidence:
    text = piece.text.casefold()
    name, word = _POINTED_AT if POINTS_BACK.match(text) else (_NAME_ABOVE, _WORD_ABOVE)
    in_names = frozenset().union(*question.names)
    held = near = worth = 0.0
    covered = set()
    for term, weight in question.weights.items():
        inside = credit(term, piece.terms, text)
        if inside:
            covered.add(term)
            held += weight * inside
            near += weight * inside
            worth += weight * inside * 2
        elif term in piece.above or term in piece.caption:
            near += weight * _ABOVE
            worth += weight * (name if term in in_names else word)
        elif term in piece.nearby:
            near += weight * _NEARBY
            worth += weight * _NEARBY
    names = _named(question, piece, text)
    fits = _fits(question, piece)
    if question.defined and _OPENING.sub("", text).startswith(question.defined):
        worth += _DEFINES
    worth += _NAMES * names + _FITS * fits - _strange(question, piece)
    worth += _CELL if _asked_for(question, piece) else -_BEHIND * gap
    return Evidence(piece, held, near, names, fits, worth, frozenset(covered))


def credit(term: str, terms: frozenset[str], text: str) -> float:
    """Return 1 where `term` is among `terms`, less where it is inside a longer Korean word."""
    if term in terms:
        return 1.0
    korean = not term.isascii() and len(term) >= 2
    return _INSIDE if korean and term.removesuffix("다") in text and term[-1] != "다" else 0.0


def _named(question: Question, piece: Piece, text: str) -> float:
    """Return the share of the question's names that the piece, or what is above it, holds.

    A name is held when all its terms are. One elsewhere in the passage counts in part. The row of
    a table is stricter, for its neighbours are about other things: a name with a digit has to
    stand in the row or a heading, or the row is worth nothing (0).
    """
    total = 0.0
    for name in question.names:
        if all(credit(term, piece.terms, text) or term in piece.above for term in name):
            total += 1.0
        elif piece.pairs:
            if any(c.isdigit() for term in name for c in term):
                return 0.0
            total += 1.0 if name <= piece.caption else 0.0
        elif all(credit(term, piece.nearby, text) for term in name):
            total += _NEARBY
    return total / len(question.names) if question.names else 1.0


def _strange(question: Question, piece: Piece) -> float:
    """Return what a row loses whose label names more than the question does."""
    if not piece.pairs:
        return 0.0
    return _STRANGER * min(len(_terms(piece.pairs[0][1]) - question.weights.keys()), 4)


def _asked_for(question: Question, piece: Piece) -> bool:
    """Whether the question names the row and one of its columns, each by all of its words.

    Prose that holds as many of them speaks of the two; the cell is what was asked for.
    """
    if not piece.pairs:
        return False
    (_, label), *cells = piece.pairs
    return _asked(question, label) and any(_asked(question, column) for column, _ in cells)


def _asked(question: Question, text: str) -> bool:
    terms = _terms(text)
    return bool(terms) and terms <= question.weights.keys()


def _fits(question: Question, piece: Piece) -> bool:
    """Whether the piece holds a number, date or name that is not the question's own."""
    return question.wanted == "any" or _holds(question.wanted, piece, question.weights)


def _holds(wanted: Wanted, piece: Piece, asked: Mapping[str, float]) -> bool:
    if wanted == "name":
        names = (name - _MONTHS for name in names_of(piece.text))
        return any(
            name and not name <= asked.keys() and not any(t[0].isdigit() for t in name)
            for name in names
        )
    numbers = (term for term in piece.terms if term[0].isdigit() or term in _SPELLED)
    return any(number not in asked for number in numbers)


_OPENING = re.compile(r"^(?:[\d.()\s①-⑳\"'“‘「]|(?:an?|the)\s)+")
POINTS_BACK = re.compile(
    r"(?:it|its|they|them|their|he|she|his|her|this|these|those)\b|그(?=[가-힣\s])|이(?:는|들|에|를|것)"
)
_MONTH_WORDS = """
januari februari march april may june juli august septemb octob novemb decemb
"""
_MONTHS = frozenset(_MONTH_WORDS.split())
_SPELLED_WORDS = """
two three four five six seven eight nine ten eleven twelve dozen hundr thousand million billion
half third quarter
"""
_SPELLED = _MONTHS | frozenset(_SPELLED_WORDS.split())
