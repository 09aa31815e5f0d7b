"""Parts: pieces of a page on their way to blocks, with the rows they are made of."""

from dataclasses import dataclass, field

from solarmini.layout.assemble.rows import Row
from solarmini.layout.primitives import Box, FoundFigure, FoundTable, Line, Region, union

Label = str


@dataclass(slots=True, eq=False)
class Part:
    """A paragraph-like piece, a table or a figure; `box` is on the page, `frame` as it is read."""

    category: str
    box: Box
    frame: Box
    rows: list[Row] = field(default_factory=list)
    table: FoundTable | None = None
    figure: FoundFigure | None = None
    confidence: float = 1.0
    caption_of: "Part | None" = None
    marker: tuple[str, bool] | None = None
    seen: dict[Label, float] = field(default_factory=dict)  # how much of it lies in each region

    @property
    def text(self) -> str:
        """Its lines, joined by spaces as they stand."""
        return " ".join(row.text for row in self.rows)

    @property
    def size(self) -> float:
        """Font size of its longest row."""
        return max(self.rows, key=lambda row: len(row.text)).size if self.rows else 0.0

    @property
    def lines(self) -> list[Line]:
        """Its printed lines in order."""
        return [line for row in self.rows for line in row.lines]


def text_part(rows: list[Row], regions: list[Region]) -> Part:
    """Make a paragraph of rows, and note in which of the model's regions it lies."""
    box = union(row.page_box for row in rows)
    part = Part("paragraph", box, union(row.box for row in rows), rows)
    for region in regions:
        share = box.inside(region.box)
        if share > 0.5:
            best = part.seen.get(region.label, 0.0)
            part.seen[region.label] = max(best, share * region.score)
    return part
