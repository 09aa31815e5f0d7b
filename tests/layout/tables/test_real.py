"""Tables of real files: one made here as a PDF, and the paper of SOLAR where it is at hand."""

from raw_pdf import RawPdf, korean, show
from table_pages import check, texts

from solarmini.layout.figures import find_figures
from solarmini.layout.source import open_source
from solarmini.layout.tables import find_tables


def test_a_ruled_table_in_a_pdf_with_korean_text():
    rows = [["Kind", "2022", "2023"], ["Sales", "1,204", "1,388"], ["Cost", "994", "1,190"]]
    content = "0.5 w\n"
    for number in range(4):
        content += f"60 {700 - 20 * number} m 360 {700 - 20 * number} l S\n"
    for x in (60, 160, 260, 360):
        content += f"{x} 700 m {x} 640 l S\n"
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            content += show(65 + 100 * c, 686 - 20 * r, text)
    content += korean(65, 740, "표 아래의 값은 억 원이다")
    with open_source(RawPdf().page(content).data()) as source:
        page = source.page(1)
    (found,) = find_tables(page)
    check(page, [found])
    assert texts(found.table) == rows


def test_the_paper_of_solar(shared):
    with open_source(shared / "papers" / "solar_paper.pdf") as source:
        second, fourth, first = source.page(2), source.page(4), source.page(1)
        (figure,) = find_figures(second, [])  # looks at the picture: while the file is open
    (found,) = find_tables(fourth)
    check(fourth, [found])
    row = next(r for r in texts(found.table) if r[0] == "SOLAR 10.7B-Instruct")
    assert row[3] == "74.20"
    assert row[-1] == "64.75"
    assert found.table.header_rows == 1
    assert find_tables(first) == []
    assert find_tables(second) == []
    assert not figure.chart
    assert figure.box.top < 90
    assert figure.box.width > 300
