"""Score parsed Markdown against ground truth: NID, TEDS and MHS, each 0..1.

* NID, text and reading order: normalised insertion/deletion similarity of the whole text,
  tables as HTML (Levenshtein 1966; the indel ratio of rapidfuzz).
* TEDS, tables: 1 - tree edit distance / nodes of the larger tree (Zhong et al. 2020,
  arXiv:1911.10683); all tables of a page hang under one root.
* MHS, headings: the same distance over the tree page > headings > text under each; all levels of
  heading count as one.

A page without tables has no TEDS and one without headings no MHS; `overall` is the mean of what
there is. The figures agree with those of opendataloader-bench to 1e-6.

    python benchmarks/layout/scorer.py PREDICTIONS GROUND_TRUTH [--json OUT]
"""

import argparse
import html
import json
import re
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean

from apted import APTED, Config
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

HEADING = re.compile(r"^(#{1,6})\s+(.*)$")
VOID = {"br", "img", "hr", "col", "input", "wbr"}
TRANSPARENT = {"thead", "tbody", "tfoot"}


@dataclass
class Score:
    """The measures of one page; None where the ground truth has nothing to measure."""

    name: str
    nid: float | None
    teds: float | None
    mhs: float | None
    table_expected: bool
    table_found: bool

    @property
    def overall(self) -> float | None:
        """Mean of the measures there are."""
        values = [value for value in (self.nid, self.teds, self.mhs) if value is not None]
        return fmean(values) if values else None


@dataclass
class Node:
    """A node of a tree to compare; `text` is None where only the tag counts."""

    tag: str
    text: str | None = None
    spans: tuple[int, int] = (1, 1)
    children: list["Node"] = field(default_factory=list)

    def count(self) -> int:
        """Nodes of the tree, this one included."""
        return 1 + sum(child.count() for child in self.children)


class _Costs(Config):
    """Unit insertions and deletions; renaming a node costs its text distance."""

    def children(self, node: Node) -> list[Node]:
        return node.children

    def rename(self, node1: Node, node2: Node) -> float:
        if node1.tag != node2.tag or node1.spans != node2.spans:
            return 1.0
        return _text_distance(node1.text or "", node2.text or "")


def _text_distance(left: str, right: str) -> float:
    longest = max(len(left), len(right))
    return Levenshtein.distance(left, right) / longest if longest else 0.0


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


# -- Markdown -------------------------------------------------------------------------------------


def tables_to_html(markdown: str) -> str:
    """Return the Markdown with its pipe tables as HTML tables."""
    lines = markdown.splitlines(keepends=True)
    out: list[str] = []
    at = 0
    while at < len(lines):
        head = _pipe_row(lines[at])
        ruler = _pipe_row(lines[at + 1]) if head and at + 1 < len(lines) else None
        if not head or not ruler or not all(re.fullmatch(r"[-:]+", _bare(c)) for c in ruler):
            out.append(lines[at])
            at += 1
            continue
        width = max(len(head), len(ruler))
        end = at + 2
        rows: list[list[str]] = []
        while end < len(lines) and (row := _pipe_row(lines[end])):
            rows.append(_fit(row, width))
            end += 1
        out.append(_html_table(_fit(head, width), rows) + _line_end(lines[at]))
        at = end
    return "".join(out)


def _bare(cell: str) -> str:
    return cell.replace(" ", "")


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _pipe_row(line: str) -> list[str] | None:
    trimmed = line.strip()
    if "|" not in trimmed:
        return None
    cells = trimmed.split("|")
    if trimmed.startswith("|"):
        cells = cells[1:]
    if cells and trimmed.endswith("|"):
        cells = cells[:-1]
    return [cell.strip() for cell in cells] or None


def _fit(cells: list[str], width: int) -> list[str]:
    if len(cells) == 3 and width > 3:  # a middle heading over several columns
        return [cells[0], *[cells[1]] * (width - 2), cells[2]]
    return (cells + [""] * width)[:width]


def _html_table(head: list[str], rows: list[list[str]]) -> str:
    if rows and not any(head):
        head = rows.pop(0)
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{row}</tr>' for row in body)}</table>"


# -- NID ------------------------------------------------------------------------------------------


def nid(truth: str, predicted: str) -> float | None:
    """Similarity of all text in order; `None` when the truth is empty."""
    expected = _squeeze(tables_to_html(truth))
    if not expected:
        return None
    return fuzz.ratio(expected, _squeeze(tables_to_html(predicted))) / 100


# -- TEDS -----------------------------------------------------------------------------------------


