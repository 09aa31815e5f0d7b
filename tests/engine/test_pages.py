"""What is loaded lies on huge pages where Linux gives them, and nothing breaks where not."""

import ctypes
import mmap
from pathlib import Path

import pytest

from solarmini.engine import pages

MIB = 2**20


def settings(folder: Path, enabled: str, size: str = "2097152") -> Path:
    (folder / "enabled").write_text(enabled)
    (folder / "hpage_pmd_size").write_text(size)
    return folder


@pytest.mark.parametrize(
    ("enabled", "size", "expected"),
    [
        ("always [madvise] never", "2097152", 2 * MIB),
        ("[always] madvise never", "2097152", 2 * MIB),
        ("always madvise [never]", "2097152", 0),
        ("[always] madvise never", "536870912", 0),  # an ARM kernel of 64 KiB pages
        ("[always] madvise never", "much", 0),
    ],
)
def test_a_process_asks_where_the_administrator_lets_it(
    enabled: str, size: str, expected: int, tmp_path: Path
) -> None:
    assert pages.page_size(settings(tmp_path, enabled, size)) == expected
    assert pages.page_size(tmp_path / "none") == 0


def test_what_is_allocated_inside_moves_and_keeps_its_values(refusals: list[int]) -> None:
    filled = bytes(range(256)) * (32 * MIB // 256)
    before = pages.huge_bytes() or 0
    with pages.huge_pages():
        large = mmap.mmap(-1, len(filled), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        large[:] = filled
    moved = (pages.huge_bytes() or 0) - before
    assert large[:] == filled
    size = pages.page_size()
    assert refusals or (moved >= len(filled) - 2 * size if size else moved == 0)
    large.close()


def test_what_was_there_before_is_let_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(pages, "page_size", lambda: 2 * MIB)
    monkeypatch.setattr(pages, "_advise", lambda start, _size, _advice: asked.append(start) or 0)
    kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    with mmap.mmap(-1, 32 * MIB, flags=kind) as old:
        with pages.huge_pages():
            new = mmap.mmap(-1, 32 * MIB, flags=kind)
        pages_of = [(place(each), place(each) + 32 * MIB) for each in (old, new)]
        new.close()
    within = [sum(first <= start < last for start in asked) for first, last in pages_of]
    assert within[0] == 0
    assert within[1] >= 2 * 15  # twice of each page


def place(mapping: mmap.mmap) -> int:
    """Return the address of the first byte."""
    return ctypes.addressof(ctypes.c_char.from_buffer(mapping))


def test_only_what_is_large_and_of_no_file_is_looked_at(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text(
        "10000000-12000000 rw-p 00000000 00:00 0 \n"
        "20000000-20800000 rw-p 00000000 00:00 0 \n"  # the stack of a thread
        "30000000-32000000 rw-p 00000000 00:00 0    [heap]\n"
        "40000000-42000000 rw-p 00000000 fe:00 17   /models/a model.gguf\n"
        "50000000-52000000 rw-s 00000000 00:01 18   /dev/zero (deleted)\n"
        "60000000-62000000 ---p 00000000 00:00 0 \n"
        "70000000-72000000 rwxp 00000000 00:00 0 \n"
    )
    assert list(pages._large_mappings(maps)) == [(0x10000000, 0x12000000)]


def test_a_new_process_asks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "page_size", lambda: 2 * MIB)
    asking = "glibc.malloc.hugetlb=1"
    assert pages.with_huge_pages({"A": "b"}) == {"A": "b", "GLIBC_TUNABLES": asking}
    others = {"GLIBC_TUNABLES": "glibc.malloc.arena_max=1"}
    both = f"glibc.malloc.arena_max=1:{asking}"
    assert pages.with_huge_pages(others) == {"GLIBC_TUNABLES": both}
    decided = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}
    assert pages.with_huge_pages(decided) == decided
    monkeypatch.setattr(pages, "page_size", lambda: 0)
    assert pages.with_huge_pages(others) == others


def test_an_error_inside_passes() -> None:
    with pytest.raises(ValueError, match="inside"), pages.huge_pages():
        raise ValueError("inside")


def test_a_system_without_such_files_knows_nothing(tmp_path: Path) -> None:
    assert pages.huge_bytes(tmp_path / "smaps_rollup") is None
