"""XLSX made by openpyxl: sheets as pages, blocks as tables, values as they are shown."""

import datetime
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import Font

from solarmini.errors import LimitError
from solarmini.layout import Document, Limits, parse
from solarmini.layout.office.numbers import shown


def read(book: openpyxl.Workbook, folder: Path, **options: object) -> Document:
    path = folder / "a.xlsx"
    book.save(path)
    return parse(path, **options)  # ty: ignore[invalid-argument-type]


def test_sheets_blocks_and_spans(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Lamps"
    sheet["B2"] = "All lamps of the coast"
    for row in (("name", "range", "built"), ("north", 18.5, datetime.date(1902, 5, 1))):
        sheet.append(row)
    sheet["A5"], sheet["C5"] = "south", datetime.date(1911, 1, 2)
    sheet.merge_cells("A5:B6")
    sheet["C6"] = 0.25
    sheet["C6"].number_format = "0.0%"
    hidden = book.create_sheet("hidden")
    hidden["A1"] = "secret"
    hidden.sheet_state = "hidden"
    other = book.create_sheet("둘")
    other["C3"] = "only this"
    document = read(book, tmp_path)
    assert document.total_pages == 2
    title, table = document.pages[0].elements
    assert (title.category, title.text) == ("heading1", "Lamps")
    assert table.table is not None
    assert table.table.rows == 5
    texts = [[cell.text if cell else None for cell in row] for row in table.table.grid()]
    assert texts[1:] == [
        ["name", "range", "built"],
        ["north", "18.5", "1902-05-01"],
        ["south", "south", "1911-01-02"],
        ["south", "south", "25.0%"],
    ]
    assert [e.text for e in document.pages[1].elements] == ["둘", "only this"]


def test_empty_rows_part_tables_and_words_above_numbers_are_a_head(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (("a", "b"), (1, 2), (), ("x", "y"), ("z", "w"), (), ("B", "C"), ("d", "e")):
        sheet.append(row)
    for cell in sheet[7]:
        cell.font = Font(bold=True)
    _, first, second, third = read(book, tmp_path).elements
    heads = [element.table.header_rows for element in (first, second, third) if element.table]
    assert heads == [1, 0, 1]


def test_a_huge_sheet_is_cut_and_says_so(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in range(300):
        book.active.append([row, row + 1])
    document = read(book, tmp_path, limits=Limits(max_objects=100))
    table = list(document.elements)[1].table
    assert table is not None
    assert table.rows == 50
    assert "left out" in document.problems[0].what


def test_merged_cells_without_end_are_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "x"
    path = tmp_path / "a.xlsx"
    book.save(path)
    merged = b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells><pageMargins'
    changed = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"<pageMargins", merged))
    with pytest.raises(LimitError, match="merged cells"):
        parse(changed)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (3, "General", "3"),
        (3.0, "General", "3"),
        (0.1 + 0.2, "General", "0.3"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (0.256, "0%", "26%"),
        (-5, '"$"#,##0.00', "-$5.00"),
        (5, "₩#,##0", "₩5"),
        (True, "General", "TRUE"),
        (datetime.datetime(2024, 4, 1, 9, 30), "General", "2024-04-01 09:30"),
        (datetime.datetime(2024, 4, 1), "yyyy", "2024-04-01"),
        (1e20, "General", "1e+20"),
        ("text", "@", "text"),
    ],
)
def test_values_as_their_cells_show_them(value: object, number_format: str, text: str) -> None:
    assert shown(value, number_format) == text
