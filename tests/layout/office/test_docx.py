"""DOCX made by python-docx: what Word would show comes out, in order."""

import io
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from docx.enum.text import WD_BREAK
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from small_documents import PNG

from solarmini.layout import Document, parse, to_markdown

NUMBERING = """
<w:numbering {ns}>
  <w:abstractNum w:abstractNumId="5">
    <w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/>
      <w:lvlText w:val="%1."/></w:lvl>
    <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="ganada"/>
      <w:lvlText w:val="%1.%2)"/></w:lvl>
    <w:lvl w:ilvl="2"><w:numFmt w:val="bullet"/><w:lvlText w:val="&#xF0A7;"/></w:lvl>
  </w:abstractNum>
  <w:num w:numId="9"><w:abstractNumId w:val="5"/></w:num>
  <w:num w:numId="10"><w:abstractNumId w:val="5"/>
    <w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>
</w:numbering>
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Document]:
    def save_and_read(made: object, **options: object) -> Document:
        path = tmp_path / "a.docx"
        made.save(str(path))  # type: ignore[attr-defined]
        return parse(path, **options)  # ty: ignore[invalid-argument-type]

    return save_and_read


def numbered(made: object, text: str, number: int, level: int) -> None:
    paragraph = made.add_paragraph(text)  # type: ignore[attr-defined]
    properties = paragraph._p.get_or_add_pPr()
    xml = f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    properties.append(parse_xml(xml))


def test_headings_text_and_styles(read: Callable[..., Document]) -> None:
    made = docx.Document()
    made.core_properties.title = "등대 보고서"
    made.add_heading("Annual report", 0)
    made.add_heading("The lamp", 1)
    made.add_heading("Deep", 4)
    paragraph = made.add_paragraph("It is ")
    paragraph.add_run("bright").bold = True
    paragraph.add_run(" & 10")
    paragraph.add_run("6").font.superscript = True
    paragraph.add_run("\tcd\nnext line")
    paragraph.add_run(" hidden").font.hidden = True
    document = read(made)
    assert document.title == "등대 보고서"
    assert document.format == "docx"
    assert [(e.category, e.text) for e in document.elements] == [
        ("heading1", "Annual report"),
        ("heading1", "The lamp"),
        ("heading4", "Deep"),
        ("paragraph", "It is bright & 106 cd\nnext line"),
    ]
    styles = [(s.text, s.bold, s.superscript) for s in list(document.elements)[3].spans]
    assert ("bright", True, False) in styles
    assert ("6", False, True) in styles


def test_lists_show_the_markers_that_word_prints(read: Callable[..., Document]) -> None:
    made = docx.Document()
    part = made.part.numbering_part
    part._element.getparent()
    part._element = parse_xml(NUMBERING.format(ns=nsdecls("w")))
    for text, number, level in (
        ("three", 9, 0),
        ("ga", 9, 1),
        ("na", 9, 1),
        ("square", 9, 2),
        ("four", 9, 0),
        ("ga again", 9, 1),
        ("restarted", 10, 0),
    ):
        numbered(made, text, number, level)
    made.add_paragraph("after")
    first, second = read(made).elements
    assert [(i.marker, i.text, i.level, i.ordered) for i in first.items] == [
        ("3.", "three", 0, True),
        ("3.가)", "ga", 1, True),
        ("3.나)", "na", 1, True),
        ("▪", "square", 2, False),
        ("4.", "four", 0, True),
        ("4.가)", "ga again", 1, True),
        ("1.", "restarted", 0, True),
    ]
    assert second.text == "after"


def test_list_styles_have_markers(read: Callable[..., Document]) -> None:
    made = docx.Document()
    made.add_paragraph("one", style="List Bullet")
    made.add_paragraph("two", style="List Number")
    [element] = read(made).elements
    assert [(i.marker, i.ordered) for i in element.items] == [("•", False), ("1.", True)]


def test_tables_keep_their_spans(read: Callable[..., Document]) -> None:
    made = docx.Document()
    table = made.add_table(4, 4)
    for row in range(4):
        for column in range(4):
            table.cell(row, column).text = f"{row}{column}"
    table.cell(0, 0).merge(table.cell(1, 0))
    table.cell(0, 1).merge(table.cell(0, 3))
    table.cell(2, 2).merge(table.cell(3, 3))
    for row in table.rows[:2]:
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:tblHeader"))
    inner = table.cell(3, 0).add_table(1, 2)
    inner.cell(0, 1).text = "inner"
    [element] = read(made).elements
    assert element.table is not None
    spans = {
        (c.row, c.column): (c.row_span, c.column_span)
        for c in element.table.cells
        if (c.row_span, c.column_span) != (1, 1)
    }
    assert spans == {(0, 0): (2, 1), (0, 1): (1, 3), (2, 2): (2, 2)}
    assert element.table.header_rows == 2
    grid = element.table.grid()
    assert all(cell is not None for row in grid for cell in row)
    assert grid[3][0].text == "30\ninner"
    assert grid[2][3].text.split() == ["22", "23", "32", "33"]


def test_pages_follow_breaks(read: Callable[..., Document]) -> None:
    made = docx.Document()
    made.add_paragraph("one")
    made.add_page_break()
    made.add_paragraph("two")
    paragraph = made.add_paragraph()
    paragraph.add_run("three starts here")
    paragraph._p.append(
        parse_xml(f"<w:r {nsdecls('w')}><w:lastRenderedPageBreak/><w:t> ends there</w:t></w:r>")
    )
    made.add_paragraph("four")
    run = made.add_paragraph().add_run()
    run.add_break(WD_BREAK.PAGE)
    made.add_paragraph("five").paragraph_format.page_break_before = True
    document = read(made)
    texts = [[e.text for e in page.elements] for page in document.pages]
    assert texts == [["one"], ["two", "three starts here ends there"], ["four"], ["five"]]
    assert [p.number for p in read(made, pages="3-4").pages] == [3, 4]


def test_pictures_links_and_furniture(read: Callable[..., Document]) -> None:
    made = docx.Document()
    made.sections[0].header.paragraphs[0].text = "running head"
    made.sections[0].footer.paragraphs[0].text = "running foot"
    made.add_picture(io.BytesIO(PNG))
    made.add_paragraph("Figure 1: A dot", style="Caption")
    relation = made.part.relate_to("https://example.org/a", _LINK, is_external=True)
    link = parse_xml(
        f'<w:hyperlink {nsdecls("w", "r")} r:id="{relation}">'
        "<w:r><w:t>here</w:t></w:r></w:hyperlink>"
    )
    made.add_paragraph("look ")._p.append(link)
    document = read(made, images=["figure"])
    header, figure, caption, text, footer = document.elements
    assert (header.category, header.text) == ("header", "running head")
    assert (footer.category, footer.text) == ("footer", "running foot")
    assert figure.category == "figure"
    assert figure.caption == caption.id
    assert figure.image is not None
    assert figure.image.startswith(b"\x89PNG")
    assert text.spans[-1].link == "https://example.org/a"
    assert next(iter(read(made).pages[0].elements[1:2])).image is None


_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
_BOX = """
<w:r {ns}><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">
<mc:Choice Requires="wps"><w:drawing><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p>
</w:txbxContent></w:drawing></mc:Choice>
<mc:Fallback><w:pict><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></w:pict>
</mc:Fallback></mc:AlternateContent></w:r>
"""


def test_boxes_once_revisions_and_contents(read: Callable[..., Document]) -> None:
    made = docx.Document()
    for text in ("Lamp\t1", "Tower\t2"):
        paragraph = made.add_paragraph(text)
        style = OxmlElement("w:pStyle")
        style.set(qn("w:val"), "TOC1")
        paragraph._p.get_or_add_pPr().append(style)
    style = made.styles.add_style("toc 1", 1)
    style.element.set(qn("w:styleId"), "TOC1")
    paragraph = made.add_paragraph("kept")
    ns = nsdecls("w")
    paragraph._p.append(parse_xml(f"<w:del {ns}><w:r><w:delText> gone</w:delText></w:r></w:del>"))
    paragraph._p.append(parse_xml(f"<w:ins {ns}><w:r><w:t> added</w:t></w:r></w:ins>"))
    paragraph._p.append(parse_xml(_BOX.format(ns=ns)))
    index, text, box = read(made).elements
    assert (index.category, index.text) == ("index", "Lamp 1\nTower 2")
    assert text.text == "kept added"
    assert box.text == "boxed"


def test_markdown_of_it_all(read: Callable[..., Document]) -> None:
    made = docx.Document()
    made.add_heading("Lamps", 1)
    made.add_paragraph("clean", style="List Number")
    made.add_paragraph("wind", style="List Number")
    assert to_markdown(read(made)) == "# Lamps\n\n1. clean\n2. wind\n"
