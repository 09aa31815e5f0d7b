"""HWPX: a file made by hand after the format's own names, and one by python-hwpx where it is."""

import io
import zipfile

from hwpx import HwpxDocument
from small_documents import PNG

from solarmini.layout import parse

HP = "http://www.hancom.co.kr/hwpml/2011/paragraph"
NS = (
    f'xmlns:hp="{HP}" xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section" '
    'xmlns:hh="http://www.hancom.co.kr/hwpml/2011/head" '
    'xmlns:hc="http://www.hancom.co.kr/hwpml/2011/core" '
    'xmlns:opf="http://www.idpf.org/2007/opf/"'
)
MANIFEST = f"""<opf:package {NS}><opf:metadata><opf:title>규정집</opf:title></opf:metadata>
<opf:manifest>
<opf:item id="header" href="Contents/header.xml" media-type="application/xml"/>
<opf:item id="section0" href="Contents/section0.xml" media-type="application/xml"/>
<opf:item id="image1" href="BinData/image1.png" media-type="image/png"/>
</opf:manifest>
<opf:spine><opf:itemref idref="header"/><opf:itemref idref="section0"/></opf:spine></opf:package>"""
HEAD = f"""<hh:head {NS}><hh:refList>
<hh:charProperties>
<hh:charPr id="0"/><hh:charPr id="1"><hh:bold/></hh:charPr>
<hh:charPr id="2"><hh:supscript/></hh:charPr>
</hh:charProperties>
<hh:numberings><hh:numbering id="1">
<hh:paraHead start="1" level="1" numFormat="DIGIT">^1.</hh:paraHead>
<hh:paraHead start="1" level="2" numFormat="HANGUL_SYLLABLE">^2)</hh:paraHead>
</hh:numbering></hh:numberings>
<hh:bullets><hh:bullet id="1" char="&#xF06C;"/></hh:bullets>
<hh:paraProperties>
<hh:paraPr id="0"><hh:heading type="NONE" idRef="0" level="0"/></hh:paraPr>
<hh:paraPr id="1"><hh:heading type="NUMBER" idRef="1" level="0"/></hh:paraPr>
<hh:paraPr id="2"><hh:heading type="NUMBER" idRef="1" level="1"/></hh:paraPr>
<hh:paraPr id="3"><hh:heading type="BULLET" idRef="1" level="0"/></hh:paraPr>
</hh:paraProperties>
<hh:styles>
<hh:style id="0" name="바탕글" engName="Normal" paraPrIDRef="0"/>
<hh:style id="1" name="개요 2" engName="Outline 2" paraPrIDRef="0"/>
</hh:styles></hh:refList></hh:head>"""


def p(runs: str, para: int = 0, style: int = 0, more: str = "", lines: str = "") -> str:
    lines = f"<hp:linesegarray>{lines}</hp:linesegarray>" if lines else ""
    return f'<hp:p paraPrIDRef="{para}" styleIDRef="{style}" {more}>{runs}{lines}</hp:p>'


def t(text: str, char: int = 0) -> str:
    return f'<hp:run charPrIDRef="{char}"><hp:t>{text}</hp:t></hp:run>'


def cell(row: int, column: int, text: str, rows: int = 1, columns: int = 1, head: int = 0) -> str:
    return (
        f'<hp:tc header="{head}"><hp:subList>{p(t(text))}</hp:subList>'
        f'<hp:cellAddr colAddr="{column}" rowAddr="{row}"/>'
        f'<hp:cellSpan colSpan="{columns}" rowSpan="{rows}"/></hp:tc>'
    )


