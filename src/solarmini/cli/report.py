"""`solar report`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def report(
    run: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Make one HTML page that proves a run's every step.

    Lineage, the layers of the grown model, the curve of loss over tokens, the table of scores,
    answers before and after, data and licences. The page needs no network and no other file.

    Parameters
    ----------
    run
        A folder that `solar build` wrote.
    output
        The page to write; RUN/report.html unless given.
    overwrite
        Replace an existing page.
    """
    from solarmini.evaluate.report import write_report

    print(write_report(run, output, overwrite=overwrite))
