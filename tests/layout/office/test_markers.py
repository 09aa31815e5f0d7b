"""List markers, and grids that cover every place once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.layout.document import Cell
from solarmini.layout.office.builder import grid_table
from solarmini.layout.office.markers import bullet, number_text, roman


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        (3, "decimal", "3"),
        (3, "decimalZero", "03"),
        (28, "lowerLetter", "bb"),
        (4, "upperRoman", "IV"),
        (1999, "lowerRoman", "mcmxcix"),
        (2, "ganada", "나"),
        (15, "HANGUL_SYLLABLE", "가가"),
        (3, "chosung", "ㄷ"),
        (7, "CIRCLED_DIGIT", "⑦"),
        (2, "CIRCLED_HANGUL_SYLLABLE", "㉯"),
        (21, "decimalEnclosedCircle", "21"),
        (0, "lowerLetter", "0"),
        (10**9, "lowerLetter", "1000000000"),
    ],
)
def test_numbers(number: int, kind: str, text: str) -> None:
    assert number_text(number, kind) == text


def test_roman_counts_up() -> None:
    assert [roman(n) for n in (1, 4, 9, 14, 40, 90, 400, 0, 5000)] == [
        *("i", "iv", "ix", "xiv", "xl", "xc", "cd", "0", "5000"),
    ]


def test_bullets_of_symbol_fonts() -> None:
    assert [bullet(b) for b in ("\uf0b7", "\uf0fc", "\uf123", "", "o", "–")] == list("•✓•••–")


places = st.tuples(*[st.integers(0, 5)] * 2, *[st.integers(1, 5)] * 2)


@given(st.integers(1, 5), st.integers(1, 5), st.lists(places, max_size=12))
def test_every_place_is_covered_once(
    rows: int, columns: int, cells: list[tuple[int, int, int, int]]
) -> None:
    made = [Cell(row=r, column=c, row_span=tall, column_span=wide) for r, c, tall, wide in cells]
    table = grid_table(rows, columns, made, 9)
    assert table is not None
    assert sum(cell.row_span * cell.column_span for cell in table.cells) == rows * columns
    assert all(cell is not None for row in table.grid() for cell in row)
    assert list(table.cells) == sorted(table.cells, key=lambda cell: (cell.row, cell.column))
    assert table.header_rows <= rows
