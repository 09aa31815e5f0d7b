"""Tables of a page: found, read into a grid with spans, and joined over pages."""

from solarmini.layout.tables.across import join_tables
from solarmini.layout.tables.find import find_tables
from solarmini.layout.tables.pixels import rules_from_pixels

__all__ = ["find_tables", "join_tables", "rules_from_pixels"]
