"""Put weights on huge pages, where Linux has them.

Each token reads all weights once. In pages of 4 KiB that is a translation of addresses every 64
lines of memory, and a processor's own prefetching ends with the page; a virtual machine translates
twice. Linux gives pages of 2 MiB to who asks (`madvise`, transparent huge pages). llama.cpp does
not ask, so what it allocated to load a model is asked for from outside, and copied then by the
kernel (MADV_COLLAPSE, since Linux 6.1). `benchmarks/serve/pages.py` measures what it brings.

Copying takes one to three seconds a GB. A process that is started for a model can do without: its
allocator asks by itself (`with_huge_pages`).
"""

import contextlib
import ctypes
import errno
from collections.abc import Generator, Iterator, Mapping
from functools import cache
from pathlib import Path

SETTINGS = Path("/sys/kernel/mm/transparent_hugepage")
_HUGEPAGE, _COLLAPSE = 14, 25  # of madvise, on Linux
_SMALLEST = 12 * 2**20  # bytes of a mapping; the stack of a thread takes 8 MiB, mostly empty
_LARGEST_PAGE = 32 * 2**20  # of which a mapping's last one would waste too much
_TUNABLES, _ASKING = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"
_NO_MORE = (errno.ENOMEM, errno.EBUSY)  # no free memory in one piece, or a group's limit


def page_size(settings: Path = SETTINGS) -> int:
    """Return the bytes of a huge page that a process may ask for; 0 where it may not."""
    try:
        enabled = (settings / "enabled").read_text()
        size = int((settings / "hpage_pmd_size").read_text())
    except (OSError, ValueError):
        return 0
    return size if "[never]" not in enabled and size <= _LARGEST_PAGE else 0


def with_huge_pages(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process whose allocator asks for huge pages from the start.

    glibc reads it then (since 2.35); other allocators and systems ignore it. What stands there
    already about huge pages stays.
    """
    tunables = environment.get(_TUNABLES, "")
    if not page_size() or _ASKING in tunables:
        return dict(environment)
    return {**environment, _TUNABLES: ":".join(filter(None, (tunables, f"{_ASKING}=1")))}


@contextlib.contextmanager
def huge_pages() -> Generator[None]:
    """Put what is allocated inside, in large pieces, on huge pages afterwards.

    A wish, not a promise: the kernel may lack free memory in one piece, or be too old. `solar
    bench` states what came of it.
    """
    size = page_size()
    before = list(_large_mappings()) if size else []
    yield
    for page in _new_pages(before, size) if size else ():
        _advise(page, size, _HUGEPAGE)  # what is still empty fills with huge ones
        if _advise(page, size, _COLLAPSE) in _NO_MORE:
            return


def _new_pages(before: list[tuple[int, int]], size: int) -> Iterator[int]:
    """Return where each huge page could lie in what is mapped now and was not before."""
    for start, end in list(_large_mappings()):
        for page in range(-(-start // size) * size, end - size + 1, size):
            if not any(first < page + size and page < last for first, last in before):
                yield page


def huge_bytes(rollup: Path = Path("/proc/self/smaps_rollup")) -> int | None:
    """Return how many bytes of this process lie on huge pages; None where it is not known."""
    try:
        lines = rollup.read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) for line in lines if line.startswith("AnonHugePages:")]
    return found[0] * 1024 if found else None


def _large_mappings(maps: Path = Path("/proc/self/maps")) -> Iterator[tuple[int, int]]:
    """Return start and end of each large mapping that no file stands behind."""
    for line in maps.read_text().splitlines():
        place, access, _, device, _, *name = line.split(maxsplit=5)
        if access == "rw-p" and device == "00:00" and not name:
            start, end = (int(edge, 16) for edge in place.split("-"))
            if end - start >= _SMALLEST:
                yield start, end


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return libc


def _advise(start: int, size: int, advice: int) -> int:
    """Advise the kernel about `size` bytes; return the number of its error, or 0."""
    return ctypes.get_errno() if _libc().madvise(start, size, advice) else 0
