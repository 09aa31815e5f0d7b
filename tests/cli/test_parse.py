"""`solar parse` as people use it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import solar
from small_pdf import SmallPdf, report

from solarmini.layout import Document


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(report(2))
    return path


def test_one_file_goes_to_standard_output(pdf: Path) -> None:
    done = solar("parse", pdf, "--fast")
    assert done.code == 0
    assert done.out.startswith("<!DOCTYPE html>")
    assert "Line 5 of part 2 says on page 2" in done.out
    text = solar("parse", pdf, "--fast", "--format", "text", "--pages", "2")
    assert "says on page 2" in text.out
    assert "says on page 1" not in text.out


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.html", "<!DOCTYPE"), ("a.md", "Annual report"), ("a.txt", "Annual"), ("a.json", "{")],
)
def test_the_name_of_the_output_decides_the_format(pdf: Path, name: str, start: str) -> None:
    output = pdf.parent / "new" / name
    done = solar("parse", pdf, "--fast", "-o", output)
    assert done.code == 0
    assert done.out == ""
    assert output.read_text().startswith(start)
    assert [path.name for path in output.parent.iterdir()] == [name]


def test_json_says_where_things_are(pdf: Path) -> None:
    answer = json.loads(solar("parse", pdf, "--fast", "--format", "json").out)
    assert len(answer["elements"][0]["coordinates"]) == 4
    plain = json.loads(solar("parse", pdf, "--fast", "--format", "json", "--no-coordinates").out)
    assert "coordinates" not in plain["elements"][0]


def test_document_is_read_back_whole(pdf: Path) -> None:
    done = solar("parse", pdf, "--fast", "--format", "document")
    document = Document.model_validate_json(done.out)
    assert document.total_pages == 2
    assert document.source == str(pdf)


def test_overlay_stands_beside_the_output(pdf: Path) -> None:
    output = pdf.parent / "a.md"
    done = solar("parse", pdf, "--fast", "-o", output, "--overlay", "--overlay-png", "--json")
    facts = json.loads(done.out)
    assert facts["status"] == "done"
    assert facts["pages"] == 2
    names = [str(Path(name).relative_to(pdf.parent)) for name in facts["files"]]
    assert names == ["a.overlay.html", "a.overlay/1.png", "a.overlay/2.png", "a.md"]
    assert "data:image/jpeg;base64," in (pdf.parent / "a.overlay.html").read_text()


def test_a_folder_goes_to_a_folder_and_goes_on(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    (source / "deep").mkdir(parents=True)
    (source / "a.pdf").write_bytes(report(1))
    (source / "deep" / "b.pdf").write_bytes(report(3))
    (source / "deep" / "b.docx").write_bytes(b"PK not a document")
    (source / "notes.log").write_text("not read")
    done = solar("parse", source, "-o", output, "--format", "text", "--fast", "--json")
    facts = json.loads(done.out)
    assert done.code == 1
    assert (facts["done"], facts["failed"], facts["skipped"]) == (2, 1, 0)
    names = sorted(str(p.relative_to(output)) for p in output.rglob("*") if p.is_file())
    assert names == ["a.txt", "deep/b.pdf.txt"]
    assert "b.docx" in done.err
    (source / "deep" / "b.docx").unlink()
    os.utime(output / "a.txt", (1, 1))  # older than its source now
    again = json.loads(
        solar("parse", source, "-o", output, "--format", "text", "--fast", "--json").out
    )
    assert (again["done"], again["skipped"]) == (1, 1) or again["done"] == 2
    redone = solar("parse", source, "-o", output, "--format", "text", "--fast", "--json", "--redo")
    assert json.loads(redone.out)["done"] == 2


def test_exit_codes(tmp_path: Path, pdf: Path) -> None:
    partial = solar("parse", pdf, "--fast", "--pages", "1,9", "--format", "text")
    assert partial.code == 1
    assert "no page 9" in partial.err
    assert "says on page 1" in partial.out
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7 nothing")
    assert solar("parse", tmp_path / "bad.pdf", "--fast").code == 2
    assert solar("parse", tmp_path / "missing.pdf").code == 2
    assert solar("parse", tmp_path / "bad.pdf", "-o", tmp_path / "out", "--fast").code == 2
    assert not (tmp_path / "out" / "bad.html").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--images", "tables"], "no category 'tables'"),
        (["--pages", "x"], "which pages"),
        (["--json"], "-o"),
        (["--password-file", "nowhere.txt"], "password"),
        (["--format", "docx"], "docx"),
    ],
)
def test_mistakes_are_explained(pdf: Path, arguments: list[str], said: str) -> None:
    done = solar("parse", pdf, "--fast", *arguments)
    assert done.code == 2
    assert said in done.err + done.out


def test_several_files_need_a_folder(pdf: Path, tmp_path: Path) -> None:
    assert "folder" in solar("parse", pdf, tmp_path, "--fast").err.lower()
    taken = tmp_path / "taken.html"
    taken.write_text("mine")
    assert solar("parse", pdf, pdf.parent, "-o", taken, "--fast").code == 2
    assert taken.read_text() == "mine"


def test_markdown_has_its_pictures_beside_it(tmp_path: Path) -> None:
    made = SmallPdf().page().text(72, 80, "Lamps of the coast", 16, "B")
    made.grid(72, 120, [120, 120], [24, 24])
    for row in range(2):
        for column in range(2):
            made.text(80 + 120 * column, 136 + 24 * row, f"cell {row} {column}")
    (tmp_path / "t.pdf").write_bytes(made.data())
    output = tmp_path / "a b.md"
    done = solar("parse", tmp_path / "t.pdf", "--fast", "-o", output, "--images", "table")
    assert done.code == 0
    [picture] = (tmp_path / "a b.images").iterdir()
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_torch_is_never_loaded(pdf: Path) -> None:
    code = (
        "import sys; from solarmini.cli import run; "
        f"code = run(['parse', {str(pdf)!r}, '--fast', '-o', {str(pdf) + '.html'!r}]); "
        "bad = {'torch', 'transformers', 'tensorflow'} & set(sys.modules); print(code, bad)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0 set()", done.stderr


def test_help_teaches() -> None:
    said = solar("parse", "--help").out
    assert "solar parse paper.pdf -o paper.md" in said
    assert "Exit code 0: all was read" in " ".join(said.split())
