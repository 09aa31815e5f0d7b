"""Loss over tokens through every stage: the jump at the seam, the recovery, and what follows.

Each stage has a loss of its own (text, answers, preference), so each gets a panel with its own
scale; the tokens count on from panel to panel.
"""

from dataclasses import dataclass
from typing import Any

from solarmini.evaluate.compare import difference
from solarmini.evaluate.records import Record
from solarmini.evaluate.report import svg
from solarmini.evaluate.report.facts import columns, finite, text_task
from solarmini.evaluate.report.run import TRAINED, Run, Stage

Point = tuple[float, float]
LN2 = 0.6931471805599453


@dataclass(frozen=True)
class Series:
    """One line: `kind` is its look (train, heldout, control, control-train)."""

    kind: str
    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Dot:
    """One evaluated checkpoint; `low` to `high` is the 95 % interval of its change.

    The change is that against the checkpoint the panel starts from, item by item: all stand on
    the same text, so the interval of a single value would say little about the curve.
    """

    kind: str
    x: float
    label: str
    record: Record
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Panel:
    """One stage, or the surgery together with the pretraining that heals it."""

    title: str
    y_label: str
    start: float
    end: float
    series: tuple[Series, ...]
    dots: tuple[Dot, ...] = ()
    levels: tuple[tuple[float, str, str], ...] = ()
    jump: tuple[float, float] | None = None
    off_scale: str = ""
    parts: tuple[tuple[float, str], ...] = ()

    @property
    def span(self) -> float:
        """Tokens of the panel."""
        return max(1.0, self.end - self.start)


def panels(run: Run) -> list[Panel]:
    """Return a panel for the healing, then one for each later training stage of the main line."""
    made: list[Panel] = []
    done = 0.0
    first = run.first("pretrain")
    if first is not None and (first.log or _loss(run, first)):
        made.append(_healing(run, first))
        done += first.tokens
    for stage in run.main:
        if stage is first or stage.kind not in TRAINED or not stage.log:
            continue
        made.append(_teaching(run, stage, done))
        done += stage.tokens
    return made


def _loss(run: Run, stage: Stage | None) -> Record | None:
    task = text_task(run)
    return stage.record(task, "token_loss") if stage and task else None


def _points(stage: Stage, name: str, offset: float = 0.0) -> tuple[Point, ...]:
    rows = [(row.get("tokens"), row.get(name)) for row in stage.log]
    return tuple(
        (float(tokens) + offset, float(value))
        for tokens, value in rows
        if tokens is not None and value is not None and finite([float(value)])
    )


