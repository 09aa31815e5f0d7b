import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.layout.ocr.recogniser import (
    PaddleRecogniser,
    batches_by_width,
    decode,
    is_latin,
)
from solarmini.layout.ocr.scripts import ScriptRecogniser


@given(st.lists(st.tuples(st.integers(1, 80), st.integers(1, 4000)), max_size=40))
def test_batches_hold_every_crop_once_within_bounds(sizes: list[tuple[int, int]]) -> None:
    crops = [np.zeros((h, w, 3), dtype=np.uint8) for h, w in sizes]
    seen: list[int] = []
    for indices, widths, wide in batches_by_width(crops, 48, 4096):
        seen += indices
        assert len(indices) == 1 or wide * len(indices) <= 4096 + 8 * len(indices)
        assert max(widths) <= wide <= max(widths) + 7
    assert sorted(seen) == list(range(len(crops)))


def test_decode_merges_repeats_and_drops_blanks() -> None:
    letters = ["", "l", "o", " "]
    path = [0, 1, 1, 0, 1, 2, 2, 0, 3, 2]
    table = np.full((10, 4), 0.1)
    table[np.arange(10), path] = 0.7
    table[2, 1] = 0.9
    line = decode(table, letters, share=1.0)
    assert line.text == "llo o"
    assert line.positions == pytest.approx((0.2, 0.45, 0.6, 0.85, 0.95))
    assert line.confidences[0] == pytest.approx(0.9)
    assert line.confidence == pytest.approx((0.9 + 4 * 0.7) / 5)


def test_decode_of_padding_is_empty() -> None:
    table = np.tile([0.9, 0.1], (6, 1))
    line = decode(table, ["", "a"], share=0.5)
    assert (line.text, line.confidence, line.positions) == ("", 0.0, ())


@pytest.mark.parametrize(
    ("letter", "yes"),
    [
        ("a", True),
        ("é", True),
        ("β", True),
        ("•", True),
        ("中", False),
        ("д", False),
        ("：", False),
    ],
)
def test_letters_of_latin_text(letter: str, yes: bool) -> None:
    assert is_latin(letter) is yes


def test_reads_lines_of_all_lengths_in_their_order(draw) -> None:
    texts = [
        "Page 12",
        "Confidence is a number between zero and one, not a promise.",
        "No",
        "due: 3.50",
    ]
    crops = [draw([t], width=60 + 16 * len(t), height=52, left=16, top=6) for t in texts]
    read = PaddleRecogniser("rec-tiny")(crops)
    assert [line.text for line in read] == texts
    for line in read:
        assert line.confidence > 0.7
        assert list(line.positions) == sorted(line.positions)
        assert len(line.positions) == len(line.text) == len(line.confidences)


def test_english_alone_needs_no_hangul_recogniser(draw) -> None:
    recogniser = ScriptRecogniser(("en",))
    assert recogniser.hangul is None
    crop = draw(["Nothing but Latin"], width=420, height=52, left=16, top=6)
    assert recogniser([crop])[0].text == "Nothing but Latin"
    assert recogniser([]) == []