class _TableReader(HTMLParser):
    """Collects every table of a text as a tree; markup inside a cell is part of its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Node] = []
        self.open: list[Node] = []
        self.inline = 0  # tags inside cells: they count as nodes of the larger tree

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in TRANSPARENT or (not self.open and tag != "table"):
            return
        if self.open and self.open[-1].tag == "td" and tag not in ("td", "th", "tr"):
            self.inline += 1
            self.handle_data(f"<{tag}></{tag}>" if tag in VOID else f"<{tag}>")
            return
        tag = "td" if tag == "th" else tag
        self._close_before(tag)
        spans = (1, 1)
        if tag == "td":
            given = dict(attrs)
            spans = (int(given.get("colspan") or 1), int(given.get("rowspan") or 1))
        node = Node(tag, "" if tag == "td" else None, spans)
        (self.open[-1].children if self.open else self.tables).append(node)
        if tag not in VOID:
            self.open.append(node)

    def _close_before(self, tag: str) -> None:
        """End the cell (and row) that a new one follows without an end tag."""
        while (
            self.open
            and tag in ("td", "tr")
            and self.open[-1].tag in ("td", "tr")[: 1 + (tag == "tr")]
        ):
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in TRANSPARENT or not self.open:
            return
        tag = "td" if tag == "th" else tag
        if self.open[-1].tag == "td" and tag not in ("td", "tr", "table"):
            self.handle_data(f"</{tag}>")
        elif any(node.tag == tag for node in self.open):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1].tag == "td":
            self.open[-1].text = (self.open[-1].text or "") + data


def read_tables(markdown: str) -> tuple[Node, int]:
    """Return all tables under one root, and how many nodes the root has below it."""
    reader = _TableReader()
    reader.feed(tables_to_html(markdown))
    reader.close()
    root = Node("table", children=reader.tables)
    for cell in _cells(root):
        cell.text = _squeeze(re.sub(r"<br\s*/?>", "\n", html.unescape(cell.text or "")))
    return root, root.count() - 1 + reader.inline


def _cells(node: Node) -> Iterable[Node]:
    if node.tag == "td":
        yield node
    for child in node.children:
        yield from _cells(child)


def teds(truth: str, predicted: str) -> float | None:
    """Similarity of all tables; `None` where the truth has none, 0 where only it has."""
    expected, expected_nodes = read_tables(truth)
    if not expected.children:
        return None
    found, found_nodes = read_tables(predicted)
    if not found.children:
        return 0.0
    distance = APTED(found, expected, _Costs()).compute_edit_distance()
    return 1.0 - distance / max(expected_nodes, found_nodes)


# -- MHS ------------------------------------------------------------------------------------------


def read_headings(markdown: str) -> Node:
    """Return the tree page > headings > text under each; text before the first is the page's."""
    root = Node("document")
    inside, pending = root, []

    def flush() -> None:
        text = _squeeze(" ".join(pending))
        pending.clear()
        if text:
            inside.children.append(Node("content", text))

    for line in tables_to_html(markdown).splitlines():
        if match := HEADING.match(line):
            flush()
            inside = Node("heading", _squeeze(match.group(2)))
            root.children.append(inside)
        else:
            pending.append(line)
    flush()
    return root


def mhs(truth: str, predicted: str) -> float | None:
    """Similarity of headings and what they head; `None` where the truth has no heading."""
    expected, found = read_headings(truth), read_headings(predicted)
    if not any(child.tag == "heading" for child in expected.children):
        return None
    if not any(child.tag == "heading" for child in found.children):
        return 0.0
    distance = APTED(expected, found, _Costs()).compute_edit_distance()
    return min(max(1.0 - distance / max(expected.count(), found.count()), 0.0), 1.0)


# -- pages ----------------------------------------------------------------------------------------


def score_page(name: str, truth: str, predicted: str) -> Score:
    """Return the measures of one page."""
    return Score(
        name,
        nid(truth, predicted),
        teds(truth, predicted),
        mhs(truth, predicted),
        bool(read_tables(truth)[0].children),
        bool(read_tables(predicted)[0].children),
    )


def _score_files(files: tuple[Path, Path]) -> Score:
    truth, predicted = files
    text = predicted.read_text(encoding="utf-8") if predicted.exists() else ""
    return score_page(truth.stem, truth.read_text(encoding="utf-8"), text)


def score_folder(predictions: Path, truths: Path, jobs: int = 1) -> list[Score]:
    """Score NAME.md of `predictions` for every NAME.md of `truths`; a missing one is empty."""
    pairs = [(truth, predictions / truth.name) for truth in sorted(truths.glob("*.md"))]
    if jobs == 1:
        return [_score_files(pair) for pair in pairs]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(_score_files, pairs, chunksize=4))


def summarise(scores: Iterable[Score]) -> dict[str, float | int | None]:
    """Return means over pages, and precision and recall of "this page has a table"."""
    scores = list(scores)
    summary: dict[str, float | int | None] = {"pages": len(scores)}
    for measure in ("overall", "nid", "teds", "mhs"):
        values = [v for score in scores if (v := getattr(score, measure)) is not None]
        summary[measure] = fmean(values) if values else None
    both = sum(score.table_expected and score.table_found for score in scores)
    found = sum(score.table_found for score in scores)
    expected = sum(score.table_expected for score in scores)
    summary["table_precision"] = both / found if found else None
    summary["table_recall"] = both / expected if expected else None
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("predictions", type=Path)
    parser.add_argument("truths", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    scores = score_folder(given.predictions, given.truths, given.jobs)
    summary = summarise(scores)
    print(
        " ".join(f"{k}={v:.4f}" if isinstance(v, float) else f"{k}={v}" for k, v in summary.items())
    )
    if given.json:
        pages = [{**asdict(score), "overall": score.overall} for score in scores]
        given.json.write_text(json.dumps({"summary": summary, "pages": pages}, indent=1))


if __name__ == "__main__":
    main()
