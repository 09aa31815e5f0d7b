"""Hostile and broken files: a named error or what could be read; never a crash or a hang."""

import contextlib
import io
import random
import resource
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image
from raw_pdf import RawPdf, assemble, gray_image, korean, show, stream

from solarmini.errors import DocumentError, SolarError
from solarmini.layout.driver import parse
from solarmini.layout.limits import Limits
from solarmini.layout.primitives import PageContent
from solarmini.layout.source import open_source


def rich() -> bytes:
    """A small file with a bit of everything."""
    pdf = RawPdf(xobjects={"S": 60, "A": 61}, compress=True)
    pdf.objects[60] = gray_image(20, 20)
    pdf.stream(61, "/Type /XObject /Subtype /Form /BBox [0 0 99 99]", b"0 0 m 20 0 l S")
    pdf.extra = (
        "/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (x) >> >>]"
    )
    for number in range(3):
        pdf.page(
            show(72, 700, f"Page {number} of a file")
            + korean(72, 650, "가나다")
            + "q 100 0 0 100 200 300 cm /S Do Q /A Do 10 10 m 50 90 60 90 80 10 c f "
            + "".join(show(72, 600 - 14 * n, "some words of a line", 10, "B") for n in range(20))
        )
    return pdf.data()


def pictures() -> list[bytes]:
    found = []
    for kind in ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"):
        out = io.BytesIO()
        Image.effect_noise((64, 48), 40).save(out, kind)
        found.append(out.getvalue())
    return found


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Damage of the kinds that files suffer, and some that only an enemy thinks of."""
    out = bytearray(data)
    kind = chance.randrange(6)
    at = chance.randrange(len(out))
    if kind == 0:
        for _ in range(chance.randrange(1, 40)):
            out[chance.randrange(len(out))] = chance.randrange(256)
    elif kind == 1:
        del out[at:]
    elif kind == 2:
        del out[at : at + chance.randrange(1, 400)]
    elif kind == 3:
        out[at:at] = out[chance.randrange(len(out)) :][: chance.randrange(1, 600)]
    elif kind == 4:
        digits = [i for i, byte in enumerate(out) if 48 <= byte <= 57]
        for _ in range(min(30, len(digits))):
            out[chance.choice(digits)] = chance.randrange(48, 58)
    else:
        out[at : at + 40] = chance.randbytes(40)
    return bytes(out)


def read_all(data: bytes, **limits) -> list[PageContent]:
    found = []
    with open_source(data, limits=Limits(max_render_pixels=20_000, **limits)) as source:
        for number in range(1, min(source.total_pages, 5) + 1):
            content = source.page(number)
            assert content.render is not None
            content.render(30)
            found.append(content)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_damaged_pdfs(seed: int) -> None:
    chance, base, errors = random.Random(seed), rich(), 0
    assert len(read_all(base)) == 3
    for _ in range(75):
        try:
            read_all(mutated(base, chance))
        except SolarError:
            errors += 1
    assert errors < 75  # much of most files can still be read


def test_damaged_pictures() -> None:
    chance = random.Random(0)
    for base in pictures():
        assert len(read_all(base)) == 1
        for _ in range(25):
            with contextlib.suppress(SolarError):
                read_all(mutated(base, chance))


def test_every_cut_of_a_file() -> None:
    base = rich()
    for end in range(0, len(base), 97):
        with contextlib.suppress(DocumentError):
            read_all(base[:end])


def test_cyclic_page_trees() -> None:
    objects = RawPdf().page(show(72, 700, "text")).all_objects()
    for kids in ("2 0 R", "2 0 R 1000 0 R", "5 0 R"):
        objects[2] = f"<< /Type /Pages /Kids [{kids}] /Count 40 >>".encode()
        objects[5] = b"<< /Type /Pages /Kids [2 0 R] /Parent 2 0 R /Count 3 >>"
        start = time.process_time()
        with contextlib.suppress(DocumentError):
            read_all(assemble(objects))
        assert time.process_time() - start < 5


def test_a_page_count_that_lies() -> None:
    objects = RawPdf().page(show(72, 700, "text")).all_objects()
    objects[2] = b"<< /Type /Pages /Kids [1000 0 R] /Count 2000000000 >>"
    with open_source(assemble(objects)) as source:
        assert source.page(1).lines[0].text == "text"
        with pytest.raises(DocumentError):
            source.page(900_000 if source.total_pages >= 900_000 else source.total_pages + 1)


@pytest.mark.parametrize(
    "objects",
    [
        {},
        {1: b"<< /Type /Catalog >>"},
        {1: b"null"},
        {1: b"[" * 5_000},
        {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Kids [] /Count 0 >>"},
    ],
)
def test_files_with_no_pages(objects: dict[int, bytes]) -> None:
    data = assemble(objects) if objects else b"%PDF-1.4\n%%EOF"
    with pytest.raises(DocumentError) as caught:
        read_all(data)
    assert caught.value.where == "bytes"


@pytest.mark.parametrize(
    "media",
    ["[0 0 0 0]", "[0 0 1e9 1e9]", "[9 9 1 1]", "[(a) (b)]", "[0 0 3 200000]", "[-5 -5 5 5]"],
)
def test_odd_page_sizes(media: str) -> None:
    data = RawPdf(media=media).page(show(0, 0, "text")).data()
    with contextlib.suppress(DocumentError):
        for content in read_all(data):
            assert 0 < content.width < 1e6
            assert 0 < content.height < 1e6


def test_numbers_beyond_measure() -> None:
    content = (
        "1e38 0 0 1e38 0 0 cm 0 0 1e38 1e38 re f 0 0 m 1e30 1e30 l S "
        "BT /F 1e30 Tf 1e20 0 0 1e20 -1e38 1e38 Tm (far away) Tj ET "
    )
    (found,) = read_all(RawPdf().page(content + "Q " + show(72, 700, "fjord", 1e-9)).data())
    for thing in (*found.rules, *found.drawings, *found.lines):
        assert all(abs(value) < 1e7 for value in thing.box)


BOMB = """
import resource, sys, time
from pathlib import Path
from solarmini.errors import SolarError
from solarmini.layout.source import open_source
resource.setrlimit(resource.RLIMIT_CPU, (40, 40))
try:
    with open_source(sys.argv[1]) as source:
        for number in range(1, min(source.total_pages, 3) + 1):
            content = source.page(number)
            content.render(40)
            print(len(content.lines), len(content.drawings), [p.what for p in content.problems])
