"""Answers without a model: the sentence or table cells that answer best, word for word."""

from collections.abc import Sequence

from solarmini.rag.answer.evidence import Evidence, credit
from solarmini.rag.answer.model import Statement, cite
from solarmini.rag.answer.question import Question
from solarmini.rag.lexical.terms import document_words

_ALSO = 0.97  # of the best worth: a second sentence is given from there
_ADDS = 0.12  # share of the question that a second sentence has to add
_LONG = 6  # cells from which a row is not given whole


def extract(question: Question, found: Sequence[Evidence], limit: int = 2) -> list[Statement]:
    """Return up to `limit` statements, each with its one citation.

    A further sentence is given only when it is of the same passage, nearly as good, and covers
    words of the question that those before it do not.
    """
    chosen: list[Evidence] = []
    covered: set[str] = set()
    for each in found:
        if len(chosen) == limit or (chosen and each.score < _ALSO * chosen[0].score):
            break
        added = sum(question.weights[term] for term in each.covered - covered)
        if not chosen or (added >= _ADDS and each.piece.rank == chosen[0].piece.rank):
            chosen.append(each)
            covered |= each.covered
    numbers: dict[str, int] = {}
    statements = []
    for each in chosen:
        piece = each.piece
        number = numbers.setdefault(piece.hit.chunk_id, len(numbers) + 1)
        said = _cells(question, each) if piece.pairs else " ".join(piece.text.split())
        citation = cite(piece.hit, number, piece.start, piece.end)
        statements.append(Statement(said, (citation,), 1.0))
    return statements


def _cells(question: Question, row: Evidence) -> str:
    """Return the label of a row and the cells that the question asks for; else all."""
    (_, label), *rest = row.piece.pairs
    label_terms = frozenset(document_words(label))
    wanted: list[tuple[float, str]] = []
    for name, value in rest:
        terms = frozenset(document_words(name))
        asked = sum(
            weight
            for term, weight in question.weights.items()
            if credit(term, terms, name.casefold()) and term not in label_terms
        )
        extra = len(terms) and sum(term not in question.weights for term in terms) / len(terms)
        wanted.append((asked - 0.01 * extra, f"{name}: {value}" if name else value))
    most = max((worth for worth, _ in wanted), default=0.0)
    if most <= 0.0:
        return " ".join(row.piece.text.split())
    near = [said for worth, said in wanted if worth >= 0.9 * most]
    if len(near) > _LONG:
        return " ".join(row.piece.text.split())
    return f"{label} — {'; '.join(near)}"
