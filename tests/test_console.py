"""Sizes in units that suit them."""

import pytest

from solarmini.console import size_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (534_528, "534.53 kB"),
        (269_060_552, "269.06 MB"),
        (21_463_048_192, "21.46 GB"),
    ],
)
def test_size(count: int, text: str) -> None:
    assert size_text(count) == text