except SolarError as error:
    print(type(error).__name__, error.what)
# not ru_maxrss: its peak includes that of the process that started this one
status = Path("/proc/self/status").read_text()
print("peak", int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


def in_a_process(path: Path) -> tuple[str, int]:
    """Read the file in a process of its own: what it said, and its peak memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said, _, peak = done.stdout.rpartition("peak ")
    return said, int(peak)


def squeezed(piece: bytes, times: int) -> bytes:
    """`piece` repeated, compressed without ever being whole."""
    packer = zlib.compressobj(9)
    block = piece * 4096
    parts = [packer.compress(block) for _ in range(times // 4096)]
    return b"".join(parts) + packer.flush()


@pytest.mark.parametrize(
    ("what", "piece", "times"),
    [
        ("blanks", b" " * 64, 1 << 21),
        ("boxes", b"10 10 5 30 re f\n", 1 << 16),
        ("curves", b"1 1 m 2 3 4 5 6 7 c S\n", 1 << 16),
        ("words", b"BT /F 9 Tf 9 9 Td (text) Tj ET\n", 1 << 16),
        ("states", b"q ", 1 << 20),
    ],
)
def test_bombs_stay_within_memory(what: str, piece: bytes, times: int, tmp_path: Path) -> None:
    objects = RawPdf().page("").all_objects()
    objects[1001] = stream("/Filter /FlateDecode", squeezed(piece, times))
    path = tmp_path / f"{what}.pdf"
    path.write_bytes(assemble(objects))
    assert path.stat().st_size < 2 << 20
    said, peak = in_a_process(path)
    assert said
    assert peak < 1024


def test_an_image_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    pdf = RawPdf(xobjects={"S": 60})
    head = "/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceGray "
    pdf.objects[60] = stream(
        head + "/BitsPerComponent 8 /Filter /FlateDecode", squeezed(b"\0" * 64, 1 << 20)
    )
    path = tmp_path / "image.pdf"
    path.write_bytes(pdf.page("q 600 0 0 800 0 0 cm /S Do Q").data())
    said, peak = in_a_process(path)
    assert said
    assert peak < 1024


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def test_two_thousand_pages_leave_nothing_behind() -> None:
    pdf = RawPdf()
    for number in range(2000):
        pdf.page(show(72, 700, f"page {number}") + "10 10 m 300 10 l S")
    with open_source(pdf.data()) as source:
        assert source.total_pages == 2000
        for number in range(1, 200):
            source.page(number)
        before = resident_mib()
        for number in range(200, 2001, 5):
            assert source.page(number).lines[0].text == f"page {number - 1}"
        grown = resident_mib() - before
    assert grown < 30


def test_opening_and_failing_leaves_nothing_behind() -> None:
    data, broken = rich(), rich()[:900]
    for turn in range(60):
        with open_source(data) as source:
            content = source.page(1)
            assert content.render is not None
            content.render(40)
        with pytest.raises(DocumentError):
            read_all(broken)
        if turn == 20:
            before = resident_mib()
    assert resident_mib() - before < 20


def test_forms_that_double_are_stopped_in_a_process_of_their_own() -> None:
    """PDFium itself never ends on this one: only the time limit of a process helps."""
    pdf = RawPdf(xobjects={"A": 60})
    head = "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /A 60 0 R >> >>"
    data = pdf.stream(60, head, b"/A Do /A Do").page("/A Do").data()
    limits = Limits(page_seconds=1)
    with pytest.raises(DocumentError, match="too much processor time"):
        parse(data, mode="fast", isolate=True, limits=limits)
