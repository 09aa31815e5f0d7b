import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rapidfuzz.distance import Levenshtein

from solarmini.errors import DocumentError
from solarmini.layout.ocr.hangul import LineRecogniser
from solarmini.layout.ocr.hangul.recogniser import CHARACTERS, WEIGHTS, read_characters
from solarmini.layout.ocr.recogniser import RecognisedLine

FIXTURE = Path(__file__).parent / "hangul_lines"


def error(rows: list[dict], lines: list[RecognisedLine]) -> float:
    wrong = sum(
        Levenshtein.distance(row["text"], line.text) for row, line in zip(rows, lines, strict=True)
    )
    return wrong / sum(len(row["text"]) for row in rows)


@pytest.fixture(scope="module")
def recogniser() -> LineRecogniser:
    return LineRecogniser()


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    """Lines of our own in fonts that were held out of training (training/hangul/fixture.py)."""
    found = json.loads((FIXTURE / "lines.json").read_text(encoding="utf-8"))
    with Image.open(FIXTURE / "lines.png") as image:
        page = np.asarray(image.convert("RGB"))
    for row in found:
        left, top, right, bottom = row["box"]
        row["crop"] = page[top:bottom, left:right]
    return found


@pytest.fixture(scope="module")
def read(recogniser: LineRecogniser, rows: list[dict]) -> list[RecognisedLine]:
    return recogniser([row["crop"] for row in rows])


def test_reads_korean_and_english_in_fonts_it_was_not_trained_on(rows, read):
    assert error(rows, read) <= 0.03
    assert sum(row["text"] == line.text for row, line in zip(rows, read, strict=True)) >= 8


def test_light_text_on_a_dark_coloured_ground_is_read(recogniser, rows):
    crops = [
        (np.array([20, 60, 120]) + (255.0 - row["crop"]) * [0.9, 0.7, 0.5]).astype(np.uint8)
        for row in rows
    ]
    assert error(rows, recogniser(crops)) <= 0.05


def test_positions_are_the_middles_of_the_characters(rows, read):
    for row, line in zip(rows, read, strict=True):
        assert len(line.positions) == len(line.confidences) == len(line.text)
        assert list(line.positions) == sorted(line.positions)
        if line.text == row["text"]:
            wide, high = row["crop"].shape[1], row["crop"].shape[0]
            shift = np.abs(np.subtract(line.positions, row["middles"])) * wide
            assert shift.max() < 0.6 * high


def test_confidence_is_the_mean_of_the_characters(read):
    for line in read:
        assert line.confidence == pytest.approx(np.mean(line.confidences))
        assert 0.5 < line.confidence <= 1


def test_what_is_read_does_not_depend_on_the_company(recogniser, rows, read):
    alone = [recogniser([row["crop"]])[0].text for row in rows]
    together = [line.text for line in read]
    shuffled = recogniser([row["crop"] for row in reversed(rows)])
    assert [line.text for line in reversed(shuffled)] == together
    # padding may tip a doubtful character, not more
    assert sum(Levenshtein.distance(a, b) for a, b in zip(together, alone, strict=True)) <= 2


def test_empty_paper_has_no_text(recogniser, rows):
    blank = np.full((30, 200, 3), 255, np.uint8)
    lines = recogniser([blank, rows[0]["crop"], blank[:1, :1]])
    assert [line.text.strip() for line in lines[::2]] == ["", ""]
    assert lines[1].text.startswith(rows[0]["text"][:3])


def test_no_crops_no_lines(recogniser):
    assert recogniser([]) == []


def test_alphabet_has_every_syllable_of_the_korean_standard_and_all_of_ascii():
    letters = read_characters(CHARACTERS)
    assert len(set(letters)) == len(letters)
    assert all(len(letter) == 1 for letter in letters)
    standard = {
        bytes((high, low)).decode("euc_kr")
        for high in range(0xB0, 0xC9)
        for low in range(0xA1, 0xFF)
    }
    assert len(standard) == 2350
    assert standard | {chr(code) for code in range(32, 127)} <= set(letters)


def test_weights_are_small():
    assert WEIGHTS.stat().st_size <= 12_000_000


def test_missing_weights_say_how_to_mend(tmp_path):
    with pytest.raises(DocumentError, match="missing") as caught:
        LineRecogniser(weights=tmp_path / "no.onnx")([np.zeros((20, 40, 3), np.uint8)])
    assert "export.py" in str(caught.value)


def test_list_of_another_model_is_refused(tmp_path):
    other = tmp_path / "characters.txt"
    other.write_text("a\nb\n", encoding="utf-8")
    with pytest.raises(DocumentError, match="2 characters"):
        LineRecogniser(characters=other)([np.zeros((20, 40, 3), np.uint8)])
