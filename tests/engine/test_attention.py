"""Which attention and which guessing a file gets."""

import pytest

from solarmini.engine.attention import GUESSING_PAYS, choose_attention
from solarmini.errors import ConfigError


@pytest.mark.parametrize(
    ("weights", "threads", "attention", "speculate", "flash_and_guess"),
    [
        (GUESSING_PAYS - 1, 1, "auto", None, (False, False)),
        (GUESSING_PAYS, 1, "auto", None, (True, True)),
        (GUESSING_PAYS, 2, "auto", None, (False, False)),  # a guess could change a word
        (GUESSING_PAYS, 2, "auto", True, (True, True)),
        (GUESSING_PAYS, 1, "auto", False, (False, False)),
        (GUESSING_PAYS, 1, "plain", None, (False, False)),
        (1, 1, "auto", True, (True, True)),
        (1, 1, "flash", None, (True, False)),
        (1, 2, "flash", True, (True, True)),
    ],
)
def test_guesses_take_flash_attention(
    weights: int,
    threads: int,
    attention: str,
    speculate: bool | None,
    flash_and_guess: tuple[bool, bool],
) -> None:
    found = choose_attention(weights, threads, attention, speculate)  # ty: ignore
    assert found == flash_and_guess


def test_guessing_with_plain_attention_is_refused() -> None:
    with pytest.raises(ConfigError, match="plain attention a right guess can change"):
        choose_attention(1, 1, "plain", True)
