"""PPTX made by python-pptx: slides as pages, shapes with their boxes, charts in words."""

import io
from pathlib import Path

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Emu, Inches
from small_documents import PNG

from solarmini.layout import Document, parse


def read(deck: object, folder: Path, **options: object) -> Document:
    path = folder / "a.pptx"
    deck.save(str(path))  # type: ignore[attr-defined]
    return parse(path, **options)  # ty: ignore[invalid-argument-type]


def test_slides_shapes_and_lists(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    box = slide.shapes.add_textbox(Inches(5), Inches(6), Inches(2), Inches(1))
    box.text_frame.text = "lower right"
    left = slide.shapes.add_textbox(Inches(1), Inches(6.05), Inches(2), Inches(1))
    left.text_frame.text = "lower left"
    slide.shapes.title.text = "Lamps"
    body = slide.placeholders[1].text_frame
    body.text = "first"
    below = body.add_paragraph()
    below.text, below.level = "below", 1
    slide.notes_slide.notes_text_frame.text = "say this"
    other = deck.slides.add_slide(deck.slide_layouts[6])
    run = other.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.paragraphs[0].add_run()
    run.text, run.font.bold = "bold", True
    run.hyperlink.address = "https://example.org"
    document = read(deck, tmp_path)
    assert document.total_pages == 2
    assert (document.pages[0].width, document.pages[0].height) == (720, 540)
    found = [(e.category, e.text) for e in document.pages[0].elements]
    assert found == [
        ("heading1", "Lamps"),
        ("list", "• first\n• below"),
        ("paragraph", "lower left"),
        ("paragraph", "lower right"),
        ("footnote", "say this"),
    ]
    assert [item.level for item in document.pages[0].elements[1].items] == [0, 1]
    corner = document.pages[0].elements[3].polygon[0]
    assert corner.x == pytest.approx(0.5)
    assert corner.y == pytest.approx(6 / 7.5)
    [span] = document.pages[1].elements[0].spans
    assert (span.bold, span.link) == (True, "https://example.org")


def test_tables_pictures_and_charts(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    table = slide.shapes.add_table(3, 3, 0, 0, Inches(6), Inches(2)).table
    for row in range(3):
        for column in range(3):
            table.cell(row, column).text = f"{row}{column}"
    table.cell(1, 0).merge(table.cell(2, 1))
    data = CategoryChartData()
    data.categories = ["north", "south"]
    data.add_series("range", (18.5, 7))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, Inches(3), Inches(4), Inches(2), data)
    slide.shapes.add_picture(io.BytesIO(PNG), Inches(5), Inches(3))
    first, chart, figure = read(deck, tmp_path, images=["figure"]).elements
    assert first.table is not None
    assert first.table.header_rows == 1
    grid = first.table.grid()
    assert grid[1][0] is grid[2][1]
    assert grid[1][0].row_span == grid[1][0].column_span == 2
    assert (chart.category, chart.text) == ("chart", "range: north: 18.5, south: 7")
    assert figure.category == "figure"
    assert (figure.image or b"").startswith(b"\x89PNG")


def test_groups_are_placed_on_the_slide(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    group = slide.shapes.add_group_shape()
    inner = group.shapes.add_textbox(Inches(1), Inches(1), Inches(1), Inches(1))
    inner.text_frame.text = "in a group"
    group.left, group.top = Inches(4), Inches(3)
    group.width, group.height = Inches(2), Inches(2)
    [element] = read(deck, tmp_path).elements
    assert element.text == "in a group"
    left, top = element.polygon[0]
    right, bottom = element.polygon[2]
    assert (left, top) == pytest.approx((0.4, 0.4))
    assert (right, bottom) == pytest.approx((0.6, 5 / 7.5))


def test_numbered_paragraphs_count(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    frame = slide.shapes.add_textbox(Emu(0), Emu(0), Inches(1), Inches(1)).text_frame
    for at, text in enumerate(("x", "y", "plain", "z")):
        paragraph = frame.paragraphs[0] if not at else frame.add_paragraph()
        paragraph.text = text
        if text != "plain":
            properties = paragraph._p.get_or_add_pPr()
            number = properties.makeelement(f"{{{_A}}}buAutoNum", {"type": "alphaLcParenR"})
            properties.append(number)
    found = [(e.category, e.text) for e in read(deck, tmp_path).elements]
    assert found == [("list", "a) x\nb) y"), ("paragraph", "plain"), ("list", "a) z")]


_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
