"""From lines, tables and figures to blocks in reading order, and from pages to a document."""

from solarmini.layout.assemble.draft import draft_page
from solarmini.layout.assemble.finish import finish

__all__ = ["draft_page", "finish"]
