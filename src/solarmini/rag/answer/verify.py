"""Every marker against its source: what the source does not say is not shown."""

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from solarmini.rag.answer.evidence import POINTS_BACK
from solarmini.rag.answer.model import Citation, Dropped, Statement, cite
from solarmini.rag.answer.prompt import DECLINES
from solarmini.rag.chunk.sentences import sentences
from solarmini.rag.retrieve.hit import Hit

_MARKS = re.compile(r"\s*((?:\[\d{1,3}\]\s*)+)")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\[\]()]+|!\[[^\]]*\]|<img\b", re.IGNORECASE)

_LIKELY = 0.5


class Support(NamedTuple):
    """Whether a text bears out a statement, how surely (0..1), and by which characters."""

    holds: bool
    score: float
    start: int
    end: int


Verifier = Callable[[Hit, str], Support]
"""(source, statement) -> Support; the characters are those of the hit's text."""


class Marked(NamedTuple):
    """A sentence as a model wrote it, and the numbers that it cites."""

    text: str
    numbers: tuple[int, ...]


def marked_sentences(parts: Iterable[str]) -> Iterator[Marked]:
    """Yield each sentence of a stream as soon as its markers are complete."""
    held = ""
    for part in parts:
        held += part
        while found := _MARKS.search(held):
            if held[found.end() : found.end() + 1] in ("", "["):  # another marker may follow
                break
            yield _marked(held[: found.start()], found[1])
            held = held[found.end() :]
    while found := _MARKS.search(held):
        yield _marked(held[: found.start()], found[1])
        held = held[found.end() :]
    if any(c.isalnum() for c in held):
        yield _marked(held, "")


def _marked(text: str, marks: str) -> Marked:
    said = " ".join(text.split()).lstrip(" .,;:!?。")  # the stop that stood after the last markers
    return Marked(said, tuple(int(n) for n in re.findall(r"\d+", marks)))


def marked_objects(parts: Iterable[str]) -> Iterator[Marked]:
    """Yield each sentence of a stream of JSON (see `prompt.schema`) as soon as it is whole."""
    read = json.JSONDecoder().raw_decode
    held, at, some = "", -1, False
    for part in parts:
        held += part
        if at < 0:
            at = held.find("[") + 1 or -1  # the list of statements begins
        while at >= 0 and (start := held.find("{", at)) >= 0:
            try:
                found, at = read(held, start)
            except ValueError:  # not whole yet
                break
            some = True
            if isinstance(found, dict) and found.get("text"):
                numbers = [n for n in found.get("sources") or () if isinstance(n, int)]
                yield Marked(" ".join(str(found["text"]).split()), tuple(numbers))
    if at >= 0 and not some and held[at:].lstrip().startswith("]"):
        yield Marked(DECLINES, ())


def declines(sentence: Marked) -> bool:
    """Whether a sentence is the one that says there is no answer."""
    return sentence.text.rstrip(".").upper().endswith(DECLINES)


def verified(
    sentence: Marked, hits: Sequence[Hit], verifier: Verifier
) -> tuple[Statement | None, list[Dropped]]:
    """Return the statement with the citations that hold, and what was dropped and why.

    A sentence without any marker that holds is dropped as a whole; so is one with an address or
    picture that its source does not have.
    """
    kept: list[Citation] = []
    dropped: list[Dropped] = []
    best = 0.0
    for number in dict.fromkeys(sentence.numbers):
        if not 1 <= number <= len(hits):
            dropped.append(Dropped(sentence.text, (number,), "there is no such source"))
            continue
        hit = hits[number - 1]
        foreign = [url for url in _URL.findall(sentence.text) if url not in hit.text]
        support = verifier(hit, sentence.text)
        if foreign:
            dropped.append(Dropped(sentence.text, (number,), "an address not in the source"))
        elif not support.holds:
            dropped.append(Dropped(sentence.text, (number,), "the source does not say so"))
        else:
            kept.append(cite(hit, number, support.start, support.end))
            best = max(best, support.score)
    if not sentence.numbers:
        dropped.append(Dropped(sentence.text, (), "no source is named"))
    return (Statement(sentence.text, tuple(kept), best) if kept else None), dropped


def grounded(hit: Hit, statement: str) -> Support:
    """Check a statement against a hit and the titles above it with `solarmini.rag.ground`.

    It holds when it is grounded, or as good as: unsure, but likelier so than not and with nothing
    that speaks against it.
    """
    from solarmini.rag.ground import check

    verdict = check([" ".join(hit.heading[-2:]), resolved(hit.text)], statement)
    found = [claim.support for claim in verdict.claims if claim.support is not None]
    spans = [span for span in found if span.passage == 1]
    problems = any(claim.problems for claim in verdict.claims)
    unsure = verdict.label == "notSure" and verdict.score >= _LIKELY and not problems
    if not spans or not (verdict.label == "grounded" or unsure):
        return Support(False, verdict.score, 0, 0)
    start, end = _within(hit.text, spans[0].start, spans[0].end)
    return Support(True, verdict.score, start, end)


def resolved(text: str) -> str:
    """Return text of the same length in which a sentence that points back joins the one before.

    "It opened in May. It was painted red." -> "It opened in May, it was painted red.": what "it"
    is then stands in the same sentence.
    """
    letters = list(text)
    spans = list(sentences(text))
    for (start, end), (following, _) in itertools.pairwise(spans):
        if POINTS_BACK.match(text[following : following + 20].casefold()) and end > start:
            if letters[end - 1] in ".!?":
                letters[end - 1] = ","
            for at in range(end, following):
                letters[at] = " "
            letters[following] = letters[following].lower()
    return "".join(letters)


def _within(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span widened to whole sentences."""
    for first, last in sentences(text):
        if first <= start < last:
            return first, max(last, end)
    return start, end
