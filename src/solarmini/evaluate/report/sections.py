"""The sections made of tables and text: scores, answers, notes, data, sources, reproduction."""

import re
from html import escape

from solarmini.artifact import DataRecord
from solarmini.evaluate.report import facts
from solarmini.evaluate.report.facts import Column
from solarmini.evaluate.report.run import LOG_NAME, Run, Stage
from solarmini.evaluate.samples import prompts_in

_TYPES = {
    "pull": "Pretrained",
    "base": "Pretrained",
    "upscale": "Grown",
    "pretrain": "Pretrained",
    "instruct": "Instruction-tuned",
    "align": "Alignment-tuned",
    "merge": "Merged",
}


def section(name: str, title: str, about: str, body: str, *, long: bool = False) -> str:
    """Return one section; `body` is markup, the rest is text."""
    text = f'<p class="about">{escape(about)}</p>' if about else ""
    kind = ' class="long"' if long else ""
    return f'<section id="{name}"{kind}><h2>{escape(title)}</h2>{text}{body}</section>'


def duration(seconds: float) -> str:
    """Write a duration for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def scores(run: Run) -> str:
    """Return the table of all stages and tasks, in the shape of the SOLAR paper's Table 2."""
    columns = facts.columns(run)
    if not columns:
        return ""
    heads = "".join(_head(column) for column in columns)
    best = {(c.task, c.metric): facts.best(run, c) for c in columns}
    rows = "".join(_row(run, stage, columns, best) for stage in run.stages)
    body = (
        '<div class="card scroll"><table class="scores">'
        f'<thead><tr><th scope="col">Model</th><th scope="col">Size</th><th scope="col" '
        f'class="words">Type</th><th scope="col">Tokens</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    about = (
        "One line a stage, in the order they were made; the best of each column is marked. Below "
        "each value: half of its 95 % interval. Hover for the interval, n, the difference to the "
        "base item by item, and the source."
    )
    return section("scores", "Scores of every stage", about, body)


def _head(column: Column) -> str:
    arrow = "↑" if column.higher_is_better else "↓"
    shots = f", {column.shots}-shot" if column.shots else ""
    return (
        f'<th scope="col">{escape(column.label)} {arrow}'
        f"<small>{escape(column.unit + shots)}</small></th>"
    )


def _row(
    run: Run, stage: Stage, columns: list[Column], best: dict[tuple[str, str], float | None]
) -> str:
    size = facts.size(stage.parameters) if stage.parameters else "?"
    layers = f"<small>{stage.layers} layers</small>" if stage.layers else ""
    tokens = f"{stage.tokens:,}" if stage.tokens else "–"
    cells = "".join(_cell(run, stage, c, best[c.task, c.metric]) for c in columns)
    plain = stage.role in ("main", stage.name)
    role = "" if plain else f"<small>{escape(stage.role)}</small>"
    parents = ", ".join(parent.name for parent in run.parents(stage))
    return (
        f'<tr class="{escape(stage.role)}"><th scope="row" title="{escape(f"from {parents}")}">'
        f"{escape(stage.name)}{role}</th><td>{size}{layers}</td>"
        f'<td class="words">{escape(_TYPES.get(stage.kind, stage.kind))}</td>'
        f"<td>{tokens}</td>{cells}</tr>"
    )


def _cell(run: Run, stage: Stage, column: Column, best: float | None) -> str:
    record = stage.record(column.task, column.metric)
    if record is None:
        return '<td class="none">–</td>'
    half = ""
    if record.ci_low is not None and record.ci_high is not None:
        half = f"<small>±{facts.shown(record, (record.ci_high - record.ci_low) / 2)}</small>"
    hover = f"95 %: {facts.interval(record)}; n = {record.n:,} {record.unit}"
    hover += f"{facts.against_base(run, record)}; {facts.source(stage, record)}"
    kind = ' class="best"' if best is not None and record.value == best else ""
    return f'<td{kind} title="{escape(hover)}">{facts.shown(record)}{half}</td>'


def samples(run: Run) -> str:
    """Return the answers of all sampled stages, side by side, prompt by prompt."""
    sampled = [stage for stage in run.stages if stage.samples is not None]
    sets = [stage.samples for stage in sampled if stage.samples is not None]
    if not sets:
        return ""
    blocks = []
    for prompt in prompts_in(sets):
        answers = []
        for stage in sampled:
            found = (
                [s for s in stage.samples.samples if s.prompt == prompt] if stage.samples else []
            )
            if found:
                last = " last" if stage is sampled[-1] else ""
                answers.append(
                    f'<div class="answer{last}"><h4>{escape(stage.name)}</h4>'
                    f"{_answer(found[0].answer, found[0].cut_off)}</div>"
                )
        blocks.append(
            f'<div class="prompt"><h3><span{_lang(prompt)}>{escape(prompt)}</span></h3>'
            f'<div class="answers">{"".join(answers)}</div></div>'
        )
    first = sets[0]
    how = "greedily" if first.temperature == 0 else f"at temperature {first.temperature:g}"
    templates = {one.template for one in sets}
    about = (
        f"The same prompts to every sampled model, answered {how}, at most {first.max_tokens} "
        f"tokens, chat template {', '.join(sorted(templates))}. Not chosen: these are all of them."
    )
    body = f'<div class="card">{"".join(blocks)}</div>'
    return section("answers", "Answers, before and after", about, body, long=True)


def _answer(text: str, cut_off: bool) -> str:
    if not text.strip():
        return '<p class="empty">(no answer)</p>'
    more = '<span class="cut" title="cut off at the last token"> …</span>' if cut_off else ""
    return f"<p{_lang(text)}>{escape(text)}{more}</p>"


