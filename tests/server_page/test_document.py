"""Documents: read, shown with boxes beside their HTML, asked, and followed to their sources."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from page_parts import Open
from serving import Running
from small_pdf import SmallPdf

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

HOSTILE = "<script>parent.broken = 1</script><img src=x onerror=parent.broken=2>"
TOWER = [
    "The lamp of the north tower has burned since 1902.",
    "It turns once in twelve seconds, and is seen from far.",
]
FOG = [
    "Fog is most frequent in spring and in late autumn.",
    "The horn is then sounded by hand, five times an hour.",
]


@pytest.fixture(scope="module")
def paper() -> bytes:
    """Two pages: headings, text, a table, and words that would like to be markup."""
    pdf = SmallPdf(height=500).page()
    pdf.text(56, 80, "Lamps of the coast", 22, "B").lines(56, 130, TOWER)
    pdf.grid(56, 200, [90, 70], [20] * 3)
    for row, texts in enumerate([["Tower", "Height"], ["North", "41 m"], ["South", "28 m"]]):
        for column, text in enumerate(texts):
            pdf.text(62 + 90 * column, 214 + 20 * row, text, 10, "F" if row else "B")
    pdf.page().text(56, 80, "Fog", 22, "B").lines(56, 130, FOG).text(56, 240, HOSTILE, 8)
    return pdf.data()


def upload(page: "Page", data: bytes, name: str = "coast.pdf", kind: str = "") -> None:
    page.click("#tab-document")
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": data})


def shown(page: "Page", data: bytes, **names: str) -> None:
    upload(page, data, **names)
    page.wait_for_selector(".sheet img")


def middle(box: Any) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def box_of(page: "Page", text: str) -> "Locator":
    return page.locator(f'.box[aria-label*="{text}"]')


def test_pages_boxes_and_html_belong_together(open_page: Open, api: Running, paper: bytes) -> None:
    page = open_page()
    shown(page, paper)
    elements = api.upload("/v1/document-digitization", paper).json["elements"]
    assert page.locator(".box").count() == len(elements)
    assert page.locator(".sheet").count() == 2
    frame = page.frame_locator("iframe.paper")
    assert frame.locator(".element").count() == len(elements)

    # a box stands where the element's coordinates say, on the picture
    first = elements[0]
    picture = page.locator(".sheet img").first.bounding_box()
    drawn = page.locator('.box[data-id="0"] polygon').bounding_box()
    assert picture is not None
    assert drawn is not None
    assert drawn["x"] == pytest.approx(
        picture["x"] + first["coordinates"][0]["x"] * picture["width"], abs=4
    )
    assert drawn["y"] == pytest.approx(
        picture["y"] + first["coordinates"][0]["y"] * picture["height"], abs=4
    )

    box_of(page, "north tower").hover()
    assert "north tower" in frame.locator(".element.on").inner_text()
    frame.get_by_role("table").hover()
    lit = page.locator(".box.on")
    assert lit.count() == 1
    assert "k-table" in (lit.get_attribute("class") or "")


def test_boxes_are_walked_with_the_keyboard(open_page: Open, paper: bytes) -> None:
    page = open_page()
    shown(page, paper)
    count = page.locator(".box").count()
    assert page.locator('.box[tabindex="0"]').count() == 1
    page.locator('.box[tabindex="0"]').focus()
    walked = []
    for _ in range(count):
        walked.append(page.evaluate("document.activeElement.dataset.id"))
        page.keyboard.press("ArrowDown")
    assert walked == [str(number) for number in range(count)]
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.dataset.id") == "0"
    label = page.locator('.box[data-id="0"]').get_attribute("aria-label")
    assert label is not None
    assert label.startswith("1: heading, page 1. Lamps of the coast")


def test_nothing_of_a_document_runs(open_page: Open, paper: bytes) -> None:
    page = open_page(expect=("sandboxed", "Trusted", "Content Security Policy"))
    shown(page, paper)
    frame = page.locator("iframe.paper")
    assert frame.get_attribute("sandbox") == "allow-same-origin"
    inside = page.frame_locator("iframe.paper")
    assert "parent.broken" in inside.locator("main").inner_text()  # words, not markup
    # and were there markup, neither the sandbox nor the policy would let it run
    page.evaluate(
        """() => {
          const inside = document.querySelector('iframe.paper').contentDocument;
          const script = inside.createElement('script');
          script.append('parent.broken = 3');
          inside.body.append(script);
        }"""
    )
    assert page.evaluate("window.broken") is None


def test_layers_can_be_hidden_and_sources_saved(open_page: Open, paper: bytes) -> None:
    page = open_page()
    shown(page, paper)
    assert page.locator(".box.k-table").is_visible()
    page.get_by_role("checkbox", name="table").uncheck(force=True)
    assert not page.locator(".box.k-table").is_visible()
    page.get_by_role("checkbox", name="Boxes").uncheck()
    assert page.locator(".box:visible").count() == 0
    page.get_by_role("tab", name="Markdown").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename == "coast.md"
    assert "# Lamps of the coast" in saved
    page.get_by_role("tab", name="JSON").click()
    assert '"category": "table"' in page.locator(".pane-json pre").inner_text()


def test_picture_and_office_file(open_page: Open) -> None:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (600, 400), "white")
    ImageDraw.Draw(image).rectangle((60, 60, 300, 200), fill="navy")
    file = io.BytesIO()
    image.save(file, "PNG")
    page = open_page()
    shown(page, file.getvalue(), name="picture.png")
    size = page.locator(".sheet img").bounding_box()
    assert size is not None
    assert size["width"] / size["height"] == pytest.approx(1.5, rel=0.01)

    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.add_paragraph("Written in an office.")
    file = io.BytesIO()
    document.save(file)
    page = open_page(expect=("415",))
    upload(page, file.getvalue(), "letter.docx")
    page.frame_locator("iframe.paper").get_by_text("Written in an office.").wait_for()
    page.get_by_text("has no page pictures").first.wait_for()


def test_words_in_a_wide_table_stay_whole(open_page: Open) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    heads = [f"Benchmark{at}" for at in range(14)]
    book.active.append(heads)
    book.active.append(["74.20"] * len(heads))
    file = io.BytesIO()
    book.save(file)
    page = open_page(expect=("415",))
    upload(page, file.getvalue(), "scores.xlsx")
    cell = page.frame_locator("iframe.paper").get_by_text(heads[0])
    cell.wait_for()
    region = page.frame_locator("iframe.paper").get_by_role("region")
    heights = region.locator("th, td").evaluate_all("cells => cells.map((c) => c.offsetHeight)")
    assert len(set(heights)) == 1  # one line each
    assert region.evaluate("box => box.scrollWidth > box.clientWidth + 100")
    assert region.get_attribute("tabindex") == "0"  # not every browser does it by itself
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        """() => document.querySelector('iframe.paper').contentDocument
          .querySelector('.element:has(table)').scrollLeft > 0"""
    )


def test_dropped_file_is_read(open_page: Open, paper: bytes) -> None:
    page = open_page(path="/#document")
    page.evaluate(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], 'dropped.pdf'));
          const how = {dataTransfer: data, bubbles: true, cancelable: true};
          document.querySelector('#document .drop').dispatchEvent(new DragEvent('drop', how));
        }""",
        list(paper),
    )
    page.get_by_role("heading", name="dropped.pdf").wait_for()


