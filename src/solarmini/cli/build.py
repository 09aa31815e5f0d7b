"""`solar build`."""

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def build(
    recipe: str,
    /,
    *,
    run: Path | None = None,
    redo: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Run a recipe: every stage that is not done yet, then the report.

    A stage that is done is skipped and one that was interrupted goes on where it stopped, so the
    same command is also the way to continue after a crash.

        solar build smollm2-demo                    # the demo, into runs/smollm2-demo
        solar build my-recipe.toml --run runs/mine  # your own chain
        solar build my-recipe.toml --dry-run        # check it and show what would be done

    Parameters
    ----------
    recipe
        A recipe file (.toml), or the name of one that ships with solar.
    run
        Folder for models, records and the report. [default: runs/RECIPE]
    redo
        Make this stage again, with all that come of it. May be given several times.
    dry_run
        Check every setting and print what would be done; change nothing.
    as_json
        Print the result (or, with --dry-run, the stages) as JSON.
    """
    from solarmini.console import out
    from solarmini.recipe import build as builder
    from solarmini.recipe.schema import find_recipe, read_recipe

    path = find_recipe(recipe)
    chain = read_recipe(path)
    folder = run or Path("runs") / chain.name
    if dry_run:
        rows = builder.plan(chain, path.parent, folder)
        if as_json:
            print(json.dumps({"run": str(folder), "stages": rows}, ensure_ascii=False))
            return
        for row in rows:
            origin = f" from {row['from']}" if row["from"] else ""
            out().print(f"{row['state']:8} {row['kind']:9} {row['stage']}{origin}")
        return
    report = builder.build(chain, path.parent, folder, redo=redo)
    if as_json:
        print(json.dumps({"run": str(folder), "report": str(report)}, ensure_ascii=False))
    else:
        out().print(f"report: {report}")
