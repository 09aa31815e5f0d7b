"""The layer map: which layer of the base every layer of the grown model is, and the seam."""

from typing import Any

from solarmini.evaluate.report import svg
from solarmini.evaluate.report.run import Run


def layer_plan(run: Run) -> tuple[int, list[dict[str, Any]]] | None:
    """Return the base's layer count and the plan, when the run grew a model."""
    grown = run.first("upscale")
    if grown is None or grown.manifest is None or not grown.manifest.growth:
        return None
    growth: Any = grown.manifest.growth
    rows = growth.get("plan") if isinstance(growth, dict) else growth
    if not isinstance(rows, list) or not rows:
        return None
    base = growth.get("base_layers") if isinstance(growth, dict) else None
    count = base or max(int(row["source"]) for row in rows) + 1
    return int(count), [dict(row) for row in rows]


def seams(sources: list[int]) -> list[int]:
    """Return the places where a layer does not follow the one its base neighbour follows."""
    return [start for start, _ in svg.runs(sources)[1:]]


def draw(run: Run, width: float, *, narrow: bool = False) -> str:
    """Draw base layers above, new layers below, and ribbons from the ones to the others."""
    found = layer_plan(run)
    if found is None:
        return ""
    count, rows = found
    sources = [int(row["source"]) for row in rows]
    longest = max(count, len(sources))
    cell = width / longest
    top, band, drop = 22.0, 30.0, 84.0 if narrow else 104.0
    left = (width - count * cell) / 2
    right = (width - len(sources) * cell) / 2
    parts = [svg.text(left, 14, f"base, {count} layers", class_="axis-title")]
    parts += [
        _ribbon(run_, sources, left, right, cell, top + band, drop) for run_ in svg.runs(sources)
    ]
    for index in range(count):
        parts.append(
            _cell(left + index * cell, top, cell, band, index, count, f"base layer {index}")
        )
    lower = top + band + drop
    for place, row in enumerate(rows):
        kind = str(row.get("transform", "copy"))
        note = f"layer {place} ← base layer {row['source']}" + (
            "" if kind == "copy" else f" ({kind})"
        )
        x = right + place * cell
        parts.append(_cell(x, lower, cell, band, int(row["source"]), count, note, kind != "copy"))
    parts += _seam_marks(sources, right, cell, lower, band)
    parts.append(
        svg.text(right, lower + band + 18, f"grown, {len(sources)} layers", class_="axis-title")
    )
    label = f"{count} base layers become {len(sources)}; {len(seams(sources))} seam(s)"
    name = "narrow" if narrow else "wide"
    return svg.figure(width, lower + band + 42, label, *parts, class_=name)


def _cell(
    x: float,
    y: float,
    width: float,
    height: float,
    source: int,
    count: int,
    note: str,
    changed: bool = False,
) -> str:
    fill, ink = svg.depth_colour(source / max(1, count - 1))
    parts = [
        svg.title(note),
        svg.element(
            "rect", x=x + 0.6, y=y, width=width - 1.2, height=height, rx=min(3.0, width / 4),
            fill=fill, class_="layer changed" if changed else "layer",
        ),
    ]  # fmt: skip
    if width >= 16:
        parts.append(
            svg.text(
                x + width / 2, y + height / 2 + 4, str(source), text_anchor="middle",
                style=f"fill:{ink}", class_="layer-number",
            )
        )  # fmt: skip
    return svg.element("g", *parts)


def _ribbon(
    run: tuple[int, int],
    sources: list[int],
    left: float,
    right: float,
    cell: float,
    y: float,
    drop: float,
) -> str:
    start, length = run
    a = left + sources[start] * cell
    b = right + start * cell
    w = length * cell
    middle, end = svg.num(y + drop / 2), svg.num(y + drop)
    path = (
        f"M{svg.num(a)} {svg.num(y)} C{svg.num(a)} {middle} {svg.num(b)} {middle} "
        f"{svg.num(b)} {end} H{svg.num(b + w)} C{svg.num(b + w)} {middle} {svg.num(a + w)} "
        f"{middle} {svg.num(a + w)} {svg.num(y)} Z"
    )
    last = sources[start] + length - 1
    hover = svg.title(f"base layers {sources[start]} to {last}")
    return svg.element("path", hover, d=path, class_="ribbon")


def _seam_marks(
    sources: list[int], right: float, cell: float, lower: float, band: float
) -> list[str]:
    places = seams(sources)
    parts = []
    for place in places[:40]:
        x = right + place * cell
        parts.append(svg.line(x, lower - 8, x, lower + band + 8, class_="seam"))
    if len(places) == 1:
        place = places[0]
        x = right + place * cell
        text = f"seam: base layer {sources[place - 1]}, then {sources[place]}"
        parts.append(
            svg.text(x, lower + band + 36, text, text_anchor="middle", class_="seam-label")
        )
    return parts
