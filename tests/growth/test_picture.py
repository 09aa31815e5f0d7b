"""The layer map is legible in plain text at 100 columns and tells the truth."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from solarmini.growth.methods import build_plan
from solarmini.growth.picture import layer_map
from solarmini.growth.plan import LayerPlan, Slot, parse_ranges


def plain(plan: LayerPlan, width: int = 100) -> list[str]:
    console = Console(width=width, no_color=True, force_terminal=False)
    with console.capture() as capture:
        console.print(layer_map(plan, width))
    return capture.get().rstrip().splitlines()


def read_back(lines: list[str]) -> dict[int, int]:
    """Read {new layer: base layer} from the picture as a reader would, column by column."""
    found: dict[int, int] = {}
    columns: dict[int, int] = {}
    for line in lines:
        cells = {m.end(): int(m[0]) for m in re.finditer(r"\d+", line[4:])}
        if line.startswith("old "):
            columns = cells
        elif line[:4].rstrip().endswith(("st", "nd", "rd", "th", ".")):
            found.update({new: columns[end] for end, new in cells.items()})
    return found


@pytest.mark.parametrize("n", [30, 32])
def test_solar_at_100_columns(n: int) -> None:
    plan = build_plan(n)
    lines = plain(plan)
    assert max(map(len, lines)) <= 100
    assert [line[:4] for line in lines[1:4]] == ["old ", "1st ", "2nd "]
    assert read_back(lines) == dict(enumerate(plan.sources))
    kept = n - 8
    assert f"{kept - 1}>" in lines[2]
    assert (
        f"> seam: layer {kept - 1} (base {kept - 1}) feeds layer {kept} (base 8), "
        f"{kept - 9} layers back in the base" in lines
    )
    assert lines[4].count("━━") == n - 16


def test_marks_without_colour() -> None:
    identity = plain(build_plan(30, "identity"))
    assert "22=23=24=" in identity[3]
    assert any("adds nothing at the start" in line for line in identity)
    attenuated = plain(build_plan(30).attenuated(0.5))
    assert " 8~ 9~10~" in attenuated[2]
    assert any("left out: 4" in line for line in plain(parse_ranges("0-3,5", 6)))


@given(st.lists(st.integers(0, 19), min_size=1, max_size=45), st.sampled_from([40, 100]))
def test_any_plan_can_be_read_back(sources: list[int], width: int) -> None:
    plan = LayerPlan(20, tuple(Slot(source) for source in sources))
    lines = plain(plan, width)
    drawn = [line for line in lines[1:] if re.match(r"\S{2,3} ", line)]
    assert max(map(len, drawn)) <= width
    assert read_back(lines) == dict(enumerate(sources))


def test_large_models_wrap() -> None:
    plan = build_plan(80)
    lines = plain(plan)
    assert sum(line.startswith("old") for line in lines) == 4
    assert read_back(lines) == dict(enumerate(plan.sources))
