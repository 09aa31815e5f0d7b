"""Put the records of several models side by side, and say where they are not comparable."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solarmini.errors import EvaluateError
from solarmini.evaluate.records import Record, RecordSet, read_records
from solarmini.evaluate.statistics import (
    Estimate,
    exponential,
    paired_difference,
    unpaired_difference,
)


@dataclass(frozen=True)
class Cell:
    """A model's record of one task, and how it differs from the first model's."""

    record: Record | None
    best: bool
    difference: Estimate | None
    paired: bool


@dataclass(frozen=True)
class Line:
    """One task and metric over all models."""

    task: str
    metric: str
    higher_is_better: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Comparison:
    """Models in the order given, a line for each measure, and what forbids comparing."""

    models: tuple[str, ...]
    lines: tuple[Line, ...]
    warnings: tuple[str, ...]


def load_models(paths: Sequence[Path]) -> list[tuple[str, RecordSet]]:
    """Read record files; a folder stands for its records.json, or all *.json of its records/."""
    found: list[tuple[str, RecordSet]] = []
    for path in paths:
        for file in _record_files(path):
            records = read_records(file)
            models = sorted({record.model for record in records.records})
            if not models:
                raise EvaluateError("the record file is empty", where=file)
            for model in models:
                own = tuple(r for r in records.records if r.model == model)
                found.append((model, RecordSet(records=own)))
    names = [name for name, _ in found]
    return [
        (name if names.count(name) == 1 else f"{name} ({place + 1})", records)
        for place, (name, records) in enumerate(found)
    ]


def _record_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    for files in ([path / "records.json"], sorted((path / "records").glob("*.json"))):
        kept = [file for file in files if file.is_file()]
        if kept:
            return kept
    raise EvaluateError(
        "the folder holds no records",
        where=path,
        mend="name a record file, or a folder with records.json or records/*.json",
    )


def compare_models(models: Sequence[tuple[str, RecordSet]]) -> Comparison:
    """Compare every measure that at least one model has; differences are to the first model."""
    keys = list(dict.fromkeys(r.key for _, records in models for r in records.records))
    lines, warnings = [], []
    for task, metric in keys:
        found = [records.get(task, metric) for _, records in models]
        names = [name for name, _ in models]
        warnings += unlike(names, found)
        lines.append(_line(task, metric, found))
    return Comparison(
        tuple(name for name, _ in models), tuple(lines), tuple(dict.fromkeys(warnings))
    )


def _line(task: str, metric: str, found: Sequence[Record | None]) -> Line:
    present = [record for record in found if record is not None]
    higher = present[0].higher_is_better
    values = [record.value for record in present]
    best = max(values) if higher else min(values)
    first = found[0]
    cells = []
    for record in found:
        if record is None:
            cells.append(Cell(None, False, None, False))
            continue
        change, paired = (None, False)
        if first is not None and record is not first:
            change, paired = difference(first, record)
        cells.append(Cell(record, record.value == best and len(present) > 1, change, paired))
    return Line(task, metric, higher, tuple(cells))


def difference(first: Record, second: Record) -> tuple[Estimate, bool]:
    """Return second - first with its interval, and whether it was taken item by item.

    Of perplexities it is their ratio: an interval of losses turned by exp.
    """
    same = (
        first.items is not None
        and second.items is not None
        and first.data_sha256 == second.data_sha256
        and [w for _, w in first.items] == [w for _, w in second.items]
    )
    if same and first.items is not None and second.items is not None:
        change = paired_difference(first.items, second.items)
        return (exponential(change) if first.metric == "perplexity" else change), True
    if first.metric == "perplexity":
        return Estimate(second.value / first.value, None, None, None), False
    return unpaired_difference(first.value, first.stderr, second.value, second.stderr), False


def unlike(names: Sequence[str], found: Sequence[Record | None]) -> list[str]:
    """Say in what the records of one measure differ that makes their values not comparable."""
    present = [(name, record) for name, record in zip(names, found, strict=True) if record]
    warnings = []
    checks = (
        ("data_sha256", "were measured on different data"),
        ("template_sha256", "used different chat templates"),
        ("shots", "used different numbers of shots"),
        ("precision", "were computed in different precisions"),
        ("n", "were measured on different numbers of items"),
    )
    for (first_name, first), (name, record) in ((present[0], other) for other in present[1:]):
        where = f"{first.task}: {first_name} and {name}"
        problems = [
            (field, text)
            for field, text in checks
            if getattr(first, field) != getattr(record, field)
        ]
        for field, text in problems:
            values = (_short(getattr(first, field)), _short(getattr(record, field)))
            warnings.append(f"{where} {text} ({values[0]}, {values[1]})")
        per_token = record.metric in ("perplexity", "token_loss", "chat_loss")
        if not problems and per_token and first.total != record.total:
            warnings.append(
                f"{where} cut the text into different tokens ({first.total:,.0f}, "
                f"{record.total:,.0f}): compare bits_per_byte"
            )
    return warnings


def _short(value: object) -> str:
    return value[:12] if isinstance(value, str) else str(value)
