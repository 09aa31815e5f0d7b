"""Office files that mean harm, or are broken: a named error, little memory."""

import contextlib
import io
import random
import tracemalloc
import zipfile
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest

from solarmini.errors import DocumentError, LimitError, SolarError
from solarmini.layout import Limits, parse


def word(extra: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    docx.Document().save(file)
    out = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in extra:
                new.writestr(name, old.read(name))
        for name, data in extra.items():
            new.writestr(name, data)
    return out.getvalue()


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    data = word({"word/media/big.bin": bytes(200 * 2**20)})
    assert len(data) < 2**20
    tracemalloc.start()
    with pytest.raises(LimitError, match="unpacks to"):
        parse(data, limits=Limits(max_unpacked_bytes=100 * 2**20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * 2**20


def test_one_large_part_of_xml_is_refused() -> None:
    data = word({"word/document.xml": b"<a>" + b" " * 9 * 2**20 + b"</a>"})
    with pytest.raises(LimitError, match=r"word/document\.xml"):
        parse(data, limits=Limits(max_unpacked_bytes=100 * 2**20))


LAUGHS = """<?xml version="1.0" encoding="{code}"?>
<!DOCTYPE lolz [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c SYSTEM "file:///etc/passwd">]>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
<w:body><w:p><w:r><w:t>&b;&c;</w:t></w:r></w:p></w:body></w:document>"""


@pytest.mark.parametrize("code", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", ["word/document.xml", "word/styles.xml", "docProps/core.xml"])
def test_entities_are_refused(code: str, name: str) -> None:
    data = word({name: LAUGHS.format(code=code).encode(code)})
    with pytest.raises(LimitError, match="entities"):
        parse(data)


def test_the_doctype_may_stand_where_two_reads_meet() -> None:
    from solarmini.layout.office import archive

    at = archive._CHUNK - 4
    data = word({"word/document.xml": b" " * at + b"<!DOCTYPE a>"})
    with pytest.raises(LimitError, match="entities"):
        parse(data)


def files() -> dict[str, bytes]:
    made = {}
    for name, thing in (
        ("docx", docx.Document()),
        ("pptx", pptx.Presentation()),
        ("xlsx", openpyxl.Workbook()),
    ):
        file = io.BytesIO()
        if name == "docx":
            thing.add_paragraph("words")
        if name == "pptx":
            thing.slides.add_slide(thing.slide_layouts[0]).shapes.title.text = "words"
        if name == "xlsx":
            thing.active["A1"] = "words"
        thing.save(file)
        made[name] = file.getvalue()
    return made


@pytest.mark.parametrize("kind", ["docx", "pptx", "xlsx"])
def test_damage_gives_a_named_error_or_a_document(kind: str) -> None:
    """Parts emptied, cut short, or with bytes changed inside of the XML."""
    whole = files()[kind]
    chance = random.Random(7)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    names = [n for n in parts if n.endswith(("ment.xml", "book.xml", "slide1.xml", "sheet1.xml"))]
    names += [n for n in parts if n.endswith((".rels", "styles.xml", "[Content_Types].xml"))][:6]
    for name in names:
        for change in range(4):
            data = bytearray(parts[name])
            if change == 0:
                data = bytearray()
            elif change == 1:
                del data[len(data) // 2 :]
            else:
                for _ in range(8):
                    data[chance.randrange(len(data))] = chance.randrange(32, 127)
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as archive:
                for other, content in parts.items():
                    archive.writestr(other, bytes(data) if other == name else content)
            with contextlib.suppress(SolarError):
                parse(out.getvalue())
    for cut in (len(whole) // 3, len(whole) - 30):
        with pytest.raises(DocumentError):
            parse(whole[:cut])


def test_where_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.docx"
    path.write_bytes(word({"word/document.xml": b"<a"}))
    with pytest.raises(DocumentError) as caught:
        parse(path)
    assert caught.value.where == str(path)
