"""Find the tables of a page: candidates from rules, text and models; the best readings win."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solarmini.layout.figures import chart_zones, drawn_zones
from solarmini.layout.models.base import TableGuess, TableModel
from solarmini.layout.primitives import Box, FoundTable, Line, PageContent, Region, union
from solarmini.layout.tables.candidates import alignments, grow, is_caption, lines_in, stacks
from solarmini.layout.tables.choose import Candidate, choose, lies_in
from solarmini.layout.tables.edges import Edges, page_edges
from solarmini.layout.tables.grid import Grid
from solarmini.layout.tables.heads import count_header_rows, span_headings
from solarmini.layout.tables.judge import confidence, consistency
from solarmini.layout.tables.lattice import components, lattice_box, read_lattice
from solarmini.layout.tables.recognised import read_guess
from solarmini.layout.tables.refine import split_rows
from solarmini.layout.tables.stream import header_above, read_stream
from solarmini.layout.tables.text import chunks_of, rows_of

SURE = 0.55  # confidence from which a candidate is a table
_REGION = 0.5  # score from which a model's table region is looked at
_SAME = 0.6  # intersection over union from which two boxes are the same thing
_FITS = 0.97  # consistency from which no second opinion is asked for
_GUESS = 0.97  # score from which a table model is believed


def find_tables(
    content: PageContent,
    regions: Sequence[Region] = (),
    recogniser: TableModel | None = None,
) -> list[FoundTable]:
    """Return the tables of a page, top to bottom; none overlap.

    `regions` are what a layout model saw (none: rules and text alone). `recogniser` is asked for
    the structure where the rules and the text leave it open; it needs `content.render`. On scans
    rules are read from the pixels. Captions stay outside. Every word of the lines a table takes
    is in exactly one of its cells.
    """
    search = _Search(content, [r for r in regions if r.score >= _REGION])
    found = choose(c for c in search.ruled() if not lies_in(c.box, search.zones))
    loose = search.seen_by_model(found) + search.aligned(found)
    found = choose(c for c in (*found, *loose) if not lies_in(c.box, search.zones))
    if recogniser is not None and content.render is not None:
        asked = _Asked(recogniser, content)
        found = [search.second_opinion(c, asked) for c in found]
        found += search.unread(found, asked)
    found.sort(key=lambda c: (c.box.top, c.box.left))
    return [_found(content, c) for c in found]


@dataclass(slots=True)
class _Asked:
    """A table model and the picture it looks at, drawn when first needed."""

    model: TableModel
    content: PageContent
    image: np.ndarray | None = None

    def guess(self, box: Box) -> TableGuess | None:
        """What the model sees in `box`; None when it is not sure."""
        if self.image is None:
            assert self.content.render is not None
            self.image = self.content.render(self.model.dpi)
        dpi = 72.0 * self.image.shape[1] / self.content.width
        guess = self.model.recognise(self.image, box.grown(3), dpi)
        return guess if guess is not None and guess.score >= _GUESS else None


class _Search:
    """One page's search: its edges, where charts are, and where a model saw tables."""

    def __init__(self, content: PageContent, regions: Sequence[Region]) -> None:
        self.content = content
        self.seen = [r for r in regions if r.label == "table"]
        if content.scanned and not content.marked and len(content.rules) < 4:
            from solarmini.layout.scans import with_marks

            content = with_marks(content)
        self.zones = chart_zones(content)
        self.drawings: list[Box] = []
        if content.scanned:
            self.drawings = drawn_zones(content, regions)
        else:  # a picture that a model takes for a figure holds labels, not cells
            figures = [r.box for r in regions if r.label == "figure"]
            pictures = [p.box for p in content.pictures]
            self.zones += [p for p in pictures if any(p.iou(box) > _SAME for box in figures)]
        drawn, every = page_edges(content)
        self.drawn, self.edges = drawn.off(self.zones), every.off(self.zones)

    def ruled(self) -> list[Candidate]:
        """Candidates that rules or fills draw."""
        pool: list[Candidate] = []
        for group in components(self.drawn):
            pool += self._lattice(group, self.drawn)
        # the rules of a table that is drawn say all; fills within it part nothing
        self.edges = self.edges.outside([c.box for c in pool])
        loose: list[Candidate] = []
        for group in components(self.edges):
            if any(e.soft for e in (*group.horizontal, *group.vertical)):
                loose += self._lattice(group, self.edges)
        for box in stacks(self.content, self.edges):
            loose += self._box(box, self.edges)
        return pool + [c for c in loose if not lies_in(c.box, self.drawings)]

    def seen_by_model(self, taken: Sequence[Candidate]) -> list[Candidate]:
        """Candidates where the layout model saw a table, and rules draw none."""
        pool: list[Candidate] = []
        for region in self.seen:
            if any(region.box.overlap(c.box) > 0.2 * c.box.area for c in taken):
                continue
            lines = without_captions(lines_in(self.content.lines, region.box.grown(2)))
            if len(lines) > 2:
                pool += self._read(union(ln.box for ln in lines), lines, self.edges, ruled=False)
        return pool

    def aligned(self, taken: Sequence[Candidate]) -> list[Candidate]:
        """Candidates from text in columns, outside what is taken, charts and pictures."""
        scanned = self.content.scanned and not self.content.marked
        solid = [] if scanned else [p.box for p in self.content.pictures]
        solid += self.drawings
        near = [zone.grown(4) for zone in self.zones]
        free = [
            line
            for line in without_code(self.content.lines)
            if not any(line.box.inside(c.box) > 0.5 for c in taken)
            and not any(line.box.inside(zone) > 0.5 for zone in near)
            and not any(line.box.inside(box) > 0.8 for box in solid)
        ]
        pool: list[Candidate] = []
        for box, lines in alignments(self.content, self.edges, free):
            found = self._read(box, lines, self.edges, ruled=False)
            above = header_above(free, lines, found[0].grid, self.edges) if found else []
            if above:
                lines = [*above, *lines]
                box = union(line.box for line in lines)
                found = self._read(box, lines, self.edges, ruled=False) or found
            pool += found
        return pool

    def second_opinion(self, candidate: Candidate, asked: _Asked) -> Candidate:
        """The better of a reading and the model's, for tables without rules both ways."""
        if candidate.drawn or candidate.fit >= _FITS:
            return candidate
        guess = asked.guess(candidate.box)
        grid = read_guess(guess, candidate.box, candidate.lines) if guess else None
        if grid is None or (grid.rows, grid.columns) == (
            candidate.grid.rows,
            candidate.grid.columns,
        ):
            return candidate
        other = self._judge(grid, candidate.lines, candidate.box, self.edges, ruled=True)
        return other[0] if other and other[0].fit > candidate.fit + 0.015 else candidate

    def unread(self, found: Sequence[Candidate], asked: _Asked) -> list[Candidate]:
        """Tables the layout model saw, that only the table model can read."""
        added: list[Candidate] = []
        for region in self.seen:
            if lies_in(region.box, [c.box for c in (*found, *added)]):
                continue
            lines = without_captions(lines_in(self.content.lines, region.box.grown(2)))
            guess = asked.guess(region.box) if len(lines) > 3 else None
            grid = read_guess(guess, region.box, lines) if guess else None
            if grid is not None:
                added += self._judge(grid, lines, region.box, self.edges, ruled=False)
        return [c for c in added if c.fit > 0.8 and not lies_in(c.box, self.zones)]

    def _lattice(self, group: Edges, edges: Edges) -> list[Candidate]:
        box = lattice_box(group)
        lines = lines_in(self.content.lines, box)
        if len(lines) < 2 or box.height < 12:
            return []
        found: list[Candidate] = []
        grid = read_lattice(group, lines)
        if grid is not None and grid.rows > 1 and grid.columns > 1:
            hard = sum(not e.soft for e in group.vertical) > 1
            grid = split_rows(grid.without_slivers())
            found += self._judge(grid, lines, box, edges, drawn=hard)
        return found + self._box(box, edges)

    def _box(self, box: Box, edges: Edges) -> list[Candidate]:
        lines = lines_in(self.content.lines, box)
        found = self._read(box, lines, edges, ruled=True) if len(lines) > 2 else []
        if not found:
            return []
        xs = found[0].grid.xs
        columns = [Box(a, box.top, b, box.bottom) for a, b in itertools.pairwise(xs)]
        wider = grow(box, self.content.lines, lines, edges, columns)
        if wider != box:
            lines = lines_in(self.content.lines, wider)
            found = self._read(wider, lines, edges, ruled=True) or found
        return found

    def _read(self, box: Box, lines: list[Line], edges: Edges, *, ruled: bool) -> list[Candidate]:
        grid = read_stream(box, lines, edges.within(box))
        return [] if grid is None else self._judge(grid, lines, box, edges, ruled=ruled)

    def _judge(
        self,
        grid: Grid,
        lines: Sequence[Line],
        box: Box,
        edges: Edges,
        *,
        ruled: bool = True,
        drawn: bool = False,
    ) -> list[Candidate]:
        """Return the reading, with the lines whose words it holds, if it is a table."""
        grid.header_rows = count_header_rows(grid, edges.within(box).horizontal)
        span_headings(grid.complete())
        grid.complete()
        near = box.grown(10)
        seen = any(r.box.inside(near) > 0.6 or box.inside(r.box) > 0.6 for r in self.seen)
        score = confidence(grid, drawn=drawn, ruled=ruled, seen=seen)
        if score < SURE:
            return []
        held = {id(word) for p in grid.pieces for chunk in p.chunks for word in chunk.words}
        kept = [line for line in lines if line.words and id(line.words[0]) in held]
        return [Candidate(grid, kept, box, score, consistency(grid), drawn)]


def without_code(lines: Sequence[Line]) -> Sequence[Line]:
    """Leave out lines in monospaced type, unless most of the page is set in it."""
    mono = {id(line) for line in lines if line.words and all(word.font.mono for word in line.words)}
    total = sum(len(line.text) for line in lines)
    set_so = sum(len(line.text) for line in lines if id(line) in mono)
    return lines if set_so > 0.6 * total else [line for line in lines if id(line) not in mono]


def without_captions(lines: Sequence[Line]) -> list[Line]:
    """Leave out caption lines at the top and bottom of a box."""
    rows = rows_of(chunks_of(lines))
    start, end = 0, len(rows)
    while start < end and len(rows[start].chunks) == 1 and is_caption(rows[start].chunks[0].text):
        start += 1
    while end > start and len(rows[end - 1].chunks) == 1:
        if not is_caption(rows[end - 1].chunks[0].text):
            break
        end -= 1
    kept = {chunk.line for row in rows[start:end] for chunk in row.chunks}
    return [line for i, line in enumerate(lines) if i in kept]


def _found(content: PageContent, candidate: Candidate) -> FoundTable:
    table = candidate.grid.to_table(content.width, content.height)
    return FoundTable(candidate.grid.box, table, candidate.lines, candidate.score)
