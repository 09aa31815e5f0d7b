"""The words and numbers of a DrawingML chart (ECMA-376 part 1, 21.2): what a reader would see."""

from typing import Any

from solarmini.layout.document import Span
from solarmini.layout.office.xml import parse_xml

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def chart_spans(xml: bytes) -> tuple[Span, ...]:
    """Return the chart's title, and one line a series: its name and "category: value" pairs."""
    root = parse_xml(xml)
    lines = []
    title = root.find(f".//{_C}chart/{_C}title")
    if title is not None:
        lines.append("".join(part.text or "" for part in title.iter(f"{_A}t")))
    for series in root.iter(f"{_C}ser"):
        name = " ".join(_values(series.find(f"{_C}tx")))
        names = _values(series.find(f"{_C}cat")) or _values(series.find(f"{_C}xVal"))
        values = _values(series.find(f"{_C}val")) or _values(series.find(f"{_C}yVal"))
        pairs = [f"{n}: {v}" for n, v in zip(names, values, strict=False)] if names else values
        lines.append(f"{name}: {', '.join(pairs)}" if name else ", ".join(pairs))
    text = "\n".join(line for line in lines if line.strip())
    return (Span(text=text),) if text else ()


def _values(node: Any) -> list[str]:
    """Return the cached points of a reference, in their order."""
    if node is None:
        return []
    points = [
        (int(point.get("idx", "0")), point.findtext(f"{_C}v") or "")
        for point in node.iter(f"{_C}pt")
    ]
    if points:
        return [_short(text) for _, text in sorted(points)]
    plain = node.findtext(f"{_C}v")
    return [plain] if plain else []


def _short(text: str) -> str:
    """Return 0.30000000000000004 as 0.3, other text as it is."""
    try:
        return f"{float(text):.10g}"
    except ValueError:
        return text