def _lang(text: str) -> str:
    return ' lang="ko"' if re.search("[가-힣]", text) else ""


def honest_notes(run: Run) -> str:
    """Return what limits the claims."""
    found = facts.notes(run)
    if not found:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in found)
    return section("notes", "What this does not show", "", f'<ul class="notes">{items}</ul>')


def data(run: Run) -> str:
    """Return every data source with size, hash and licence, and the models' licences."""
    found: dict[tuple[str, str], tuple[DataRecord, list[str]]] = {}
    for stage in run.stages:
        for record in stage.manifest.data if stage.manifest else ():
            used = found.setdefault((record.name, record.sha256), (record, []))[1]
            used.append(stage.name)
    rows = "".join(_data_row(record, used) for record, used in found.values())
    table = ""
    if rows:
        table = (
            '<div class="card scroll"><table class="wrap"><thead><tr><th scope="col">Data</th>'
            '<th scope="col">Rows</th><th scope="col">Size</th><th scope="col" class="words">'
            'Licence</th><th scope="col" class="words">Used by</th><th scope="col" class="words">'
            f"sha256</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )
    last = next((stage for stage in reversed(run.main) if stage.manifest), None)
    base = run.base
    licences = []
    if base is not None and base.manifest is not None:
        licences.append(f"The base model is under {base.manifest.licence or 'an unknown licence'}.")
    if last is not None and last.manifest is not None:
        licences.append(
            f"The last model, {last.name}, carries "
            f"{last.manifest.licence or 'an unknown licence'}: the strictest of its parents'."
        )
    unknown = [record.name for record, _ in found.values() if not record.licence]
    if unknown:
        licences.append(f"Licence not stated for: {', '.join(dict.fromkeys(unknown))}.")
    if not table and not licences:
        return ""
    return section("data", "Data and licences", " ".join(licences), table)


def _data_row(record: DataRecord, used: list[str]) -> str:
    licence = escape(record.licence) if record.licence else '<span class="warn">not stated</span>'
    note = f"<small>{escape(record.note)}</small>" if record.note else ""
    size = f"{record.bytes / 1e6:.2f} MB" if record.bytes >= 1e5 else f"{record.bytes / 1e3:.1f} kB"
    return (
        f'<tr><th scope="row">{escape(record.name)}{note}</th><td>{record.rows:,}</td><td>{size}'
        f'</td><td class="words">{licence}</td><td class="words">{escape(", ".join(used))}</td>'
        f'<td class="words"><span class="hash">{escape(record.sha256[:16])}</span></td></tr>'
    )


def curve_sources(run: Run) -> str:
    """Name the files that the curves were drawn from."""
    logs = [f"{stage.build.path}/{LOG_NAME}" for stage in run.stages if stage.log]
    records = [stage.build.records for stage in run.stages if stage.build.records]
    return "Sources: " + "; ".join([*logs, *dict.fromkeys(r for r in records if r)]) + "."


def sources(run: Run) -> str:
    """Return the file, data and template behind every number of the table."""
    rows = []
    for stage in run.stages:
        for column in facts.columns(run):
            record = stage.record(column.task, column.metric)
            if record is None:
                continue
            template = record.template_sha256[:12] if record.template_sha256 else "–"
            rows.append(
                f'<tr><th scope="row">{escape(stage.name)}</th><td class="words">'
                f"{escape(f'{record.task} / {record.metric}')}</td>"
                f"<td>{escape(facts.shown(record))}</td><td>{record.n:,} {escape(record.unit)}</td>"
                f'<td class="words">{escape(stage.build.records or "")}</td>'
                f'<td class="words hash">{escape(record.data_sha256[:12])}</td>'
                f'<td class="words hash">{escape(template)}</td>'
                f'<td class="words hash">{escape((record.fingerprint or "–")[:12])}</td></tr>'
            )
    if not rows:
        return ""
    table = (
        '<div class="card scroll"><table><thead><tr><th scope="col">Model</th>'
        '<th scope="col" class="words">Measure</th><th scope="col">Value</th><th scope="col">n</th>'
        '<th scope="col" class="words">Record file</th><th scope="col" class="words">Data</th>'
        '<th scope="col" class="words">Template</th><th scope="col" class="words">Weights</th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
    body = f"<details><summary>{len(rows)} numbers and their sources</summary>{table}</details>"
    about = (
        "Hashes are the first digits of sha256: of the rows measured, the template, the weights."
    )
    return section("sources", "Where each number comes from", about, body, long=True)


def reproduce(run: Run) -> str:
    """Return the command that makes the run again and what it was made with."""
    records = [r for s in run.stages if s.records for r in s.records.records]
    facts_: list[tuple[str, str]] = []
    if records:
        facts_.append(("measured on", records[0].machine))
        versions = ", ".join(f"{name} {v}" for name, v in sorted(records[0].versions.items()))
        facts_.append(("with", versions))
    stages = [s for s in run.stages if s.build.seconds]
    if stages:
        parts = (f"{s.name} {duration(s.build.seconds or 0)}" for s in stages)
        facts_.append(("time", ", ".join(parts)))
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts_)
    recipe = escape(run.build.recipe)
    return section(
        "reproduce",
        "Make it again",
        "The same recipe on the same machine gives the same weights, bit for bit; fingerprints "
        "are in each model's solar.json.",
        f"<pre>solar build {recipe}\nsolar report runs/{recipe}</pre><dl>{listed}</dl>",
    )
