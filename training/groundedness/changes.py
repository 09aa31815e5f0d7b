"""More false answers of a context's own sentences: two values exchanged, a statement denied."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from sources import Row, articles, read
from swaps import _KOREAN_VALUE, _NUMBER, _tail, shorter

from solarmini.rag.chunk.sentences import sentences

_NAME = re.compile(r"(?<=[a-z,] )(?:[A-Z][a-z]+(?: [A-Z][a-z]+)*)")
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|had|can|could|will|would|must)\b")
_KOREAN_ENDS = (
    ("하여야 한다", "하여서는 아니 된다"),
    ("할 수 있다", "할 수 없다"),
    ("그러하지 아니하다", "그러하다"),
    ("아니한다", "한다"),
    ("한다.", "하지 아니한다."),
    ("있다.", "없다."),
    ("된다.", "되지 아니한다."),
)


def exchanged(sentence: str, found: list[re.Match[str]], draw: random.Random) -> str | None:
    """Put two different values of one kind of a sentence into each other's place."""
    pairs = [
        (one, other)
        for at, one in enumerate(found)
        for other in found[at + 1 :]
        if one[0] != other[0] and _tail(one[0]) == _tail(other[0])
    ]
    if not pairs:
        return None
    one, other = draw.choice(pairs)
    between = sentence[one.end() : other.start()]
    return sentence[: one.start()] + other[0] + between + one[0] + sentence[other.end() :]


def english(data: Path, seed: int) -> Iterator[Row]:
    """XQuAD sentences: numbers exchanged, names exchanged, denied; each beside the true one."""
    draw = random.Random(seed)
    for row in read(data / "rag/corpus/xquad_en_passages.jsonl.gz"):
        text, name = row["text"], row["_id"]
        for start, end in sentences(text):
            sentence = text[start:end]
            for kind, pattern in (("numbers", _NUMBER), ("names", _NAME)):
                wrong = exchanged(sentence, list(pattern.finditer(sentence)), draw)
                if wrong and draw.random() < 0.5:
                    yield Row(text, sentence, "grounded", f"exchanged-{kind}-en", name)
                    yield Row(text, wrong, "notGrounded", f"exchanged-{kind}-en", name)
            verb = _VERB.search(sentence)
            if verb and draw.random() < 0.4:
                said = shorter(sentence, verb[0], draw)
                wrong = _VERB.sub(lambda found: found[0] + " not", said, count=1)
                yield Row(text, said, "grounded", "denied-en", name)
                if wrong != said:
                    yield Row(text, wrong, "notGrounded", "denied-en", name)


def korean(data: Path, seed: int, most: int = 800) -> Iterator[Row]:
    """Sentences of statutes: values exchanged, denied; each beside the true one."""
    draw = random.Random(seed)
    made = 0
    for text, name, lines in articles(data, draw):
        sentence = draw.choice(lines)
        wrong = exchanged(sentence, list(_KOREAN_VALUE.finditer(sentence)), draw)
        if wrong:
            yield Row(text, sentence, "grounded", "exchanged-ko", name)
            yield Row(text, wrong, "notGrounded", "exchanged-ko", name)
            made += 2
        ending = next((pair for pair in _KOREAN_ENDS if pair[0] in sentence), None)
        if ending:
            wrong = ending[1].join(sentence.rsplit(ending[0], 1))
            yield Row(text, sentence, "grounded", "denied-ko", name)
            yield Row(text, wrong, "notGrounded", "denied-ko", name)
            made += 2
        if made >= most:
            return
