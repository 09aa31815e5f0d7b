"""The page: sections in the order a doubter asks for them. All foreign text goes through escape."""

from html import escape

from solarmini import __version__
from solarmini.evaluate.report import curve, facts, layers, lineage, sections, svg
from solarmini.evaluate.report.run import Run
from solarmini.evaluate.report.style import STYLE

_SUN = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="5" '
    'fill="var(--sun)"/><g stroke="var(--sun)" stroke-width="2" stroke-linecap="round">'
    '<path d="M12 1.5v3M12 19.5v3M1.5 12h3M19.5 12h3M4.6 4.6l2.1 2.1M17.3 17.3l2.1 2.1'
    'M4.6 19.4l2.1-2.1M17.3 6.7l2.1-2.1"/></g></svg>'
)


def render(run: Run) -> str:
    """Return the whole report as one HTML document."""
    parts = [
        _lineage(run),
        _layers(run),
        _curves(run),
        sections.scores(run),
        sections.samples(run),
        sections.honest_notes(run),
        sections.data(run),
        sections.sources(run),
        sections.reproduce(run),
    ]
    title = escape(run.build.name)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title} · solar-mini report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{_header(run)}\n<main>\n" + "\n".join(part for part in parts if part) + "\n</main>\n"
        f"<footer>Made by solar-mini {escape(__version__)} from the files of the run; nothing on "
        "this page is loaded from elsewhere.</footer>\n</body>\n</html>\n"
    )


def _header(run: Run) -> str:
    build = run.build
    when = (build.finished or build.started or "")[:16].replace("T", " ")
    meta = [f"recipe {build.recipe}", f"{when} UTC" if when else "", build.machine or ""]
    seconds = sum(stage.build.seconds or 0 for stage in run.stages)
    if seconds:
        meta.append(f"{sections.duration(seconds)} of work")
    return (
        f'<header><div class="brand">{_SUN}<span>solar-mini report</span></div>'
        f'<h1>{escape(build.name)}</h1><p class="lead">{escape(_lead(run))}</p>'
        f'<p class="meta">{escape(" · ".join(part for part in meta if part))}</p>{_keys(run)}'
        "</header>"
    )


def _lead(run: Run) -> str:
    """Tell the run in two or three sentences, only from what was measured."""
    base, grown, healed = run.base, run.first("upscale"), run.first("pretrain")
    told = []
    if base and grown and base.layers and grown.layers:
        told.append(f"A model of {base.layers} layers was grown to {grown.layers}.")
    task = facts.text_task(run)
    if task and base and grown:
        before, after = base.record(task, "perplexity"), grown.record(task, "perplexity")
        if before and after:
            fold = after.value / before.value
            told.append(f"Surgery raised its perplexity on held-out text {fold:.2f}-fold.")
        closed = facts.gap_closed(run, task)
        if closed is not None and healed is not None:
            told.append(
                f"{healed.tokens:,} tokens of continued pretraining closed {100 * closed:.0f} % of "
                "that gap."
            )
    taught = [lineage.verb(stage) for stage in run.main if stage.kind in ("instruct", "align")]
    if taught:
        told.append(
            f"It was then {' and '.join(dict.fromkeys(taught))}; each step is proved below."
        )
    return " ".join(told) or "Every stage of the run, with its evidence."


def _keys(run: Run) -> str:
    cards = [
        f'<li class="key {escape(figure.tone)}" title="{escape(figure.source)}">'
        f'<span class="label">{escape(figure.label)}</span><b>{escape(figure.value)}</b>'
        f"<small>{escape(figure.detail)}</small></li>"
        for figure in facts.key_figures(run)
    ]
    return f'<ul class="keys">{"".join(cards)}</ul>' if cards else ""


def _lineage(run: Run) -> str:
    return sections.section(
        "lineage",
        "Where it comes from",
        "Every model of the run and what it was made of. Solid: the main line; dashed: the control "
        "and the comparison.",
        f'<div class="card scroll">{lineage.draw_wide(run)}{lineage.draw_narrow(run)}</div>',
    )


def _layers(run: Run) -> str:
    wide = layers.draw(run, 1070)
    if not wide:
        return ""
    grown = run.first("upscale")
    growth = (grown.manifest.growth if grown and grown.manifest else None) or {}
    drop = growth.get("drop")
    how = f"Method: {growth.get('method', 'not stated')}"
    how += f", {drop} layers dropped at the seam from each copy" if drop else ""
    return sections.section(
        "layers",
        "Which layer is which",
        "The base above, the grown model below; the colour of a layer is its depth in the base. "
        "A seam is where a layer meets one that it never followed before. " + f"{how}.",
        f'<div class="card">{wide}{layers.draw(run, 330, narrow=True)}</div>',
    )


def _curves(run: Run) -> str:
    panels = curve.panels(run)
    if not panels:
        return ""
    drawn = []
    for panel, width in zip(panels, _widths(len(panels)), strict=True):
        wide = curve.draw_panel(panel, width, 400)
        narrow = curve.draw_panel(panel, 330, 290)
        drawn.append(
            f'<div style="flex:{width} 1 {width - 10}px"><div class="wide-only">{wide}</div>'
            f'<div class="narrow-only">{narrow}</div></div>'
        )
    marks = "".join(f"<li>{_mark(look)}{escape(label)}</li>" for look, label in curve.legend(run))
    return sections.section(
        "curves",
        "Loss over tokens",
        "Each stage is judged by its own loss, so each panel has its own scale; the tokens count "
        "on. The golden step is what the surgery costs. Lines: each run's own held-out data as it "
        "trained; dots: the evaluated checkpoints.",
        f'<div class="card"><div class="panels">{"".join(drawn)}</div>'
        f'<ul class="legend">{marks}</ul>'
        f'<p class="source">{escape(sections.curve_sources(run))}</p></div>',
    )


def _widths(count: int) -> list[int]:
    """Return the width of each panel, so that rows of the page are filled."""
    if count <= 3:
        return {1: [1070], 2: [620, 420], 3: [440, 290, 280]}[count]
    return [1070, *[330] * (count - 1)]


def _mark(look: str) -> str:
    shape, kind = look.split(" ", 1)
    if shape == "dot":
        inner = svg.element("g", svg.element("circle", cx=14, cy=6, r=4.5), class_=f"dot {kind}")
    else:
        inner = svg.polyline([(1, 6), (27, 6)], class_=f"curve {kind}")
    return svg.element("svg", inner, viewBox="0 0 28 12", aria_hidden="true")
