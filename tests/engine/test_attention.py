"""Which attention and which guessing a file gets."""

import pytest

from solarmini.engine.attention import choose_attention
from solarmini.errors import ConfigError
from solarmini.export.memory import GUESSING_PAYS


@pytest.mark.parametrize(
    ("weights", "attention", "speculate", "flash_and_guess"),
    [
        (GUESSING_PAYS - 1, "auto", None, (False, False)),
        (GUESSING_PAYS, "auto", None, (True, True)),
        (GUESSING_PAYS, "auto", False, (False, False)),
        (GUESSING_PAYS, "plain", None, (False, False)),
        (1, "auto", True, (True, True)),
        (1, "flash", None, (True, False)),
        (1, "flash", True, (True, True)),
    ],
)
def test_guesses_take_flash_attention(
    weights: int, attention: str, speculate: bool | None, flash_and_guess: tuple[bool, bool]
) -> None:
    assert choose_attention(weights, attention, speculate) == flash_and_guess  # ty: ignore


def test_guessing_with_plain_attention_is_refused() -> None:
    with pytest.raises(ConfigError, match="plain attention a right guess can change"):
        choose_attention(1, "plain", True)
