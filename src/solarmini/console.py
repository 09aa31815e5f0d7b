"""The terminal: results go to standard output, progress and notes to standard error."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@cache
def out() -> "Console":
    """Console for results (standard output)."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False)


@cache
def err() -> "Console":
    """Console for progress, notes and errors (standard error)."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False)


def size_text(count: int) -> str:
    """Return a number of bytes in a unit that suits it: 21.46 GB, 534.53 kB, 12 B."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:,.2f} {unit}"
    return f"{count} B"


def progress_wanted() -> bool:
    """Whether bars should be drawn: a terminal that was not told to be quiet."""
    return sys.stderr.isatty() and os.environ.get("SOLAR_PROGRESS", "1") != "0"


@contextmanager
def progress(label: str, total: int | None, unit: str = "it") -> Generator[Callable[[int], None]]:
    """Show a bar with elapsed time and ETA; yields a function that advances it.

    With unit "B" the bar shows bytes and transfer speed. Draws nothing when standard error is
    not a terminal or SOLAR_PROGRESS=0.
    """
    if not progress_wanted():
        yield lambda _: None
        return
    from rich import progress as bars

    columns: list[bars.ProgressColumn] = [
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
    ]
    if unit == "B":
        columns += [bars.DownloadColumn(), bars.TransferSpeedColumn()]
    else:
        columns += [bars.MofNCompleteColumn(), bars.TextColumn(unit)]
    columns += [bars.TimeElapsedColumn(), bars.TimeRemainingColumn()]
    with bars.Progress(*columns, console=err(), transient=True) as display:
        task = display.add_task(label, total=total)
        yield lambda amount: display.advance(task, amount)
