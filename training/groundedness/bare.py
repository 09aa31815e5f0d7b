"""Answers of a few words, as a person would give them: a value alone, or with "It is" before it.

Right ones stand in the context; wrong ones have a number, or are a name, that stands nowhere there.
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from sources import Row, articles, read

from solarmini.rag.chunk.sentences import sentences

_ENGLISH = ("{}", "{}.", "It is {}.", "It was {}.", "That would be {}.", "The answer is {}.")
_KOREAN = ("{}", "{}.", "{}입니다.", "{}이다.", "답은 {}입니다.", "그것은 {}이다.")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_KOREAN_VALUE = re.compile(r"\d+(?:만|억|천)?(?:년|개월|월|일|원|명|회|퍼센트|배|시간|주|분)")
_LONGEST = 60  # characters of a value


def english(data: Path, seed: int, most: int = 500) -> Iterator[Row]:
    """XQuAD: its answers, beside the passage or beside the sentences around them."""
    draw = random.Random(seed)
    corpus = read(data / "rag/corpus/xquad_en_passages.jsonl.gz")
    texts = {row["_id"]: row["text"] for row in corpus}
    asked = [
        (row["positive_ids"][0], row["answers"][0])
        for row in read(data / "rag/dev/xquad_en_queries.jsonl")
        if len(row["answers"][0]) <= _LONGEST
    ]
    draw.shuffle(asked)
    for name, answer in asked[:most]:
        text = _around(texts[name], answer, draw)
        wrong = _other_number(answer, text, draw)
        if wrong is None:
            strange = [value for other, value in asked if other != name]
            wrong = next((v for v in draw.sample(strange, 20) if not _known(v, text)), None)
        yield from _both(text, answer, wrong, "bare-en", name, _ENGLISH, draw)


def korean(data: Path, seed: int, most: int = 400) -> Iterator[Row]:
    """Statutes: terms, sums and the like, beside the article or beside the sentence."""
    draw = random.Random(seed)
    made = 0
    for text, name, lines in articles(data, draw):
        values = sorted({found[0] for line in lines for found in _KOREAN_VALUE.finditer(line)})
        if not values:
            continue
        value = draw.choice(values)
        context = _around(text, value, draw)
        wrong = _other_number(value, context, draw)
        yield from _both(context, value, wrong, "bare-ko", name, _KOREAN, draw)
        made += 1
        if made == most:
            return


def _both(
    text: str,
    right: str,
    wrong: str | None,
    source: str,
    group: str,
    forms: tuple[str, ...],
    draw: random.Random,
) -> Iterator[Row]:
    yield Row(text, draw.choice(forms).format(right), "grounded", source, group)
    if wrong is not None:
        yield Row(text, draw.choice(forms).format(wrong), "notGrounded", source, group)


def _around(text: str, value: str, draw: random.Random) -> str:
    """Return the text, or of every second one the sentence that holds a value and the next."""
    spans = list(sentences(text))
    at = next((i for i, (start, end) in enumerate(spans) if value in text[start:end]), None)
    if at is None or draw.random() < 0.5:
        return text
    return text[spans[at][0] : spans[min(at + draw.choice((0, 0, 1)), len(spans) - 1)][1]]


def _other_number(value: str, text: str, draw: random.Random) -> str | None:
    """Return a value with another number, which the text has not; None where it has none."""
    found = _DIGITS.search(value)
    if found is None:
        return None
    known = set(_DIGITS.findall(text))
    for _ in range(40):
        digits = list(found[0])
        places = [i for i, c in enumerate(digits) if c.isdigit()]
        for at in draw.sample(places, min(len(places), draw.choice((1, 1, 2)))):
            digits[at] = draw.choice("123456789")
        changed = "".join(digits)
        if changed not in known:
            return value[: found.start()] + changed + value[found.end() :]
    return None


def _known(value: str, text: str) -> bool:
    """Return whether a word of a value stands in a text."""
    words = re.findall(r"\w{3,}", value.casefold())
    return not words or any(word in text.casefold() for word in words)
