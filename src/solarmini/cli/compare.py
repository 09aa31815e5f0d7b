"""`solar compare`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from solarmini.evaluate.compare import Cell, Comparison, Line


def compare(
    *records: Path, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False
) -> None:
    """Compare the records of several models.

    One row a measure, one column a model; the best value is bold. Below each value stands the
    difference to the first model with its 95 % interval (for perplexity the ratio), taken item by
    item where both models were measured on the same items (*). What makes two values not
    comparable (other data, template, shots or tokens) is said above the table.

    Parameters
    ----------
    records
        Record files of `solar evaluate -o`, or folders with records.json or records/*.json.
    as_json
        Print the comparison as JSON.
    """
    from solarmini.console import err
    from solarmini.errors import EvaluateError
    from solarmini.evaluate.compare import compare_models, load_models

    if not records:
        raise EvaluateError("nothing to compare", mend="name at least one record file")
    comparison = compare_models(load_models(records))
    if as_json:
        print(json.dumps(_plain(comparison), ensure_ascii=False))
        return
    for warning in comparison.warnings:
        err().print(f"[yellow]not comparable:[/] {_escape(warning)}", soft_wrap=True)
    _print(comparison)


def _plain(comparison: "Comparison") -> dict[str, object]:
    return {
        "models": comparison.models,
        "warnings": comparison.warnings,
        "measures": [
            {
                "task": line.task,
                "metric": line.metric,
                "higher_is_better": line.higher_is_better,
                "values": [_plain_cell(cell) for cell in line.cells],
            }
            for line in comparison.lines
        ],
    }


def _plain_cell(cell: "Cell") -> dict[str, object] | None:
    if cell.record is None:
        return None
    kept = cell.record.model_dump(include={"value", "stderr", "ci_low", "ci_high", "n", "unit"})
    change = cell.difference
    if change is not None:
        kept["difference"] = {"value": change.value, "low": change.ci_low, "high": change.ci_high}
        kept["paired"] = cell.paired
    return kept | {"best": cell.best}


def _print(comparison: "Comparison") -> None:
    from rich.table import Table

    from solarmini.console import out

    table = Table()
    table.add_column("task")
    table.add_column("measure")
    for model in comparison.models:
        table.add_column(_escape(model), justify="right")
    for line in comparison.lines:
        arrow = "↑" if line.higher_is_better else "↓"
        cells = [_cell(line, cell) for cell in line.cells]
        table.add_row(_escape(line.task), f"{line.metric} {arrow}", *cells)
    out().print(table)
    out().print("[dim]second line: difference to the first model (x: ratio), * item by item[/]")


def _cell(line: "Line", cell: "Cell") -> str:
    if cell.record is None:
        return "-"
    value = f"{cell.record.value:.4g}"
    shown = f"[bold]{value}[/]" if cell.best else value
    change = cell.difference
    if change is None:
        return shown
    if line.metric == "perplexity":
        text = f"x{change.value:.3f}"
        span = "" if change.ci_low is None else f" ({change.ci_low:.3f} … {change.ci_high:.3f})"
    else:
        text = f"{change.value:+.3g}"
        span = "" if change.ci_low is None else f" ({change.ci_low:+.3g} … {change.ci_high:+.3g})"
    return f"{shown}\n[dim]{text}{span}{'*' if cell.paired else ''}[/]"


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
