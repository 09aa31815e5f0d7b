"""Tables of DOCX: w:gridSpan and w:vMerge as column and row spans (ECMA-376 part 1, 17.4)."""

from collections.abc import Callable, Iterator
from typing import Any

from solarmini.layout.document import Cell, Span, Table
from solarmini.layout.office.builder import grid_table
from solarmini.layout.office.docx_lists import W
from solarmini.layout.stated import stated_number


def read_table(node: Any, read_cell: Callable[[Any], tuple[Span, ...]]) -> Table | None:
    """Read a w:tbl; `read_cell` gives the text of a w:tc."""
    cells: list[Cell] = []
    above: dict[int, int] = {}  # column -> index in `cells` of the cell that may reach down
    columns = header_rows = 0
    rows = list(_rows(node))
    for at, row in enumerate(rows):
        column = _number(row, "trPr/gridBefore")
        reaching: dict[int, int] = {}
        for cell in _cells(row):
            span = max(_number(cell, "tcPr/gridSpan"), 1)
            merge = cell.find(f"{W}tcPr/{W}vMerge")
            continues = merge is not None and merge.get(f"{W}val", "continue") == "continue"
            if continues and column in above:
                upper = cells[above[column]]
                cells[above[column]] = upper.model_copy(update={"row_span": upper.row_span + 1})
                reaching[column] = above[column]
            else:
                text = read_cell(cell)
                cells.append(Cell(row=at, column=column, column_span=span, spans=text))
                if merge is not None:
                    reaching[column] = len(cells) - 1
            column += span
        above = reaching
        columns = max(columns, column)
        if at == header_rows and row.find(f"{W}trPr/{W}tblHeader") is not None:
            header_rows += 1
    if not header_rows and _first_row_is_head(node) and len(rows) > 1:
        header_rows = 1
    cells = [c.model_copy(update={"header": True}) if c.row < header_rows else c for c in cells]
    return grid_table(len(rows), columns, cells, header_rows)


def _first_row_is_head(node: Any) -> bool:
    """Whether the table's style sets its first row apart."""
    look = node.find(f"{W}tblPr/{W}tblLook")
    styled = node.find(f"{W}tblPr/{W}tblStyle")
    if look is None or styled is None:
        return False
    value = look.get(f"{W}val", "0")
    bits = int(value, 16) if all(c in "0123456789abcdefABCDEF" for c in value) else 0
    return look.get(f"{W}firstRow") in ("1", "true") or bool(bits & 0x20)


def _rows(node: Any) -> Iterator[Any]:
    for child in node:
        if child.tag == f"{W}tr":
            yield child
        elif child.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins"):
            yield from _rows(child)


def _cells(node: Any) -> Iterator[Any]:
    for child in node:
        if child.tag == f"{W}tc":
            yield child
        elif child.tag in (f"{W}sdt", f"{W}sdtContent"):
            yield from _cells(child)


def _number(node: Any, path: str) -> int:
    found = node.find("/".join(f"{W}{part}" for part in path.split("/")))
    value = found.get(f"{W}val", "0") if found is not None else "0"
    return stated_number(value, most=10_000)