def hwpx(body: str) -> bytes:
    section = (
        f'<hs:sec {NS}><hp:p><hp:run><hp:secPr><hp:pagePr width="59500" height="84200" '
        f'landscape="WIDELY"/></hp:secPr></hp:run></hp:p>{body}</hs:sec>'
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/hwp+zip")
        archive.writestr("Contents/content.hpf", MANIFEST)
        archive.writestr("Contents/header.xml", HEAD)
        archive.writestr("Contents/section0.xml", section)
        archive.writestr("BinData/image1.png", PNG)
    return file.getvalue()


def test_text_headings_lists_and_notes() -> None:
    note = (
        '<hp:run><hp:ctrl><hp:footNote number="1"><hp:subList>'
        + p(t("각주의 글"))
        + "</hp:subList></hp:footNote></hp:ctrl></hp:run>"
    )
    link = (
        '<hp:run><hp:ctrl><hp:fieldBegin type="HYPERLINK"><hp:parameters><hp:stringParam '
        'name="Path">https\\://example.org;1;0;0;</hp:stringParam></hp:parameters></hp:fieldBegin>'
        "</hp:ctrl><hp:t>여기</hp:t><hp:ctrl><hp:fieldEnd/></hp:ctrl></hp:run>"
    )
    body = p(t("목적"), style=1)
    body += p(t("굵은", 1) + t(" 글<hp:lineBreak/>둘째 줄<hp:tab/>끝 &lt;b&gt;") + note)
    body += p(t("하나"), para=1) + p(t("가지"), para=2) + p(t("둘"), para=1) + p(t("점"), para=3)
    body += p(link)
    document = parse(hwpx(body))
    assert document.format == "hwpx"
    assert document.title == "규정집"
    assert (document.pages[0].width, document.pages[0].height) == (595, 842)
    heading, text, items, linked, footnote = document.elements
    assert (heading.category, heading.text) == ("heading2", "목적")
    assert text.text == "굵은 글\n둘째 줄 끝 <b>1"
    assert text.spans[0].bold
    assert text.spans[-1].superscript
    assert [(i.marker, i.text, i.level) for i in items.items] == [
        ("1.", "하나", 0),
        ("가)", "가지", 1),
        ("2.", "둘", 0),
        ("●", "점", 0),
    ]
    assert (linked.text, linked.spans[0].link) == ("여기", "https://example.org")
    assert (footnote.category, footnote.text) == ("footnote", "1 각주의 글")


def test_tables_pictures_boxes_and_equations() -> None:
    table = (
        "<hp:tbl><hp:tr>" + cell(0, 0, "이름", rows=2, head=1) + cell(0, 1, "값", columns=2, head=1)
    )
    table += "</hp:tr><hp:tr>" + cell(1, 1, "가") + cell(1, 2, "나") + "</hp:tr></hp:tbl>"
    picture = '<hp:pic><hc:img binaryItemIDRef="image1"/></hp:pic>'
    caption = f"<hp:caption><hp:subList>{p(t('그림 1'))}</hp:subList></hp:caption>"
    picture = picture.replace("</hp:pic>", f"{caption}</hp:pic>")
    box = f"<hp:rect><hp:drawText><hp:subList>{p(t('상자'))}</hp:subList></hp:drawText></hp:rect>"
    equation = "<hp:equation><hp:script>a over b</hp:script></hp:equation>"
    body = p(f"<hp:run>{table}</hp:run>") + p(f"<hp:run>{picture}{box}{equation}</hp:run>")
    document = parse(hwpx(body), images=["figure"])
    found = list(document.elements)
    assert [e.category for e in found] == ["table", "figure", "caption", "paragraph", "equation"]
    assert found[0].table is not None
    assert found[0].table.header_rows == 1
    grid = found[0].table.grid()
    assert grid[0][0] is grid[1][0]
    assert grid[0][1] is grid[0][2]
    assert [c.text for c in grid[1] if c] == ["이름", "가", "나"]
    assert (found[1].image or b"").startswith(b"\x89PNG")
    assert found[1].caption == found[2].id
    assert [found[3].text, found[4].text] == ["상자", "a over b"]


def test_pages_follow_breaks_and_the_places_of_lines() -> None:
    line = '<hp:lineseg vertpos="{}"/>'
    body = p(t("하나"), lines=line.format(0)) + p(t("둘"), lines=line.format(70000))
    body += p(t("셋"), lines=line.format(0)) + p(t("넷"), more='pageBreak="1"')
    texts = [[e.text for e in page.elements] for page in parse(hwpx(body)).pages]
    assert texts == [["하나", "둘"], ["셋"], ["넷"]]


def test_a_file_of_python_hwpx_reads_the_same() -> None:
    made = HwpxDocument.new()
    made.add_paragraph("이 규정은 등대의 관리에 관한 것이다.")
    table = made.add_table(2, 2)
    for row in range(2):
        for column in range(2):
            table.set_cell_text(row, column, f"칸 {row}{column}")
    document = parse(made.to_bytes())
    [table] = [e for e in document.elements if e.table]
    assert table.text == "칸 00\t칸 01\n칸 10\t칸 11"
    assert "이 규정은 등대의 관리에 관한 것이다." in document.pages[0].text
