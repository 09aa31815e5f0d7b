"""Numbers stated by files: whatever stands there, there is a number in bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solarmini.layout.stated import stated_number


@pytest.mark.parametrize("text", ["②", "²", "--5", "", None, "9" * 5000, "1.5", "x"])
def test_what_is_no_number_is_the_other(text: str | None) -> None:
    assert stated_number(text, 7) == 7


@given(st.integers(-(10**9), 10**9))
def test_numbers_are_kept_within_bounds(number: int) -> None:
    assert stated_number(str(number), least=-3, most=50) == min(max(number, -3), 50)


@given(st.text())
def test_any_text_gives_a_number_in_bounds(text: str) -> None:
    assert 1 <= stated_number(text, 1, least=1, most=1000) <= 1000
