import numpy as np
import pytest

from solarmini.layout.ocr.lines import even_sizes
from solarmini.layout.ocr.pixels import Rect
from solarmini.layout.ocr.reading import ReadLine, ReadWord
from solarmini.layout.ocr.sieve import sifted


def line(
    text: str, sure: float = 0.95, top: float = 0, size: float = 20, left: float = 0
) -> ReadLine:
    rect = Rect(left, top, left + 10.0 * len(text), top + size)
    words = tuple(ReadWord(t, rect, sure) for t in text.split())
    return ReadLine(words, rect, sure, size, top + size, stroke=0.1)


@pytest.mark.parametrize(
    ("text", "sure", "stays"),
    [
        ("Some text", 0.6, True),
        ("Some text", 0.4, False),
        ("a", 0.6, False),
        ("7", 0.9, True),
        ("--", 0.7, False),
        ("•", 0.6, True),
        ("", 1.0, False),
    ],
)
def test_what_is_text(text: str, sure: float, stays: bool) -> None:
    assert bool(sifted([line(text, sure)])) is stays


def test_the_same_text_twice_is_kept_once() -> None:
    whole, part = line("a whole line of text"), line("a whole", 0.99)
    assert sifted([part, whole]) == [whole]


def test_sizes_are_even_in_a_block_and_apart_between_blocks() -> None:
    title = line("Title", top=0, size=40)
    body = [
        line("body of the text", top=90 + 28 * i, size=s) for i, s in enumerate((19, 20, 21, 20))
    ]
    far = [line("another body text", top=400 + 28 * i, size=s) for i, s in enumerate((20.5, 20.9))]
    small = line("a note below it", top=700, size=15)
    sizes = even_sizes([title, *body, *far, small])
    assert sizes[0] == 40
    assert len(set(sizes[1:7])) == 1
    assert sizes[1] == 20
    assert sizes[7] == 15
    assert even_sizes([]).shape == (0,)
    assert isinstance(sizes, np.ndarray)
