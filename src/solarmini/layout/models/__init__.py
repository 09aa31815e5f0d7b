"""Layout and table models behind two small protocols; heavy imports happen when one is opened."""

from solarmini.layout.models.base import CellGuess, LayoutModel, TableGuess, TableModel
from solarmini.layout.models.registry import (
    layout_model,
    layout_models,
    table_model,
    table_models,
)

__all__ = [
    "CellGuess",
    "LayoutModel",
    "TableGuess",
    "TableModel",
    "layout_model",
    "layout_models",
    "table_model",
    "table_models",
]
