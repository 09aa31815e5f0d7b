"""The driver: same results here and in processes; a bad page costs that page alone."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from small_pdf import SmallPdf, report

from solarmini.errors import ConfigError, DocumentError, UnsupportedFormatError
from solarmini.layout import Document, Limits, parse
from solarmini.layout.driver import Parser
from solarmini.layout.reading import Reading
from solarmini.layout.workers import Crew

FAST = Reading(mode="fast")


def without_time(document: Document) -> Document:
    return document.model_copy(update={"seconds": 0.0})


def test_processes_give_what_this_process_gives(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(report(7))
    here = parse(path, mode="fast", jobs=1, isolate=False)
    there = parse(path, mode="fast", jobs=2)
    assert without_time(here) == without_time(there)
    assert [page.number for page in here.pages] == list(range(1, 8))
    assert here.complete
    assert [e.id for e in here.elements] == list(range(len(list(here.elements))))
    assert "Line 5 of part 2 says on page 7" in here.pages[6].text


def test_bytes_streams_and_paths_are_the_same(tmp_path: Path) -> None:
    data = report(2)
    path = tmp_path / "report.pdf"
    path.write_bytes(data)
    documents = [parse(source, mode="fast") for source in (data, io.BytesIO(data), path, str(path))]
    assert len({document.model_dump_json(include={"pages"}) for document in documents}) == 1
    assert documents[2].source == str(path)
    assert parse(data, mode="fast", isolate=False).pages == documents[0].pages


def test_pages_are_selected_and_missing_ones_named() -> None:
    document = parse(report(6), mode="fast", pages="2-3,6,9", jobs=1)
    assert [page.number for page in document.pages] == [2, 3, 6]
    assert document.total_pages == 6
    [problem] = document.problems
    assert problem.page == 9
    assert problem.fatal
    assert not document.complete
    assert [p.number for p in parse(report(6), mode="fast", pages=[5, 1]).pages] == [1, 5]
    assert [p.number for p in parse(report(6), mode="fast", pages="5-").pages] == [5, 6]


@pytest.mark.parametrize("pages", ["", "0", "3-1", "a", "1-2-3", [0], "-3"])
def test_unclear_pages_are_an_error(pages: object) -> None:
    with pytest.raises(ConfigError, match="which pages"):
        parse(report(3), mode="fast", pages=pages)  # ty: ignore[invalid-argument-type]


def test_nothing_to_read_is_an_error() -> None:
    with pytest.raises(DocumentError, match="no page 8"):
        parse(report(2), mode="fast", pages="8")
    for isolate in (False, True):
        with pytest.raises(UnsupportedFormatError):
            parse(b"just some words", mode="fast", isolate=isolate)
        with pytest.raises(DocumentError, match="empty"):
            parse(b"", mode="fast", isolate=isolate)


def test_too_many_pages_are_partial() -> None:
    document = parse(report(5), mode="fast", limits=Limits(max_pages=3), jobs=1)
    assert [page.number for page in document.pages] == [1, 2, 3]
    assert not document.complete
    assert "limit of 3" in document.problems[0].what


def test_progress_counts_every_page() -> None:
    for jobs in (1, 2):
        seen: list[tuple[int, int]] = []
        parse(
            report(6),
            mode="fast",
            jobs=jobs,
            progress=lambda done, total, seen=seen: seen.append((done, total)),
        )
        assert seen[-1] == (6, 6)
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_images_are_cut_out_only_when_asked() -> None:
    pdf = SmallPdf().page().text(72, 80, "A table of lamps", 14, "B")
    pdf.grid(72, 120, [120, 120, 120], [24, 24, 24])
    for row in range(3):
        for column in range(3):
            pdf.text(80 + 120 * column, 136 + 24 * row, f"cell {row} {column}")
    plain = parse(pdf.data(), mode="fast")
    [table] = [e for e in plain.elements if e.table]
    assert table.image is None
    [cut] = [e for e in parse(pdf.data(), mode="fast", images=["table"]).elements if e.table]
    from PIL import Image

    picture = Image.open(io.BytesIO(cut.image or b""))
    assert picture.width == pytest.approx(360 * 150 / 72, abs=8)
    assert picture.height == pytest.approx(72 * 150 / 72, abs=8)
    assert cut.model_copy(update={"image": None}) == table


# -- pages that crash, hang or dawdle -------------------------------------------------------------

_BAD_READER = """
import hashlib, os, signal
from solarmini.layout.work import answer as real
from solarmini.layout import source

