"""Page numbers as people write them: "1-3,7,9-"."""

import re
from collections.abc import Iterable

from solarmini.errors import ConfigError

_RANGE = re.compile(r"(\d+)(?:\s*(-)\s*(\d*))?$")

Pages = str | Iterable[int] | None
"""Which pages to read: "1-3,7,9-", numbers from 1, or None for all."""


def selected(pages: Pages, total: int) -> tuple[list[int], list[int]]:
    """Return the pages to read, in order and once each, and those asked for that do not exist.

    Raises ConfigError when `pages` is not understood.
    """
    if pages is None:
        return list(range(1, total + 1)), []
    wanted: set[int] = set()
    missing: set[int] = set()
    parts = _parts(pages) if isinstance(pages, str) else ((n, n) for n in pages)
    for first, last in parts:
        if first < 1 or (last is not None and last < first):
            raise _unclear(pages)
        end = total if last is None else last
        wanted.update(range(first, min(end, total) + 1))
        if last is not None and last > total:
            missing.add(max(first, total + 1))
        elif first > total:
            missing.add(first)
    return sorted(wanted), sorted(missing)


def _parts(text: str) -> Iterable[tuple[int, int | None]]:
    """Yield (first, last) of each part; last is None for an open end."""
    for part in text.split(","):
        found = _RANGE.match(part.strip())
        if not found:
            raise _unclear(text)
        first = int(found[1])
        yield first, (int(found[3]) if found[3] else None) if found[2] else first


def _unclear(pages: object) -> ConfigError:
    return ConfigError(
        f"which pages are {pages!r}?", mend="write numbers from 1 and ranges: 1-3,7,9-"
    )