def _averaged(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Return running means, so that the swing of single batches does not hide the course."""
    reach = len(points) // 12 + 1 if len(points) >= 8 else 0
    found = []
    for place, (x, _) in enumerate(points):
        near = [y for _, y in points[max(0, place - reach) : place + reach + 1]]
        found.append((x, sum(near) / len(near)))
    return tuple(found)


def _dot(kind: str, x: float, stage: Stage, record: Record, start: Record | None) -> Dot:
    if start is None or start is record:
        return Dot(kind, x, stage.name, record)
    change, _ = difference(start, record)
    if change.ci_low is None or change.ci_high is None:
        return Dot(kind, x, stage.name, record)
    return Dot(
        kind, x, stage.name, record, start.value + change.ci_low, start.value + change.ci_high
    )


def _healing(run: Run, stage: Stage) -> Panel:
    grown, base = run.first("upscale"), run.base
    control = next((s for s in run.stages if s.role == "control"), None)
    naive = next((s for s in run.stages if s.role == "naive"), None)
    before, after, lost = _loss(run, base), _loss(run, grown), _loss(run, naive)
    series = [
        Series("train", "training batches, running mean", _averaged(_points(stage, "loss"))),
        Series("heldout", "held out, while training", _points(stage, "eval_loss")),
    ]
    if control is not None:
        series.append(Series("control", "base trained on, held out", _points(control, "eval_loss")))
    dots = []
    end = float(stage.tokens)
    for kind, where, x in (
        ("base", base, 0.0), ("main", grown, 0.0), ("main", stage, end),
        ("control", control, float(control.tokens) if control else 0.0),
    ):  # fmt: skip
        record = _loss(run, where)
        if record is not None and where is not None:
            dots.append(_dot(kind, x, where, record, before))
    levels = [(before.value, "untouched base", "base")] if before else []
    off = ""
    if naive is not None and lost is not None:
        text = f"naive duplication, {naive.layers or '?'} layers: {lost.value:.2f}"
        if after is not None and before is not None:
            near = lost.value < after.value + 0.5 * abs(after.value - before.value)
            levels += [(lost.value, text, "naive")] if near else []
            off = "" if near else f"{text}, off the scale"
    return Panel(
        title=f"{grown.name if grown else 'surgery'}, then {stage.name}",
        y_label="loss on text, nats a token",
        start=0.0,
        end=max(end, float(control.tokens) if control else 0.0),
        series=tuple(s for s in series if s.points),
        dots=tuple(dots),
        levels=tuple(levels),
        jump=(before.value, after.value) if before and after else None,
        off_scale=off,
    )


def _teaching(run: Run, stage: Stage, done: float) -> Panel:
    labels = {
        "instruct": ("loss on answers, nats a token", "chat_loss"),
        "align": ("preference loss", ""),
        "pretrain": ("loss on text, nats a token", "token_loss"),
    }
    y_label, metric = labels.get(stage.kind, ("loss", ""))
    dots = []
    task = next((c.task for c in columns(run) if c.metric == metric), None)
    if metric == "token_loss":
        task = text_task(run)
    if task is not None and metric:
        for where, x in (
            (next(iter(run.parents(stage)), None), done),
            (stage, done + stage.tokens),
        ):
            record = where.record(task, metric) if where else None
            if where is not None and record is not None:
                dots.append(Dot("main", x, where.name, record))
    series = (
        Series("train", "training batches, running mean", _averaged(_points(stage, "loss", done))),
        Series("heldout", "held out, while training", _points(stage, "eval_loss", done)),
    )
    return Panel(
        title=stage.name,
        y_label=y_label,
        start=done,
        end=done + stage.tokens,
        series=tuple(s for s in series if s.points),
        dots=tuple(dots),
        levels=((LN2, "ln 2: no preference yet", "base"),) if stage.kind == "align" else (),
        parts=_phases(stage, done),
    )


def _phases(stage: Stage, done: float) -> tuple[tuple[float, str], ...]:
    """Return where each part of a stage of several parts (the steps of sDPO) begins."""
    found: list[tuple[float, str]] = []
    last = 0.0
    for row in stage.log:
        name = str(row.get("phase", ""))
        if row.get("step") and (not found or found[-1][1] != name):
            found.append((done + last, name))
        last = float(row.get("tokens") or 0)
    return tuple(found) if len(found) > 1 else ()


def draw_panel(panel: Panel, width: float, height: float) -> str:
    """Draw one panel with its axes."""
    left, right, top, bottom = 50.0, 14.0, 40.0, 46.0
    gutter = 46.0 if panel.jump else 0.0
    values = _values(panel)
    low, high = min(values), max(values)
    pad = (high - low) * 0.08 or 0.05
    y = svg.Scale(low - pad, high + pad, height - bottom, top)
    x = svg.Scale(panel.start, panel.end, left + gutter, width - right - 18)
    parts = [
        svg.element(
            "rect", x=left, y=top, width=width - right - left, height=height - bottom - top,
            class_="band", rx=6,
        ),
        svg.text(left, 15, panel.title, class_="panel-title"),
        svg.text(left, 31, panel.y_label, class_="axis-title"),
    ]  # fmt: skip
    parts += _axes(panel, x, y, left, width - right, height - bottom)
    parts += _level_lines(panel, y, left, width - right)
    for start, name in panel.parts:
        parts.append(svg.line(x(start), top, x(start), height - bottom, class_="grid"))
        parts.append(svg.text(x(start) + 5, height - bottom - 7, name, class_="level-label"))
    curves = [_curve(series, x, y) for series in panel.series]
    # A nested drawing cuts off what leaves the panel.
    parts.append(
        svg.element(
            "svg", *curves, x=left, y=top, width=width - right - left, height=height - bottom - top,
            viewBox=" ".join(
                svg.num(v) for v in (left, top, width - right - left, height - bottom - top)
            ),
        )
    )  # fmt: skip
    parts += _level_labels(panel, y, left)
    if panel.jump:
        parts += _jump(panel.jump, y, left + gutter / 2, left + gutter)
    for dot in panel.dots:
        parts.append(_mark(dot, x, y, left + gutter / 2 if dot.kind == "base" else None))
    if panel.off_scale:
        text = svg.clip("↑ " + panel.off_scale, width - right - left - 16, 11.5)
        parts.append(svg.text(width - right - 8, top + 16, text, text_anchor="end", class_="off"))
    return svg.figure(width, height, f"{panel.title}: {panel.y_label} over tokens", *parts)


def _curve(series: Series, x: svg.Scale, y: svg.Scale) -> str:
    points = [(x(a), y(b)) for a, b in series.points]
    if len(points) == 1:
        points.append((points[0][0] + 0.5, points[0][1]))
    hover = svg.title(f"{series.label}: {series.points[0][1]:.3f} to {series.points[-1][1]:.3f}")
    return svg.element("g", hover, svg.polyline(points, class_=f"curve {series.kind}"))


def _values(panel: Panel) -> list[float]:
    held = [v for s in panel.series for _, v in s.points if s.kind != "train"]
    train = [v for s in panel.series for _, v in s.points if s.kind == "train"]
    values = held + [dot.record.value for dot in panel.dots] + [level[0] for level in panel.levels]
    for dot in panel.dots:
        values += finite([dot.low, dot.high])
    # Single batches swing widely: they may not squeeze the held-out curve flat.
    if not values:
        return train or [0.0, 1.0]
    span = (max(values) - min(values)) or 0.1
    if train and max(train) < max(values) + 2 * span and min(train) > min(values) - 2 * span:
        return values + train
    room = span
    return values + [min(max(v, min(values) - room), max(values) + room) for v in train]


def _axes(
    panel: Panel, x: svg.Scale, y: svg.Scale, left: float, right: float, base: float
) -> list[str]:
    parts = []
    for value in svg.ticks(y.low, y.high, 5):
        at = y(value)
        parts.append(svg.line(left, at, right, at, class_="grid"))
        digits = 1 if y.high - y.low > 1.5 else 2
        parts.append(
            svg.text(left - 8, at + 4, f"{value:.{digits}f}", text_anchor="end", class_="tick")
        )
    marks = svg.ticks(panel.start, panel.end, max(3, int((right - left) / 80)))
    for value in marks:
        at = x(value)
        parts.append(svg.line(at, base, at, base + 4, class_="axis"))
        parts.append(
            svg.text(at, base + 18, tokens_text(value), text_anchor="middle", class_="tick")
        )
    parts.append(svg.line(left, base, right, base, class_="axis"))
    parts.append(
        svg.text((left + right) / 2, base + 37, "training tokens", text_anchor="middle",
                 class_="axis-title")
    )  # fmt: skip
    return parts


def tokens_text(value: float) -> str:
    """Write a number of tokens short: 9.2K, 3M."""
    for limit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= limit:
            return f"{value / limit:.3g}{letter}"
    return f"{value:.0f}"


def _level_lines(panel: Panel, y: svg.Scale, left: float, right: float) -> list[str]:
    return [
        svg.line(left, y(value), right, y(value), class_=f"level {kind}")
        for value, _, kind in panel.levels
    ]


def _level_labels(panel: Panel, y: svg.Scale, left: float) -> list[str]:
    return [
        svg.text(left + 56, y(value) - 6, label, class_=f"level-label {kind}")
        for value, label, kind in panel.levels
    ]


def _jump(jump: tuple[float, float], y: svg.Scale, x: float, to: float) -> list[str]:
    low, high = y(jump[0]), y(jump[1])
    arrow = f"M{svg.num(x)} {svg.num(low - 7)} V{svg.num(high)} H{svg.num(to - 6)}"
    return [
        svg.element(
            "g",
            svg.title(f"surgery: {jump[0]:.3f} to {jump[1]:.3f} nats a token"),
            svg.element("path", d=arrow, class_="jump", fill="none"),
            svg.text(
                x - 6, (low + high) / 2, f"{jump[1] - jump[0]:+.2f}", class_="jump-label",
                text_anchor="middle",
                transform=f"rotate(-90 {svg.num(x - 6)} {svg.num((low + high) / 2)})",
            ),
        )
    ]  # fmt: skip


def _mark(dot: Dot, x: svg.Scale, y: svg.Scale, at: float | None) -> str:
    # The control ends at the same token: beside, not upon, the grown model.
    place = x(dot.x) + (10 if dot.kind == "control" else 0) if at is None else at
    record = dot.record
    hover = f"{dot.label}: {record.value:.3f}, n = {record.n} {record.unit}"
    parts = []
    if dot.low is not None and dot.high is not None:
        hover += f"; 95 % of the change: {dot.low:.3f} to {dot.high:.3f}"
        parts.append(svg.line(place, y(dot.low), place, y(dot.high), class_="whisker"))
    shape: dict[str, Any] = {"cx": place, "cy": y(record.value), "r": 4.5}
    parts.append(svg.element("circle", **shape))
    return svg.element("g", svg.title(hover), *parts, class_=f"dot {dot.kind}")


def legend(run: Run) -> list[tuple[str, str]]:
    """Return (look, label) of every kind of mark that the panels use."""
    found: dict[str, str] = {}
    for panel in panels(run):
        for series in panel.series:
            found.setdefault(f"line {series.kind}", series.label)
        for dot in panel.dots:
            names = {
                "base": "the untouched base, evaluated",
                "main": "evaluated; bar: 95 % of the change",
                "control": "base trained on, evaluated",
            }
            found.setdefault(f"dot {dot.kind}", names[dot.kind])
    return list(found.items())
