"""The claims of a report, computed from records: key figures, columns, ranking, honest notes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from solarmini.evaluate.compare import difference, unlike
from solarmini.evaluate.records import Record
from solarmini.evaluate.report.run import Run, Stage
from solarmini.evaluate.statistics import Estimate
from solarmini.evaluate.suites import TASKS

_PRIMARY = ("perplexity", "chat_loss", "preference_accuracy", "acc_norm", "acc")
_PRIMARY += ("exact_match_strict",)
_SMALL = 200  # questions below which a share's 95 % interval is wider than +-7 points


@dataclass(frozen=True)
class Column:
    """One column of the table of scores."""

    task: str
    metric: str
    label: str
    unit: str
    higher_is_better: bool
    shots: int


@dataclass(frozen=True)
class Figure:
    """A key figure: what it says, how sure it is, where it comes from."""

    label: str
    value: str
    detail: str
    source: str
    tone: str = "plain"


def columns(run: Run) -> list[Column]:
    """Return one column a task, in the order measured, by the measure the task is known for."""
    found: dict[str, list[Record]] = {}
    for stage in run.stages:
        for record in stage.records.records if stage.records else ():
            found.setdefault(record.task, []).append(record)
    made = []
    for task, records in found.items():
        metrics = [record.metric for record in records]
        known = TASKS[task].primary if task in TASKS else None
        metric = next((m for m in (known, *_PRIMARY) if m in metrics), None)
        if metric is None:
            continue
        first = next(record for record in records if record.metric == metric)
        label, unit = _heading(task, metric)
        made.append(Column(task, metric, label, unit, first.higher_is_better, first.shots))
    order = {"perplexity": 0, "chat_loss": 1, "preference_accuracy": 2}
    return sorted(made, key=lambda column: order.get(column.metric, 3))


def _heading(task: str, metric: str) -> tuple[str, str]:
    units = {
        "perplexity": "perplexity",
        "chat_loss": "answer loss",
        "preference_accuracy": "preferred, %",
        "acc": "accuracy, %",
        "acc_norm": "acc_norm, %",  # by length, as lm-eval calls it
        "exact_match_strict": "exact, %",
    }
    return (TASKS[task].label if task in TASKS else task), units.get(metric, metric)


def shown(record: Record, value: float | None = None) -> str:
    """Write a value (the record's own unless given) as the table shows it."""
    value = record.value if value is None else value
    if record.metric in ("perplexity",):
        return f"{value:.2f}" if value < 1000 else f"{value:,.0f}"
    if record.metric.startswith(("acc", "exact_match", "preference_accuracy")):
        return f"{100 * value:.1f}"
    return f"{value:.3f}"


def interval(record: Record) -> str:
    """Write the 95 % interval, or that there is none."""
    if record.ci_low is None or record.ci_high is None:
        return "no interval"
    return f"{shown(record, record.ci_low)} to {shown(record, record.ci_high)}"


def source(stage: Stage, record: Record) -> str:
    """Say where a number comes from: file, task, data and template."""
    template = f", template {record.template_sha256[:10]}" if record.template_sha256 else ""
    return (
        f"{stage.build.records} › {record.task}/{record.metric}, "
        f"data {record.data_sha256[:10]}{template}"
    )


def best(run: Run, column: Column) -> float | None:
    """Return the best value of a column over all stages; None when all are the same."""
    found = [stage.record(column.task, column.metric) for stage in run.stages]
    values = [record.value for record in found if record is not None]
    if len(set(values)) < 2:
        return None
    return max(values) if column.higher_is_better else min(values)


def against_base(run: Run, record: Record) -> str:
    """Write how a value differs from the base's, with the interval; empty for the base itself."""
    first = run.base.record(record.task, record.metric) if run.base else None
    if first is None or first is record:
        return ""
    change, paired = difference(first, record)
    how = "item by item" if paired else "unpaired"
    if record.metric == "perplexity":
        text = f"{change.value:.3f} times the base's"
        if change.ci_low is not None and change.ci_high is not None:
            text += f" ({change.ci_low:.3f} to {change.ci_high:.3f}, {how})"
        return f"; {text}"
    return f"; against the base {_change(record, change)}, {how}"


def text_task(run: Run) -> str | None:
    """Return the text whose perplexity the key figures speak of: the first one measured."""
    return next((c.task for c in columns(run) if c.metric == "perplexity"), None)


def gap_closed(run: Run, task: str) -> float | None:
    """Return the share of the loss that surgery cost which pretraining took back (nats).

    (grown - healed) / (grown - base), all on the same held-out text: 1 is the untouched base.
    """
    stages = (run.base, run.first("upscale"), run.first("pretrain"))
    records = [stage.record(task, "token_loss") if stage else None for stage in stages]
    if any(record is None for record in records):
        return None
    base, grown, healed = (record.value for record in records if record is not None)
    return (grown - healed) / (grown - base) if grown > base else None


def key_figures(run: Run) -> list[Figure]:
    """Return the figures at the top of the report; what was not measured is left out."""
    figures = [*_size(run)]
    task = text_task(run)
    if task is not None:
        figures += _surgery(run, task)
        figures += _recovery(run, task)
    figures += _gain(run, "instruct", "chat_loss", "Answers, held out")
    figures += _gain(run, "align", "preference_accuracy", "Preference, held out")
    figures += _merged(run)
    return figures


def _size(run: Run) -> list[Figure]:
    base, grown = run.base, run.first("upscale")
    if not base or not grown or not base.layers or not grown.layers:
        return []
    detail = ""
    if base.parameters and grown.parameters:
        detail = f"{size(base.parameters)} → {size(grown.parameters)} parameters"
    return [Figure("Layers", f"{base.layers} → {grown.layers}", detail, "config.json")]


def size(parameters: int) -> str:
    """Write a parameter count as papers do: 134.5M, 10.7B."""
    if parameters >= 1e9:
        return f"{parameters / 1e9:.1f}B"
    return f"{parameters / 1e6:.1f}M" if parameters >= 1e6 else f"{parameters / 1e3:.0f}K"


def _surgery(run: Run, task: str) -> list[Figure]:
    base = run.base
    record = base.record(task, "perplexity") if base else None
    if base is None or record is None:
        return []
    figures = [
        Figure(
            "Base perplexity", shown(record), f"{task}, 95 %: {interval(record)}",
            source(base, record),
        )
    ]  # fmt: skip
    for stage, label, tone in (
        (run.first("upscale"), "Right after surgery", "main"),
        (next((s for s in run.stages if s.role == "naive"), None), "Naive duplication", "naive"),
    ):
        other = stage.record(task, "perplexity") if stage else None
        if stage is not None and other is not None:
            fold = other.value / record.value
            times = f"×{fold:.2f}" if fold < 10 else f"×{fold:,.0f}"
            detail = f"perplexity {shown(other)}, {stage.layers or '?'} layers"
            figures.append(Figure(label, times, detail, source(stage, other), tone))
    return figures


def _recovery(run: Run, task: str) -> list[Figure]:
    healed = run.first("pretrain")
    closed = gap_closed(run, task)
    record = healed.record(task, "perplexity") if healed else None
    if healed is None or closed is None or record is None:
        return []
    detail = f"by {healed.tokens:,} tokens: perplexity {shown(record)}"
    detail += ", past the untouched base" if closed > 1 else ""
    figures = [
        Figure(
            "Gap to base closed", f"{100 * closed:.0f} %", detail, source(healed, record), "main"
        )
    ]
    control = next((s for s in run.stages if s.role == "control"), None)
    other = control.record(task, "perplexity") if control else None
    if control is not None and other is not None:
        side = "ahead of" if other.value < record.value else "behind"
        detail = f"{control.tokens:,} tokens, {side} the grown model"
        figures.append(
            Figure("Base, trained on", shown(other), detail, source(control, other), "control")
        )
    return figures


def _gain(run: Run, kind: str, metric: str, label: str) -> list[Figure]:
    """Return the change of a held-out measure over the main stages of a kind (first to last)."""
    stages = [stage for stage in run.main if stage.kind == kind]
    if not stages:
        return []
    before, after = next(iter(run.parents(stages[0])), None), stages[-1]
    column = next((c for c in columns(run) if c.metric == metric), None)
    if before is None or column is None:
        return []
    first, second = before.record(column.task, metric), after.record(column.task, metric)
    if first is None or second is None:
        return []
    change, paired = difference(first, second)
    unit = " %" if metric == "preference_accuracy" else ""
    detail = f"{column.unit.removesuffix(', %')}, {_change(second, change)}"
    detail += f"; {'paired, ' if paired else ''}n = {second.n}"
    value = f"{shown(first)} → {shown(second)}{unit}"
    return [Figure(label, value, detail, source(after, second), "main")]


def _change(record: Record, change: Estimate) -> str:
    points = record.metric.startswith(("acc", "preference_accuracy"))
    scale, unit = (100, " points") if points else (1, "")
    digits = 1 if points else 3
    text = f"{scale * change.value:+.{digits}f}{unit}"
    if change.ci_low is not None and change.ci_high is not None:
        low, high = scale * change.ci_low, scale * change.ci_high
        text += f" ({low:+.{digits}f} to {high:+.{digits}f})"
    return text.replace("-", "\N{MINUS SIGN}")


def _merged(run: Run) -> list[Figure]:
    merged = run.first("merge")
    if merged is None:
        return []
    column = next((c for c in columns(run) if c.metric == "preference_accuracy"), None)
    column = column or next(iter(columns(run)), None)
    if column is None:
        return []
    record = merged.record(column.task, column.metric)
    others = [(p, p.record(column.task, column.metric)) for p in run.parents(merged)]
    found = [f"{parent.name} {shown(r)}" for parent, r in others if r is not None]
    if record is None or not found:
        return []
    detail = f"{column.label}, {column.unit.removesuffix(', %')}; parents: {', '.join(found)}"
    unit = " %" if column.unit.endswith("%") else ""
    return [Figure("Merged", shown(record) + unit, detail, source(merged, record), "main")]


def notes(run: Run) -> list[str]:
    """Return what a reader should know before believing the numbers."""
    found = [*_control_note(run), *_small_notes(run), *_gain_notes(run), *_unlike_notes(run)]
    precisions = {r.precision for s in run.stages if s.records for r in s.records.records}
    if precisions:
        found.append(
            f"Measured with matrix products in {' and '.join(sorted(precisions))}. Intervals cover "
            "the choice of test items, not the choice of training seed: one run, one seed."
        )
    return found


def _control_note(run: Run) -> list[str]:
    task = text_task(run)
    control = next((s for s in run.stages if s.role == "control"), None)
    healed = run.first("pretrain")
    if task is None or healed is None:
        return []
    if control is None:
        return ["No control: the base was not trained on for the same tokens in this run."]
    ours, theirs = healed.record(task, "token_loss"), control.record(task, "token_loss")
    if ours is None or theirs is None:
        return []
    gap = ours.value - theirs.value
    if gap > 0:
        return [
            f"The base trained on for {control.tokens:,} tokens stays ahead of the grown model at "
            f"this budget, by {gap:.3f} nats a token on {task}. Depth up-scaling pays when "
            "pretraining goes on for far longer; this run shows the recovery, not the pay-off."
        ]
    return [
        f"At this budget the grown model is ahead of the base trained on for {control.tokens:,} "
        f"tokens, by {-gap:.3f} nats a token on {task}."
    ]


def _small_notes(run: Run) -> list[str]:
    small: dict[str, str] = {}
    for column in columns(run):
        for stage in run.stages:
            record = stage.record(column.task, column.metric)
            if record is not None and record.n < _SMALL:
                small[column.label] = f"{column.label} {record.n} {record.unit}"
    if not small:
        return []
    return [
        "The samples are small: " + ", ".join(small.values()) + ". Differences inside the "
        "intervals are not findings."
    ]


def _gain_notes(run: Run) -> list[str]:
    found = []
    for kind, metric in (("instruct", "chat_loss"), ("align", "preference_accuracy")):
        stages = [stage for stage in run.main if stage.kind == kind]
        column = next((c for c in columns(run) if c.metric == metric), None)
        parent = next(iter(run.parents(stages[0])), None) if stages else None
        if not stages or column is None or parent is None:
            continue
        first = parent.record(column.task, metric)
        second = stages[-1].record(column.task, metric)
        if first is None or second is None:
            continue
        change, _ = difference(first, second)
        better = change.value > 0 if column.higher_is_better else change.value < 0
        if not better:
            found.append(f"The stage {stages[-1].name} did not improve its own held-out measure.")
        elif _crosses_zero(change):
            found.append(
                f"The gain of {stages[-1].name} on {column.label} is not separated from zero: "
                f"the interval is {change.ci_low:+.3f} to {change.ci_high:+.3f}."
            )
    return found


def _crosses_zero(change: Estimate) -> bool:
    low, high = change.ci_low, change.ci_high
    return low is not None and high is not None and low <= 0 <= high


def _unlike_notes(run: Run) -> list[str]:
    found: list[str] = []
    for column in columns(run):
        names = [stage.name for stage in run.stages]
        records = [stage.record(column.task, column.metric) for stage in run.stages]
        found += [f"Not comparable: {text}." for text in unlike(names, records)]
    return list(dict.fromkeys(found))


def finite(values: Sequence[float | None]) -> list[float]:
    """Return the values that are numbers."""
    return [value for value in values if value is not None and math.isfinite(value)]
