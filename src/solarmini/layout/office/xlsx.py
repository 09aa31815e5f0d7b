"""XLSX: each visible sheet a page; blocks of cells between empty rows are tables or text."""

import datetime
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from solarmini.errors import LimitError, require
from solarmini.layout.document import Cell, Span, Table
from solarmini.layout.office.builder import Builder, grid_table
from solarmini.layout.office.numbers import shown

MOST_XML = 48 * 2**20  # bytes of sheets; a cell in memory takes some ten times its XML
MOST_MERGED = 2_000_000  # cells under merged ranges
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*\bref\s*=\s*[\"']([^\"']+)")
Merged = dict[tuple[int, int], tuple[int, int]]  # top left cell -> rows, columns


def read_xlsx(path: Path, builder: Builder) -> str | None:
    """Read an XLSX into `builder`; return its title. Formulas give the values last saved."""
    openpyxl = require("openpyxl", "layout")
    _check_size(path)
    with path.open("rb") as file:  # of a path, openpyxl wants the ending too
        book = openpyxl.load_workbook(file, data_only=True)
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                continue
            builder.start_page()
            builder.text("heading1", (Span(text=sheet.title),))
            _read_sheet(sheet, builder)
            for picture in getattr(sheet, "_images", ()):
                builder.figure(picture._data())
        title = book.properties.title
        book.close()
    return title


def _check_size(path: Path) -> None:
    """Raise LimitError where opening the workbook would take memory out of all proportion.

    The library makes an object for every cell that a merged range covers, and a range of a few
    bytes can cover seventeen thousand million.
    """
    with zipfile.ZipFile(path) as archive:
        parts = [i for i in archive.infolist() if i.filename.startswith("xl/worksheets/")]
        size = sum(part.file_size for part in parts)
        if size > MOST_XML:
            raise LimitError(
                f"the sheets are {size:,} bytes of XML; at most {MOST_XML:,} are read",
                mend="split the workbook, or save the sheets as CSV",
            )
        covered = 0
        for part in parts:
            for found in _MERGED.finditer(archive.read(part)):
                covered += _area(found[1].decode("ascii", "replace"))
    if covered > MOST_MERGED:
        raise LimitError(f"merged cells cover {covered:,} places; at most {MOST_MERGED:,} are read")


def _area(reference: str) -> int:
    """Return how many cells "B2:D9" covers."""
    from openpyxl.utils import range_boundaries

    try:
        bounds = range_boundaries(reference)
    except (ValueError, TypeError):
        return 0
    left, top, right, bottom = (int(bound or 0) for bound in bounds)
    return max(right - left + 1, 0) * max(bottom - top + 1, 0)


def _read_sheet(sheet: Any, builder: Builder) -> None:
    merged: Merged = {
        (area.min_row, area.min_col): (
            area.max_row - area.min_row + 1,
            area.max_col - area.min_col + 1,
        )
        for area in sheet.merged_cells.ranges
    }
    values = {
        (cell.row, cell.column): cell
        for cell in sheet._cells.values()
        if cell.value is not None and str(cell.value).strip()
    }
    most = builder.reading.limits.max_objects
    for block in _blocks(values, merged):
        top, left, bottom, right = block
        if (bottom - top + 1) * (right - left + 1) > most:
            bottom = top + max(most // (right - left + 1), 1) - 1
            builder.problem(f"sheet '{sheet.title}': rows after {bottom} were left out")
        found = [at for at in values if top <= at[0] <= bottom and left <= at[1] <= right]
        if len(found) == 1:
            cell = values[found[0]]
            builder.text("paragraph", _spans(cell))
        elif found:
            builder.table(_table(values, merged, (top, left, bottom, right), sheet))


def _blocks(values: dict[tuple[int, int], Any], merged: Merged) -> Iterator[tuple[int, ...]]:
    """Yield (top, left, bottom, right) of runs of rows that hold something."""
    reach: dict[int, tuple[int, int]] = {}  # row -> leftmost and rightmost column used
    for row, column in values:
        rows, columns = merged.get((row, column), (1, 1))
        for at in range(row, row + min(rows, 10_000)):
            left, right = reach.get(at, (column, column))
            reach[at] = min(left, column), max(right, column + columns - 1)
    top: int | None = None
    before = 0
    for row in sorted(reach):
        if top is None:
            top = row
        elif row > before + 1:
            yield _block(reach, top, before)
            top = row
        before = row
    if top is not None:
        yield _block(reach, top, before)


def _block(reach: dict[int, tuple[int, int]], top: int, bottom: int) -> tuple[int, ...]:
    used = [reach[row] for row in range(top, bottom + 1)]
    return top, min(left for left, _ in used), bottom, max(right for _, right in used)


def _table(
    values: dict[tuple[int, int], Any], merged: Merged, area: tuple[int, int, int, int], sheet: Any
) -> Table | None:
    top, left, bottom, right = area
    header_rows = _header_rows(values, area, sheet)
    cells = []
    for (row, column), cell in values.items():
        if not (top <= row <= bottom and left <= column <= right):
            continue
        rows, columns = merged.get((row, column), (1, 1))
        cells.append(
            Cell(
                row=row - top,
                column=column - left,
                row_span=rows,
                column_span=columns,
                header=row - top < header_rows,
                spans=_spans(cell),
            )
        )
    return grid_table(bottom - top + 1, right - left + 1, cells, header_rows)


def _header_rows(
    values: dict[tuple[int, int], Any], area: tuple[int, int, int, int], sheet: Any
) -> int:
    """Return 1 where the first row names the columns: a filter says so, bold type, or only words
    above numbers."""
    top, left, bottom, right = area
    first = [values[top, c] for c in range(left, right + 1) if (top, c) in values]
    if top == bottom or not first:
        return 0

    tables = [table.ref for table in sheet.tables.values()]
    filters = [sheet.auto_filter.ref] if sheet.auto_filter and sheet.auto_filter.ref else []
    starts = {
        int("".join(c for c in ref.split(":")[0] if c.isdecimal())) for ref in tables + filters
    }
    if top in starts:
        return 1
    if not all(isinstance(cell.value, str) for cell in first):
        return 0
    below = [values[top + 1, c] for c in range(left, right + 1) if (top + 1, c) in values]
    bold = all(cell.font and cell.font.bold for cell in first)
    plain = not all(cell.font and cell.font.bold for cell in below)
    numbers = any(isinstance(c.value, (int, float, datetime.date)) for c in below)
    return 1 if (bold and plain) or (numbers and len(first) > 1) else 0


def _spans(cell: Any) -> tuple[Span, ...]:
    text = shown(cell.value, cell.number_format)
    bold = bool(cell.font and cell.font.bold)
    italic = bool(cell.font and cell.font.italic)
    link = cell.hyperlink.target if cell.hyperlink else None
    return (Span(text=text, bold=bold, italic=italic, link=link),)
