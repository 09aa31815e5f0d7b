import shutil
from difflib import SequenceMatcher

import pytest

from solarmini.errors import DocumentError
from solarmini.layout.ocr import recognise
from solarmini.layout.ocr import tesseract as room

HEAD = "level page_num block_num par_num line_num word_num left top width height conf text"
TABLE = """{}
1\t1\t0\t0\t0\t0\t0\t0\t640\t480\t-1\t
4\t1\t1\t1\t1\t0\t36\t92\t582\t30\t-1\t
5\t1\t1\t1\t1\t1\t36\t92\t60\t24\t96.5\tThis
5\t1\t1\t1\t1\t2\t109\t92\t77\t24\t-3\tis
5\t1\t1\t1\t2\t1\t36\t140\t60\t24\t50\tit
5\t1\t1\t1\t2\t2\t99\t140\t10\t24\t50\t\x20
""".format("\t".join(HEAD.split()))


def test_table_of_words() -> None:
    first, second = room._words_by_line(TABLE)
    assert [word.text for word in first] == ["This", "is"]
    assert tuple(first[0].rect) == (36, 92, 96, 116)
    assert [word.confidence for word in first] == [0.965, 0.0]
    assert [word.text for word in second] == ["it"]


def test_without_the_program_it_says_how_to_get_it(monkeypatch, draw, scan) -> None:
    monkeypatch.setattr(room.shutil, "which", lambda name: None)
    room.installed_languages.cache_clear()
    try:
        with pytest.raises(DocumentError) as raised:
            recognise(scan(draw()), engine="tesseract")
        assert "apt install tesseract-ocr" in str(raised.value)
    finally:
        room.installed_languages.cache_clear()


installed = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="the program tesseract is not installed"
)


@installed
def test_a_page_is_read_by_the_program(draw, scan, text) -> None:
    page = recognise(scan(draw()), languages=("en",), engine="tesseract")
    read = " ".join(line.text for line in page.lines)
    assert SequenceMatcher(None, read, " ".join(text), autojunk=False).ratio() > 0.98
    assert all(line.size == pytest.approx(14.4, rel=0.12) for line in page.lines)


@installed
def test_missing_language_data_is_named(draw, scan) -> None:
    with pytest.raises(DocumentError, match="zz"):
        recognise(scan(draw()), languages=("zz",), engine="tesseract")
