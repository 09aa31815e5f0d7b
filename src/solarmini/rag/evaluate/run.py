"""Ask every question, measure every answer."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from solarmini.rag.answer.model import Answer
from solarmini.rag.answer.verify import grounded
from solarmini.rag.evaluate import measures
from solarmini.rag.evaluate.measures import Measured
from solarmini.rag.evaluate.questions import Asked
from solarmini.rag.knowledge import KnowledgeBase

if TYPE_CHECKING:
    from solarmini.engine.interface import Engine


def evaluate(
    kb: KnowledgeBase,
    questions: Sequence[Asked],
    *,
    model: "Engine | None" = None,
    observe: Callable[[int], None] = lambda _: None,
) -> list[Measured]:
    """Return a row for each question; `observe` is told of every one that is done."""
    rows = []
    kb.search("데우기 warm")  # what loads at the first search is no one question's time
    for asked in questions:
        rows.append(_measured(kb, asked, model))
        observe(1)
    return rows


def _measured(kb: KnowledgeBase, asked: Asked, model: "Engine | None") -> Measured:
    hits = kb.search(asked.question, measures.DEPTH)
    wall, cpu = time.perf_counter(), time.process_time()
    answer = kb.ask(asked.question, model=model, history=[(q, "") for q in asked.history])
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    found = measures.ranks(asked, hits)
    silent = answer.abstained is not None
    told = None if silent else answer.text
    precision, recall = measures.citations(asked, answer)
    return Measured(
        question=asked.question,
        answerable=asked.answerable,
        abstained=silent,
        recall1=found[0] if found else None,
        recall5=found[1] if found else None,
        ndcg=found[2] if found else None,
        contains=measures.contains(told or "", asked.answers),
        f1=measures.overlap(told or "", asked.answers),
        precision=precision,
        recall=recall,
        abstained_right=float(silent is not asked.answerable),
        grounded=_grounded(answer),
        confidence=answer.confidence,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        said=answer.text,
        cited=tuple(f"{c.source.rsplit('/', 1)[-1]}:{c.page}" for c in answer.citations),
    )


def _grounded(answer: Answer) -> float | None:
    """Return the share of statements that the check accepts; None where nothing is said."""
    if not answer.statements:
        return None
    hits = {hit.chunk_id: hit for hit in answer.hits}
    held = [
        any(grounded(hits[c.chunk_id], statement.text).holds for c in statement.citations)
        for statement in answer.statements
    ]
    return sum(held) / len(held)
