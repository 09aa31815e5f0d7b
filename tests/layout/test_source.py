import io
import pickle
import threading
import zipfile
from pathlib import Path

import pytest
from raw_pdf import RawPdf, encrypted, show

from solarmini.errors import (
    DocumentError,
    EncryptedDocumentError,
    LimitError,
    UnsupportedFormatError,
)
from solarmini.layout.limits import Limits
from solarmini.layout.source import open_source, sniff


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return out.getvalue()


def small() -> RawPdf:
    return RawPdf().page(show(72, 700, "one")).page(show(72, 700, "two"))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.4 ...", "pdf"),
        (b"\0" * 500 + b"%PDF-1.4 ...", "pdf"),  # some junk may stand before it
        (b"\x89PNG\r\n\x1a\n...", "image"),
        (b"\xff\xd8\xff\xe0...", "image"),
        (b"II*\0....", "image"),
        (b"MM\0*....", "image"),
        (b"BM......", "image"),
        (b"RIFF....WEBPVP8 ", "image"),
        (b"GIF89a....", "image"),
        (archive("[Content_Types].xml", "word/document.xml"), "docx"),
        (archive("ppt/presentation.xml"), "pptx"),
        (archive("xl/workbook.xml"), "xlsx"),
        (archive("mimetype", "Contents/content.hpf"), "hwpx"),
    ],
)
def test_sniff_looks_at_the_content(data: bytes, kind: str, tmp_path: Path) -> None:
    assert sniff(data) == kind
    path = tmp_path / "unnamed"
    path.write_bytes(data)
    assert sniff(path) == kind


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"just some words", "plain text"),
        (archive("a.txt"), "ZIP archive of no known kind"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old binary or an encrypted Office"),
        (bytes(100), "not read"),
        (b"RIFF....WAVE", "not read|plain text"),
    ],
)
def test_other_kinds_are_named(data: bytes, said: str) -> None:
    with pytest.raises(UnsupportedFormatError, match=said) as caught:
        open_source(data, name="thing")
    assert caught.value.where == "thing"
    assert "PDF" in str(caught.value.mend)


def test_files_that_are_not_there_or_empty(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        open_source(tmp_path / "missing.pdf")
    with pytest.raises(DocumentError, match="not a file"):
        open_source(tmp_path)
    with pytest.raises(DocumentError, match="empty"):
        open_source(b"")
    with pytest.raises(DocumentError, match="damaged ZIP"):
        open_source(b"PK\x03\x04 and nothing more")


def test_limits_on_bytes_and_pages() -> None:
    data = small().data()
    with pytest.raises(LimitError, match="at most 100"):
        open_source(data, limits=Limits(max_bytes=100))
    with open_source(data, limits=Limits(max_pages=1)) as source:
        assert source.total_pages == 2
        assert source.page(1).lines[0].text == "one"
        with pytest.raises(LimitError, match="page 2"):
            source.page(2)


def test_pages_by_number_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "한글 name.pdf"
    path.write_bytes(small().data())
    with open_source(path) as source:
        assert source.format == "pdf"
        assert [source.page(n).lines[0].text for n in (2, 1, 2)] == ["two", "one", "two"]
        for number in (0, 3, -1):
            with pytest.raises(DocumentError, match="there is no page"):
                source.page(number)
    source.close()  # a second time does nothing
    with pytest.raises(DocumentError, match="closed"):
        source.page(1)


def test_title() -> None:
    pdf = small()
    pdf.objects[80] = b"<< /Title (A  lighthouse) >>"
    with open_source(pdf.data("/Info 80 0 R")) as source:
        assert source.title == "A lighthouse"
    with open_source(small().data()) as source:
        assert source.title is None


def test_passwords() -> None:
    data = encrypted(small(), "s3cret")
    with pytest.raises(EncryptedDocumentError, match="is encrypted"):
        open_source(data)
    with pytest.raises(EncryptedDocumentError, match="password is wrong"):
        open_source(data, password="guess")
    with open_source(data, password="s3cret") as source:
        assert source.page(2).lines[0].text == "two"
    with open_source(encrypted(small(), "")) as source:  # protected, but open to all
        assert source.page(1).lines[0].text == "one"


def test_lines_of_a_page_cross_processes() -> None:
    with open_source(small().data()) as source:
        lines = source.page(1).lines
    assert pickle.loads(pickle.dumps(lines)) == lines


def test_threads_take_turns() -> None:
    pdf = RawPdf()
    for number in range(8):
        pdf.page("".join(show(72, 20 * y, f"page {number} line {y}") for y in range(1, 38)))
    wrong: list[object] = []
    with open_source(pdf.data()) as source:

        def work(number: int) -> None:
            for _ in range(3):
                content = source.page(number + 1)
                assert content.render is not None
                content.render(20)
                if {line.text.split()[1] for line in content.lines} != {str(number)}:
                    wrong.append(number)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong
