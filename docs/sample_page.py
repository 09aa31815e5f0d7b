"""Draw the picture of docs/how-to/parse-documents.md: a page of our own, and what is seen on it.

python docs/sample_page.py
"""

import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from small_pdf import SmallPdf

HERE = Path(__file__).parent
LEFT = [
    "The lamp of the north tower has burned since",
    "1902. It turns once in twelve seconds, and on a",
    "clear night its beam is seen from a ship that",
    "is eighteen miles away.",
]
MORE = [
    "Two keepers wind the clock that turns the lens.",
    "When fog comes in, the horn is sounded by hand",
    "until the machine has built up enough steam.",
]
ITEMS = ["Clean the lens and the panes", "Trim the wick, fill the oil", "Wind the clock"]
ROWS = [
    ["Tower", "Height", "Range"],
    ["North", "41 m", "18 nm"],
    ["South", "28 m", "11 nm"],
    ["Harbour", "9 m", "4 nm"],
]
RIGHT = [
    "Nights with fog are most frequent in spring, as",
    "Figure 1 shows. The south tower was lit only on",
    "request until it was given a lamp of its own.",
    "Its keepers report by telegraph every morning.",
]
NIGHTS = [9, 14, 21, 17, 8, 5]


def sample() -> bytes:
    """A page in two columns: heading, text, list, table, chart, captions, footnote, furniture."""
    pdf = SmallPdf(height=530).page()
    pdf.text(56, 40, "Lighthouse service", 9).text(500, 40, "Annual report", 9)
    pdf.text(56, 86, "Lamps of the northern coast", 22, "B")
    pdf.text(56, 126, "1 The towers", 14, "B").lines(56, 148, LEFT, 10.5).lines(56, 210, MORE, 10.5)
    pdf.text(56, 268, "1.1 Every evening", 12, "B")
    for number, item in enumerate(ITEMS, 1):
        pdf.text(56, 274 + 16 * number, f"{number}.", 10.5).text(72, 274 + 16 * number, item, 10.5)
    pdf.text(56, 358, "Table 1: Towers in service", 9.5, "I")
    pdf.grid(56, 368, [90, 70, 70], [20] * 4)
    for row, texts in enumerate(ROWS):
        for column, text in enumerate(texts):
            font = "F" if row else "B"
            pdf.text(62 + [0, 90, 160][column], 382 + 20 * row, text, 10, font)
    pdf.text(320, 126, "2 Fog", 14, "B").lines(320, 148, RIGHT, 10.5)
    pdf.stroke(340, 330, 540, 330).stroke(340, 220, 340, 330)
    for index, nights in enumerate(NIGHTS):
        x = 352 + 31 * index
        pdf.filled(x, 330 - nights * 4.5, 18, nights * 4.5, (0.36, 0.42, 0.75))
        pdf.text(x + 4, 326 - nights * 4.5, str(nights), 8).text(x, 341, "JFMAMJ"[index], 8)
    for tick in (0, 10, 20):
        pdf.text(324, 333 - tick * 4.5, str(tick), 8)
    pdf.text(320, 362, "Figure 1: Nights with fog, by month", 9.5, "I")
    pdf.lines(
        320, 392, ["The horn was heard at five miles on average,", "as in the year before."], 10.5
    )
    pdf.stroke(56, 470, 180, 470).text(56, 484, "1 One nautical mile is 1,852 metres.", 8.5)
    pdf.text(300, 510, "7", 9)
    return pdf.data()


def main() -> None:
    """Write docs/images/layout-overlay.png."""
    from PIL import Image

    from solarmini.layout import parse
    from solarmini.layout.export import overlay_png
    from solarmini.layout.pictures import page_pixels

    data = sample()
    document = parse(data)
    with page_pixels(data, document, dpi=120) as pixels:
        picture = pixels(1)
    assert picture is not None
    image = Image.open(io.BytesIO(overlay_png(document.pages[0], picture)))
    image.quantize(128).save(HERE / "images" / "layout-overlay.png", optimize=True)


if __name__ == "__main__":
    main()
