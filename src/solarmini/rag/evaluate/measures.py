"""Measures of one answer, all 0..1, and their means."""

import fnmatch
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from solarmini.rag.answer.model import Answer
from solarmini.rag.evaluate.questions import Asked
from solarmini.rag.lexical.terms import document_words
from solarmini.rag.retrieve.hit import Hit

DEPTH = 10  # hits looked at


@dataclass(frozen=True, slots=True)
class Measured:
    """One question: what was found, said and cited; None where a measure does not apply.

    `recall1`, `recall5` and `ndcg` are of pages (of sources, where no pages are given).
    `contains` is whether a right answer stands in what was said, `f1` the overlap of terms with
    the nearest right answer. `precision` and `recall` are of cited pages. `abstained_right` is
    whether it was silent exactly when it should be. `grounded` is the share of statements that the
    groundedness check accepts. Times are CPU-seconds.
    """

    question: str
    answerable: bool
    abstained: bool
    recall1: float | None
    recall5: float | None
    ndcg: float | None
    contains: float | None
    f1: float | None
    precision: float | None
    recall: float | None
    abstained_right: float
    grounded: float | None
    confidence: float
    seconds: float
    cpu_seconds: float
    said: str = ""
    cited: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return asdict(self)


def right(asked: Asked, source: str, pages: Iterable[int]) -> bool:
    """Whether a place in a source is one that answers."""
    name = source.rsplit("/", 1)[-1]
    if asked.source and not fnmatch.fnmatchcase(name, asked.source):
        return False
    return not asked.pages or any(page in asked.pages for page in pages)


def ranks(asked: Asked, hits: Sequence[Hit]) -> tuple[float, float, float] | None:
    """Return recall at 1 and 5, and nDCG at 10, of the places that answer; None without any."""
    if not asked.source:
        return None
    at = [n for n, hit in enumerate(hits[:DEPTH]) if right(asked, hit.source, hit.pages)]
    if not at:
        return 0.0, 0.0, 0.0
    return float(at[0] < 1), float(at[0] < 5), 1 / math.log2(at[0] + 2)


def contains(answer: str, wanted: Sequence[str]) -> float | None:
    """Return 1 when one of the right answers stands in `answer`, white space and case apart."""
    if not wanted:
        return None
    said = _folded(answer)
    return float(any(_folded(each) in said for each in wanted))


def overlap(answer: str, wanted: Sequence[str]) -> float | None:
    """Return the best F1 of words between the answer (without markers) and a right one."""
    if not wanted:
        return None
    said = Counter(document_words(re.sub(r"\[\d+\]", " ", answer)))
    return max(_f1(said, Counter(document_words(each))) for each in wanted)


def _f1(one: Counter[str], other: Counter[str]) -> float:
    common = sum((one & other).values())
    return 2 * common / (sum(one.values()) + sum(other.values())) if common else 0.0


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def citations(asked: Asked, answer: Answer) -> tuple[float | None, float | None]:
    """Return precision and recall of the pages cited; None where nothing is cited or wanted.

    Recall is 1 when a page that answers is cited at all: one of several is enough to check it.
    """
    if not asked.source:
        return None, None
    cited = {(c.source, c.page) for c in answer.citations}
    good = sum(right(asked, source, [page]) for source, page in cited)
    return (good / len(cited) if cited else None), float(good > 0)


def means(rows: Sequence[Measured]) -> dict[str, float]:
    """Return the mean of every measure over the rows to which it applies, and latencies."""
    found: dict[str, float] = {"questions": len(rows)}
    for name in (
        "recall1", "recall5", "ndcg", "contains", "f1", "precision", "recall", "abstained_right",
        "grounded",
    ):  # fmt: skip
        values = [value for row in rows if (value := getattr(row, name)) is not None]
        if values:
            found[name] = round(sum(values) / len(values), 4)
    for answerable in (True, False):
        some = [row for row in rows if row.answerable is answerable]
        if some:
            name = "answered" if answerable else "declined"
            share = sum(row.abstained is not answerable for row in some) / len(some)
            found[name] = round(share, 4)
    for name, key in (("seconds", "wall"), ("cpu_seconds", "cpu")):
        times = sorted(getattr(row, name) for row in rows)
        found[f"{key}_ms_p50"] = round(1000 * times[len(times) // 2], 1)
        found[f"{key}_ms_p95"] = round(1000 * times[min(int(len(times) * 0.95), len(times) - 1)], 1)
    return found
