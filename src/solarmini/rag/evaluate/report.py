"""The evaluation as one HTML page: figures, plots, every question; it needs no other file."""

from collections.abc import Mapping, Sequence
from html import escape

from solarmini.evaluate.report import svg
from solarmini.evaluate.report.style import STYLE
from solarmini.rag.evaluate.measures import Measured

# measure -> (title, what it says); in the order shown
_SHOWN = {
    "recall1": ("Recall@1", "the best passage is on a page that answers"),
    "recall5": ("Recall@5", "one of the first five is"),
    "ndcg": ("nDCG@10", "how high the first such passage stands"),
    "contains": ("Contains", "a right answer stands in what was said"),
    "f1": ("F1", "terms in common with the nearest right answer"),
    "precision": ("Citation precision", "cited pages that answer"),
    "recall": ("Citation recall", "questions for which a page that answers is cited"),
    "answered": ("Answered", "questions with an answer that were answered"),
    "declined": ("Declined", "questions without one that were declined"),
    "grounded": ("Grounded", "statements that the check accepts"),
}
_WIDTH = 760.0


def render(title: str, about: str, figures: Mapping[str, float], rows: Sequence[Measured]) -> str:
    """Return the page."""
    times = "".join(
        f"<tr><th scope=row>{name}</th>"
        f"<td>{figures[f'{key}_ms_p50']:,.0f} ms</td>"
        f"<td>{figures[f'{key}_ms_p95']:,.0f} ms</td></tr>"
        for name, key in (("Elapsed", "wall"), ("CPU", "cpu"))
    )
    parts = [
        f"<h2>Figures</h2><div class=card>{_bars(figures)}</div>",
        f"<h2>Confidence</h2><p class=about>Each mark is a question; it is answered from the line "
        f"on.</p><div class=card>{_confidence(rows)}</div>",
        "<h2>Time of an answer</h2><div class=card><table><tr><th></th><th>median</th><th>95th "
        f"percentile</th></tr>{times}</table></div>",
        f"<h2>Questions</h2><div class='card scroll'>{_table(rows)}</div>",
    ]
    body = "".join(f"<section>{part}</section>" for part in parts)
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}table{{border-collapse:collapse}}"
        "td,th{padding:4px 14px 4px 0;text-align:left;vertical-align:top}</style></head><body>"
        f"<header><h1>{escape(title)}</h1><p class=lead>{escape(about)}</p></header>"
        f"<main>{body}</main></body></html>\n"
    )


def _bars(figures: Mapping[str, float]) -> str:
    shown = [(name, *said) for name, said in _SHOWN.items() if name in figures]
    scale = svg.Scale(0.0, 1.0, 190.0, _WIDTH - 60)
    drawn = []
    for at, (name, title, said) in enumerate(shown):
        y = 14.0 + 34 * at
        value = figures[name]
        drawn += [
            svg.text(0, y + 14, title, font_size=14.0),
            svg.element(
                "rect",
                svg.title(said),
                x=190.0, y=y, width=max(scale(value) - 190.0, 1.0), height=18.0,
                rx=3.0, fill="var(--main)",
            ),
            svg.text(scale(value) + 8, y + 14, f"{value:.3f}", font_size=14.0),
        ]  # fmt: skip
    return svg.figure(_WIDTH, 34.0 * len(shown) + 14, "Measures from 0 to 1", *drawn)


def _confidence(rows: Sequence[Measured]) -> str:
    scale = svg.Scale(0.0, 1.0, 150.0, _WIDTH - 20)
    drawn = []
    for lane, (answerable, label) in enumerate(((True, "has an answer"), (False, "has none"))):
        y = 30.0 + 50 * lane
        drawn.append(svg.text(0, y + 5, label, font_size=14.0))
        drawn.append(svg.line(150, y, _WIDTH - 20, y, stroke="var(--line)"))
        for row in (row for row in rows if row.answerable is answerable):
            colour = "var(--main)" if row.abstained is not answerable else "var(--control)"
            drawn.append(
                svg.element(
                    "circle",
                    svg.title(row.question),
                    cx=scale(row.confidence), cy=y, r=5.0, fill=colour, fill_opacity=0.55,
                )
            )  # fmt: skip
    for tick in (0.0, 0.5, 1.0):
        drawn.append(svg.text(scale(tick) - 8, 118, f"{tick:g}", font_size=13.0))
    return svg.figure(_WIDTH, 124, "Confidence of each question", *drawn)


def _table(rows: Sequence[Measured]) -> str:
    lines = [
        "<tr><th>Question</th><th>Said</th><th>Cited</th><th>Right answer</th><th>Right page</th>"
        "</tr>"
    ]
    for row in rows:
        answer = _tick(row.contains if row.answerable else row.abstained_right)
        page = _tick(row.recall)
        lines.append(
            f"<tr><td>{escape(row.question)}</td><td>{escape(row.said[:400])}</td>"
            f"<td>{escape(', '.join(row.cited))}</td><td>{answer}</td><td>{page}</td></tr>"
        )
    return f"<table>{''.join(lines)}</table>"


def _tick(value: float | None) -> str:
    return "–" if value is None else "yes" if value else "no"
