"""`solar verify`."""

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def verify(
    model: Path, /, *, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False
) -> int:
    """Check every file of a model against its manifest.

    Reads each file once and compares its sha256 with `solar.json`. Exit code 0: everything is as
    it was written; 1: something is missing, changed or not listed; 2: there is no manifest.

    Parameters
    ----------
    model
        A model folder made by solar.
    as_json
        Print {"ok": …, "problems": […]} instead of lines.
    """
    from solarmini.artifact import verify_artifact

    problems = verify_artifact(model)
    if as_json:
        print(json.dumps({"ok": not problems, "problems": problems}))
    else:
        for problem in problems:
            print(problem)
        print("verified" if not problems else f"{len(problems)} problem(s)")
    return 1 if problems else 0
