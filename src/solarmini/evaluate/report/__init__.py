"""The report of a run: one HTML page that proves every step, readable without a network."""

from pathlib import Path

from solarmini.checkpoint.atomic import write_file_atomic
from solarmini.errors import OutputError
from solarmini.evaluate.report.page import render
from solarmini.evaluate.report.run import read_run


def write_report(run: Path, output: Path | None = None, *, overwrite: bool = False) -> Path:
    """Read a build folder and write its report; return where it lies.

    Without `output` it is RUN/report.html, made anew each time. The same run gives the same bytes.
    Raises EvaluateError when the folder is not a build or names records that are not there.
    """
    page = render(read_run(run))
    path = output or run / "report.html"
    if output is not None and output.exists() and not overwrite:
        raise OutputError(
            "the report exists already", where=output, mend="name another file or --overwrite"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file_atomic(path, page)
    return path
