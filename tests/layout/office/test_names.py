"""A file is what its bytes are, whatever it is called: uploads have no ending."""

from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from PIL import Image, ImageDraw
from raw_pdf import RawPdf, show

from solarmini.layout import parse

WORDS = "The lamp burns well"


def as_docx(path: Path) -> None:
    document = docx.Document()
    document.add_paragraph(WORDS)
    document.save(str(path))


def as_pptx(path: Path) -> None:
    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = WORDS  # ty: ignore
    deck.save(str(path))


def as_xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = WORDS
    with path.open("wb") as file:
        book.save(file)


def as_pdf(path: Path) -> None:
    path.write_bytes(RawPdf().page(show(72, 700, WORDS)).data())


def as_picture(path: Path) -> None:
    image = Image.new("RGB", (900, 300), "white")
    ImageDraw.Draw(image).text((60, 120), WORDS, fill="black", font_size=48)
    image.save(path, "PNG")


@pytest.mark.parametrize("name", ["upload-x7", "notes.txt", "report.pdf"])
@pytest.mark.parametrize("write", [as_docx, as_pptx, as_xlsx, as_pdf, as_picture])
def test_the_name_does_not_matter(write: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    write(path)
    text = " ".join(element.text for element in parse(path).elements)
    assert WORDS in text
