import numpy as np

from solarmini.layout.ocr.detect import Spot, TextDetector
from solarmini.layout.ocr.ink import ink_of
from solarmini.layout.ocr.pieces import Piece, pieces_of, turned_over
from solarmini.layout.ocr.pixels import Rect, quarter_turned
from solarmini.layout.ocr.recogniser import RecognisedLine
from solarmini.layout.ocr.words import line_of

LEFT = (
    "the left column is read",
    "from its top to its end",
    "before the reader goes",
    "over to the",
)
RIGHT = (
    "right column, which he",
    "reads in the same way",
    "until the end of it,",
    "and then the next",
)


def columns(draw, gutter: int) -> tuple[np.ndarray, int]:
    """Two columns with `gutter` pixels between them; where the gutter is."""
    left = draw(LEFT, width=700, height=300, left=40, top=40)
    edge = int(np.flatnonzero((left < 128).any(axis=(0, 2)))[-1]) + 1
    right = draw(RIGHT, width=500, height=300, left=0, top=40)
    begin = int(np.flatnonzero((right < 128).any(axis=(0, 2)))[0])
    page = np.concatenate([left[:, : edge + gutter], right[:, begin:]], axis=1)
    return page, edge


def test_lines_that_bridge_a_gutter_are_cut(draw) -> None:
    page, edge = columns(draw, gutter=34)
    spots = [Spot(Rect(30, 32 + 48 * i, page.shape[1] - 20, 78 + 48 * i), 0.9) for i in range(4)]
    pieces = pieces_of(page, spots)
    assert len(pieces) == 8
    for piece in pieces:
        assert piece.rect.right <= edge + 34 or piece.rect.left >= edge - 4


def test_spaces_between_words_do_not_cut(draw, text) -> None:
    page = draw(text)
    pieces = pieces_of(page, TextDetector().find(page))
    assert len(pieces) == len(text)


def test_parts_of_one_line_are_joined(draw) -> None:
    page = draw(["one line in two parts"], width=420, height=60, left=10, top=10)
    spots = [Spot(Rect(6, 8, 160, 50), 0.9), Spot(Rect(166, 9, 400, 50), 0.9)]
    assert len(pieces_of(page, spots)) == 1
    far = [spots[0], Spot(Rect(300, 9, 400, 50), 0.9)]
    assert len(pieces_of(page, far)) == 2


def test_place_of_upward_and_downward_text() -> None:
    image = np.zeros((300, 200, 3), dtype=np.uint8)
    rect = Rect(50, 40, 80, 240)  # 30 wide, 200 high
    up = Piece(rect, quarter_turned(image[40:240, 50:80], 1), None, angle=270)
    assert up.crop.shape[:2] == (30, 200)
    # its first letters stand at the bottom, its top to the left
    assert up.place(0, 0, 20, 30) == Rect(50, 220, 80, 240)
    down = turned_over(up)
    assert down.angle == 90
    assert down.place(0, 0, 20, 10) == Rect(70, 40, 80, 60)


def test_a_space_is_put_where_the_ink_leaves_one(draw) -> None:
    crop = draw(["two words more"], width=300, height=52, left=16, top=6)
    ink = ink_of(crop)
    assert ink is not None
    inked = np.flatnonzero(ink.columns())
    wide = inked[-1] + 1 - inked[0]
    at = [0, 1, 2, 4.4, 5.5, 6.6, 7.5, 8.4, 9.3, 10.5, 11.6, 12.5, 13.3]  # no space before "words"
    places = tuple((inked[0] + wide * (i + 0.5) / 14) / crop.shape[1] for i in at)
    piece = Piece(Rect(100, 200, 400, 252), crop, ink)
    line = line_of(piece, RecognisedLine("twowords more", 0.9, places, (0.9,) * 13))
    assert line is not None
    assert [word.text for word in line.words] == ["two", "words", "more"]
    first, second, third = (word.rect for word in line.words)
    assert first.left == 100 + inked[0]
    assert third.right == 100 + inked[-1] + 1
    assert 5 < second.left - first.right < 16
    assert 200 < first.top < first.bottom < 252


def test_empty_text_is_no_line() -> None:
    crop = np.full((30, 60, 3), 255, dtype=np.uint8)
    assert line_of(Piece(Rect(0, 0, 60, 30), crop, None), RecognisedLine(" ", 0.0, (0.5,))) is None
