"""SVG as plain strings: escaped elements, linear scales, pleasant ticks, text that fits."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


def num(value: float) -> str:
    """Write a coordinate to a tenth of a pixel: short, and the same on every machine."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def element(tag: str, *children: str, **attributes: str | float | None) -> str:
    """Return one element; attribute names swap `_` for `-`, a trailing `_` is dropped.

    Children must be markup already; use `text` or `title` for foreign text.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = "".join(children)
    return f"<{tag}{written}>{inner}</{tag}>"


def _value(value: str | float) -> str:
    return escape(value, quote=True) if isinstance(value, str) else num(value)


def text(x: float, y: float, content: str, **attributes: str | float | None) -> str:
    """Return a text element with escaped content."""
    return element("text", escape(content), x=x, y=y, **attributes)


def title(content: str) -> str:
    """Return the hover text of the element it is put into."""
    return element("title", escape(content))


def line(x1: float, y1: float, x2: float, y2: float, **attributes: str | float | None) -> str:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def polyline(points: Iterable[tuple[float, float]], **attributes: str | float | None) -> str:
    """Return an open path through the points."""
    path = " L".join(f"{num(x)} {num(y)}" for x, y in points)
    return element("path", d=f"M{path}", fill="none", **attributes)


def figure(width: float, height: float, label: str, *children: str, class_: str = "") -> str:
    """Return a whole drawing that scales with the page; `label` is read out by screen readers."""
    return element(
        "svg",
        *children,
        viewBox=f"0 0 {num(width)} {num(height)}",
        role="img",
        aria_label=label,
        class_=f"figure {class_}".strip(),
        style=f"max-width:{num(width)}px",
    )


@dataclass(frozen=True)
class Scale:
    """Linear map from data [low, high] to pixels [start, end]."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Return about `count` round numbers (1, 2 or 5 times a power of ten) inside [low, high]."""
    if high <= low:
        return [low]
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(k * power for k in (1, 2, 5, 10) if k * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def text_width(content: str, size: float) -> float:
    """Estimate the width of text in pixels; Hangul and other wide scripts count double."""
    units = sum(1.0 if ord(c) > 0x1100 else 0.62 if c.isupper() else 0.54 for c in content)
    return units * size


def clip(content: str, width: float, size: float) -> str:
    """Shorten text to a width in pixels, with an ellipsis."""
    if text_width(content, size) <= width:
        return content
    kept = content
    while kept and text_width(kept + "…", size) > width:
        kept = kept[:-1]
    return kept.rstrip() + "…"


_DEPTH = (
    (0, 34, 78),
    (58, 74, 108),
    (112, 112, 115),
    (163, 153, 118),
    (214, 192, 96),
    (253, 229, 80),
)


def depth_colour(share: float) -> tuple[str, str]:
    """Return fill and readable ink for a depth from 0 to 1 (dark blue to yellow).

    Lightness alone tells the order, so it reads with any colour vision and in grey print.
    """
    place = min(max(share, 0.0), 1.0) * (len(_DEPTH) - 1)
    index = min(int(place), len(_DEPTH) - 2)
    part = place - index
    rgb = [a + (b - a) * part for a, b in zip(_DEPTH[index], _DEPTH[index + 1], strict=True)]
    light = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]
    return "#" + "".join(f"{round(c):02x}" for c in rgb), "#111" if light > 125 else "#fff"


def runs(values: Sequence[int]) -> list[tuple[int, int]]:
    """Split values into runs of consecutive numbers: (first place, length) of each."""
    found: list[tuple[int, int]] = []
    for place, value in enumerate(values):
        if found and value == values[place - 1] + 1:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((place, 1))
    return found