def answer(order, item):
    if item == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    if item in (5, 7):
        kept = source.Source.page
        def slow(self, number):
            if item == 5:  # in native code, where no exception can reach it
                hashlib.pbkdf2_hmac("sha256", b"x", b"y", 10**9)
            while True:
                pass
        source.Source.page = slow
        try:
            return real(order, item)
        finally:
            source.Source.page = kept
    if item == 8:
        raise RuntimeError("a bug in the reader")
    return real(order, item)
"""


@pytest.fixture
def bad_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "bad_reader.py").write_text(_BAD_READER)
    monkeypatch.syspath_prepend(tmp_path)
    return "bad_reader:answer"


def test_a_crash_and_a_hang_cost_their_pages_alone(tmp_path: Path, bad_reader: str) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(report(9))
    reading = Reading(mode="fast", limits=Limits(page_seconds=0.4))
    with Parser(reading, jobs=2, isolate=True) as parser:
        parser._crew = Crew(bad_reader, 2)
        document = parser.parse(path)
    assert [page.number for page in document.pages] == [1, 2, 4, 6, 9]
    assert not document.complete
    what = {problem.page: problem.what for problem in document.problems}
    assert set(what) == {3, 5, 7, 8}
    assert "SIGSEGV" in what[3]
    assert "processor time" in what[5]
    assert "processor time" in what[7]
    assert "a bug in the reader" in what[8]
    good = parse(path, mode="fast", pages="1,2,4,6,9", jobs=1)
    assert [page.text for page in good.pages] == [page.text for page in document.pages]


def test_a_file_that_crashes_leaves_the_other_files_alone(tmp_path: Path) -> None:
    for name, data in (("a.pdf", report(2)), ("b.pdf", b"%PDF-1.7 nothing"), ("c.pdf", report(6))):
        (tmp_path / name).write_bytes(data)
    with Parser(FAST, jobs=2) as parser:
        found = {p.source.name: p for p in parser.parse_many(sorted(tmp_path.glob("*.pdf")))}
    assert found["b.pdf"].document is None
    assert isinstance(found["b.pdf"].error, DocumentError)
    assert [len(found[name].document.pages) for name in ("a.pdf", "c.pdf")] == [2, 6]
    single = parse(tmp_path / "c.pdf", mode="fast", jobs=1)
    assert without_time(found["c.pdf"].document) == without_time(single)


def test_damaged_pages_are_named() -> None:
    data = report(6).replace(b"/Contents 14 0 R", b"/Contents 14 0 X")  # of page 4
    data = data.replace(b"9 0 obj\n<< /Type /Page ", b"9 0 obj\n<< /Type /Nope ")
    document = parse(data, mode="fast", jobs=1)
    assert len(document.pages) >= 4
    assert all(problem.page is not None for problem in document.problems)


def test_no_process_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(report(6))
    with Parser(FAST, jobs=2, isolate=True) as parser:
        parser.parse(path)
        crew = parser._crew
        assert crew is not None
        processes = [worker.process for worker in crew._workers]
        assert all(process.poll() is None for process in processes)
    assert processes
    assert all(process.poll() is not None for process in processes)


def test_a_script_without_a_main_guard_can_use_processes(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(report(8))
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom solarmini.layout import parse\n"
        "print(len(parse('report.pdf', mode='fast', jobs=2).pages))\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["8", "False"], done.stderr


_MEASURE = """
import resource, sys
from pathlib import Path
from solarmini.layout import parse
document = parse(sys.argv[1], mode="fast", jobs=2)
assert document.complete
# not RUSAGE_SELF: its peak includes that of the process that started this one
status = Path("/proc/self/status").read_text()
own = int(status.split("VmHWM:")[1].split()[0])
worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(len(document.pages), own // 1024, worker // 1024)
"""


def test_memory_stays_small_over_a_long_document(tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(report(300))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    pages, own, worker = map(int, done.stdout.split())
    assert pages == 300
    assert own < 250  # MiB
    assert worker < 250