def test_unreadable_files_are_explained(open_page: Open) -> None:
    page = open_page(expect=("415", "400"))
    upload(page, b"just some words", "notes.txt")
    page.get_by_role("alert").filter(has_text="kind of file cannot be read").wait_for()
    upload(page, b"%PDF-1.7 and nothing else", "broken.pdf")
    page.get_by_role("alert").filter(has_text="document cannot be read").wait_for()
    assert page.locator(".drop").is_visible()  # ready for the next


def test_question_leads_to_the_place_on_the_page(
    open_page: Open, api: Running, paper: bytes
) -> None:
    pytest.importorskip("kiwipiepy")
    page = open_page(reduced_motion="reduce")
    shown(page, paper)
    page.get_by_role("tab", name="Ask it").click()
    ask(page, "When is fog most frequent?")
    answer = page.locator(".exchange .prose")
    assert "Fog is most frequent in spring" in answer.inner_text()
    answer.get_by_role("button", name="Show source 1 on page 2").click()
    cited = page.locator(".sheet[data-page='2'] .cited")
    cited.wait_for()
    assert page.locator(".cited").count() == 1
    box = box_of(page, "Fog is most frequent").locator("polygon").bounding_box()
    mark, window = cited.bounding_box(), page.locator(".sheets").bounding_box()
    assert box is not None
    assert mark is not None
    assert window is not None
    for side in ("x", "y", "width", "height"):
        assert mark[side] == pytest.approx(box[side], abs=12)  # its edge is thicker
    assert window["y"] <= mark["y"] <= window["y"] + window["height"]  # scrolled into view
    assert "Page 2: the source is highlighted." in page.locator("#said").inner_text()

    ask(page, "Who is the president of France?")
    assert page.locator(".exchange").first.locator(".source-card").count() == 0
    assert len(api.get("/v1/documents").json["data"]) == 1  # asked twice, handed in once


def ask(page: "Page", question: str) -> None:
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.locator(".exchange", has_text=question).locator(".prose").wait_for()
    page.locator('.ask-form [type="submit"]:enabled').wait_for()
