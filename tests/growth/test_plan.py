"""Plans: the paper's map, every method, every impossible ask, and properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.errors import PlanError
from solarmini.growth.methods import build_plan, default_drop, dus, identity, interpose, llama_pro
from solarmini.growth.plan import LayerPlan, Slot, parse_ranges


def test_solar_map_of_the_paper() -> None:
    plan = dus(32, 8)
    assert plan.sources == tuple(i if i < 24 else i - 16 for i in range(48))
    assert plan.ranges() == "0-23,8-31"
    assert plan.seams() == (24,)
    assert plan.new_layers() == tuple(range(24, 40))
    assert plan.duplicated_layers() == (*range(8, 24), *range(24, 40))


def test_smollm2_map() -> None:
    plan = build_plan(30)
    assert len(plan) == 44
    assert plan.drop == 8
    assert plan.seam_layers() == (20, 21, 22, 23)
    assert plan.seam_layers(width=1) == (21, 22)


@pytest.mark.parametrize(("n", "m"), [(32, 8), (30, 8), (12, 3), (1, 1), (4, 1), (5, 2)])
def test_default_is_the_papers_ratio(n: int, m: int) -> None:
    assert default_drop(n) == m


def test_tiny_solar_and_naive() -> None:
    assert len(dus(12, 4)) == 16
    assert len(dus(32, 0)) == 64
    assert dus(32, 0).sources == build_plan(32, "stack").sources


def test_layers_and_drop_say_the_same() -> None:
    assert build_plan(32, layers=48) == build_plan(32, drop=8)
    assert build_plan(31, layers=32).drop == 15


def test_identity_start() -> None:
    plan = identity(30, 8)
    assert plan.sources == dus(30, 8).sources
    kinds = {i: slot.transform for i, slot in enumerate(plan.slots)}
    assert [i for i, kind in kinds.items() if kind == "identity"] == list(range(22, 36))
    assert [plan.slots[i].source for i in range(22, 36)] == list(range(8, 22))


def test_interpose() -> None:
    plan = interpose(30, 8)
    assert len(plan) == 44
    assert plan.sources[7:12] == (7, 8, 8, 9, 9)
    assert plan.sources[35:38] == (21, 22, 23)
    assert all(slot.transform == "copy" for slot in plan.slots)


def test_llama_pro_groups_are_even() -> None:
    plan = llama_pro(32)
    assert len(plan) == 40  # LLaMA Pro: 32 layers, 8 groups of 4
    assert plan.new_layers() == tuple(range(4, 40, 5))
    assert {plan.slots[i].transform for i in plan.new_layers()} == {"identity"}
    assert [plan.slots[i].source for i in plan.new_layers()] == list(range(3, 32, 4))


def test_stack_many_times() -> None:
    assert build_plan(4, "stack", layers=12).sources == tuple([*range(4)] * 3)


def test_parse_ranges() -> None:
    plan = parse_ranges("0-2, 2,1-3", 4)
    assert plan.sources == (0, 1, 2, 2, 1, 2, 3)
    assert plan.ranges() == "0-2,2,1-3"
    assert parse_ranges("0-23,8-31", 32).sources == dus(32, 8).sources


def test_attenuate_scales_both_copies() -> None:
    plan = dus(8, 2).attenuated(0.5)
    attenuated = [i for i, slot in enumerate(plan.slots) if slot.transform == "attenuate"]
    assert attenuated == [2, 3, 4, 5, 6, 7, 8, 9]
    assert plan.attenuation == 0.5


IMPOSSIBLE = [
    (lambda: build_plan(32, drop=17), "m runs from 0 to 16"),
    (lambda: build_plan(32, drop=-1), "m runs from 0 to 16"),
    (lambda: build_plan(32, layers=47), "even number from 32 (m=16) to 64 (m=0)"),
    (lambda: build_plan(32, layers=66), "even number from 32 (m=16) to 64 (m=0)"),
    (lambda: build_plan(32, layers=30), "even number from 32 (m=16) to 64 (m=0)"),
    (lambda: build_plan(31, layers=30), "even number from 32 (m=15) to 62 (m=0)"),
    (lambda: build_plan(32, "identity", layers=33), "identity cannot make 33 layers of 32"),
    (lambda: build_plan(32, "interpose", drop=20), "m runs from 0 to 16"),
    (lambda: build_plan(32, drop=8, layers=48), "say the same thing twice"),
    (lambda: build_plan(32, "stack", layers=48), "64, 96, … layers"),
    (lambda: build_plan(32, "stack", drop=8), "stack drops no layers"),
    (lambda: build_plan(32, "llama-pro", layers=32), "33-64 layers"),
    (lambda: build_plan(32, "llama-pro", layers=65), "33-64 layers"),
    (lambda: build_plan(32, "llama-pro", drop=2), "llama-pro drops no layers"),
    (lambda: parse_ranges("0-32", 32), "it has 32 layers: 0-31"),
    (lambda: parse_ranges("", 32), "is not a layer or a range"),
    (lambda: parse_ranges("0-3,,5", 32), "is not a layer or a range"),
    (lambda: parse_ranges("5-3", 32), "runs backwards"),
    (lambda: parse_ranges("a-b", 32), "is not a layer or a range"),
    (lambda: LayerPlan(4, ()), "the plan is empty"),
    (lambda: LayerPlan(4, (Slot(4),)), "cannot give layer 4"),
    (lambda: dus(8, 4).attenuated(0.5), "no layer is used twice"),
    (lambda: identity(8, 2).attenuated(0.5), "start as identity"),
    (lambda: dus(8, 2).attenuated(1.5), "not between 0 and 1"),
    (lambda: dus(8, 2).seam_layers(0), "at least 1 layer"),
    (lambda: LayerPlan.from_dict({"plan": []}), "not a growth plan"),
]


@pytest.mark.parametrize(("ask", "message"), IMPOSSIBLE)
def test_impossible_asks_say_what_is_possible(ask, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        ask()
    assert message in str(caught.value)


SIZES = st.integers(1, 100)


@given(SIZES, st.data())
def test_dus_properties(n: int, data) -> None:
    m = data.draw(st.integers(0, n // 2))
    plan = dus(n, m)
    assert len(plan) == 2 * (n - m)
    assert all(0 <= source < n for source in plan.sources)
    # upside down it is the same map: the bottom copy mirrors the top copy
    assert tuple(n - 1 - source for source in reversed(plan.sources)) == plan.sources
    assert plan.sources == tuple(i if i < n - m else i - (n - 2 * m) for i in range(len(plan)))
    if 2 * m == n:
        assert plan.is_base
    else:
        assert plan.seams() == (n - m,)
    assert LayerPlan.from_dict(plan.to_dict()) == plan
    assert parse_ranges(plan.ranges(), n).sources == plan.sources


@given(SIZES, st.sampled_from(["identity", "interpose", "llama-pro", "stack"]))
def test_other_methods_are_in_range_and_use_every_layer(n: int, method) -> None:
    plan = build_plan(n, method)
    assert set(plan.sources) == set(range(n))
    assert len(plan.new_layers()) == len(plan) - n
    assert LayerPlan.from_dict(plan.to_dict()) == plan
    assert set(plan.new_layers()) <= set(plan.duplicated_layers())


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_any_list_of_layers_survives_its_own_text(sources: list[int]) -> None:
    plan = LayerPlan(10, tuple(Slot(source) for source in sources))
    assert parse_ranges(plan.ranges(), 10) == plan
