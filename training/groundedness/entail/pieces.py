"""Which pieces of E5's 250,000 are kept: those of Korean and English text, and single letters."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from network import tokenizer
from pairs import Pair

from solarmini.rag.embed.e5.weights import E5

_FOLDERS = ("cpt/ko", "cpt/en", "cpt/parallel", "sft/dev", "eval/fewshot")
_OF_EACH = 1_500_000  # characters
_STEP = 2000
_LETTERS = (
    (0x21, 0x180), (0x2010, 0x2600), (0x3000, 0x3130), (0xAC00, 0xD7A4),
)  # fmt: skip


def counted(e5: E5, data: Path) -> Counter[int]:
    """Count E5's pieces in the corpora."""
    pieces, found = tokenizer(e5, list(range(len(e5.pieces)))), Counter()
    for text in _texts(data):
        found.update(pieces.encode(text, add_special_tokens=False).ids)
    return found


def _texts(data: Path) -> Iterator[str]:
    for folder in _FOLDERS:
        for path in sorted((data / folder).iterdir()):
            opened = gzip.open if path.suffix == ".gz" else open
            taken = 0
            with opened(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    values = json.loads(line).values()
                    text = " ".join(value for value in values if isinstance(value, str))
                    for at in range(0, len(text), 10 * _STEP if len(text) > 40_000 else _STEP):
                        yield text[at : at + _STEP]
                        taken += _STEP
                    if taken >= _OF_EACH:
                        break


def letters(e5: E5) -> list[int]:
    """Return the ids of the pieces of one letter, so that every word can be spelt."""
    return [
        number
        for number, piece in enumerate(e5.pieces)
        if number > 3
        and len(piece) == 1
        and any(first <= ord(piece) < last for first, last in _LETTERS)
    ]


def kept(e5: E5, data: Path, pairs: Sequence[Pair]) -> list[int]:
    """Return the ids to train with: all that occur twice, or in a pair."""
    pieces = tokenizer(e5, list(range(len(e5.pieces))))
    chosen = {piece for piece, count in counted(e5, data).items() if count > 1}
    for pair in pairs:
        chosen.update(pieces.encode(f"{pair.premise} {pair.claim}").ids)
    return [0, 1, 2, 3, *sorted((chosen | set(letters(e5))) - {0, 1, 2, 3})]


def shipped(e5: E5, data: Path, most: int) -> list[int]:
    """Return the ids to ship: the letters, and the most frequent pieces."""
    chosen = {0, 1, 2, 3, *letters(e5)}
    for piece, _ in counted(e5, data).most_common():
        if len(chosen) >= most:
            break
        chosen.add(piece)
    return sorted(chosen)
