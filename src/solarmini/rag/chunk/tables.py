"""Tables as chunks: HTML for a model, one sentence a row for search, split only between rows."""

from collections.abc import Iterable, Iterator

from solarmini.layout.document import Cell, Table
from solarmini.layout.export.html import table_html


def markup(table: Table) -> str:
    """Return the table as HTML, spans and all."""
    return table_html(table)


def row_texts(table: Table) -> list[str]:
    """Return one line a body row, each value behind the names of its column.

    "Model: SOLAR 10.7B; H6 (Avg.): 66.04". Without a head the values stand alone. A value that
    spans columns is said once, under the first column's name.
    """
    lines = [row_line(pairs) for pairs in row_pairs(table)]
    return lines or [" ".join(_flat(cell) for cell in table.cells if cell.text.strip())]


def row_line(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a row's (name, value) pairs as one line."""
    return "; ".join(f"{name}: {value}" if name else value for name, value in pairs)


def row_pairs(table: Table) -> list[list[tuple[str, str]]]:
    """Return (name of the column, value) of every filled cell, a list for each body row."""
    grid = table.grid()
    names = _column_names(table, grid)
    rows = []
    for row in range(table.header_rows, table.rows):
        said: list[tuple[str, str]] = []
        seen: set[tuple[int, int]] = set()
        for column, cell in enumerate(grid[row]):
            if cell is None or (cell.row, cell.column) in seen:
                continue
            seen.add((cell.row, cell.column))
            value = _flat(cell)
            if value:
                said.append((names[column], value))
        if said:
            rows.append(said)
    return rows


def _column_names(table: Table, grid: list[list[Cell | None]]) -> list[str]:
    """Join the head cells above each column, outermost first, without repeats."""
    names = []
    for column in range(table.columns):
        parts: list[str] = []
        for row in range(min(table.header_rows, table.rows)):
            cell = grid[row][column]
            text = _flat(cell) if cell else ""
            if text and text not in parts:
                parts.append(text)
        names.append(" ".join(parts))
    return names


def _flat(cell: Cell) -> str:
    return " ".join(cell.text.split())


def rows_of(table: Table, first: int, last: int) -> Table:
    """Return the head and the body rows first..last (counted in the table, last not included).

    Cells that reach over an edge are cut at it; a cell cut at its top keeps its text.
    """
    head = min(table.header_rows, table.rows)
    kept = [c.model_copy(update=_cut(c, 0, head, 0)) for c in table.cells if c.row < head]
    for cell in table.cells:
        if cell.row + cell.row_span > first and cell.row < last and cell.row >= head:
            kept.append(cell.model_copy(update=_cut(cell, first, last, head)))
    kept.sort(key=lambda cell: (cell.row, cell.column))
    rows = head + last - first
    return table.model_copy(update={"rows": rows, "cells": tuple(kept)})


def _cut(cell: Cell, first: int, last: int, head: int) -> dict[str, int]:
    top, bottom = max(cell.row, first), min(cell.row + cell.row_span, last)
    return {"row": top - first + head, "row_span": bottom - top}


def split_rows(sizes: list[int], most: int) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of runs of rows whose sizes sum to `most` at most, one row at least."""
    start, total = 0, 0
    for at, size in enumerate(sizes):
        if at > start and total + size > most:
            yield start, at
            start, total = at, 0
        total += size
    if start < len(sizes):
        yield start, len(sizes)
