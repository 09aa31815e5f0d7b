"""What a layout model and a table model must do; anything that does it plugs in."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from solarmini.layout.primitives import Box, Region


@runtime_checkable
class LayoutModel(Protocol):
    """Finds regions (text, title, table, figure ...) on the picture of a page."""

    name: str
    dpi: float  # the resolution at which it wants its pages

    def detect(self, image: np.ndarray, dpi: float) -> list[Region]:
        """Return regions in points of the page, best first.

        `image` is uint8 RGB (height, width, 3), drawn at `dpi` pixels an inch.
        """
        ...


@dataclass(frozen=True, slots=True)
class CellGuess:
    """A cell a table model saw: its place in the grid and its box in points of the page."""

    row: int
    column: int
    row_span: int
    column_span: int
    box: Box


@dataclass(frozen=True, slots=True)
class TableGuess:
    """The structure a table model saw: cells in reading order, and how sure it is, 0..1."""

    cells: tuple[CellGuess, ...]
    header_rows: int
    score: float

    @property
    def rows(self) -> int:
        """Number of rows."""
        return max((cell.row + cell.row_span for cell in self.cells), default=0)

    @property
    def columns(self) -> int:
        """Number of columns."""
        return max((cell.column + cell.column_span for cell in self.cells), default=0)


@runtime_checkable
class TableModel(Protocol):
    """Sees rows, columns and spans on the picture of one table."""

    name: str
    dpi: float

    def recognise(self, image: np.ndarray, box: Box, dpi: float) -> TableGuess | None:
        """Return the structure of the table in `box` (points) of the page picture, or None.

        `image` is uint8 RGB (height, width, 3) of the whole page at `dpi`.
        """
        ...
