"""How llama.cpp attends to what it has read, and whether it guesses ahead.

Compiled for AVX2, plain matrix products over the cache make answers of small models 1.4 to 1.6
times faster on a processor; but they round the row of one token otherwise than the same row in a
batch. Flash attention gives a row the same value alone and among the few rows of a guess (prompt
lookup), so only with it are answers with guesses the same, byte for byte, as without.

Where the weights are large, attention is a small part of the work, and right guesses gain more than
flash attention costs. Compiled for AVX-512, flash attention costs next to nothing with any weights,
and reads prompts faster. `benchmarks/serve` has the figures.
"""

from solarmini.engine.open import Attention
from solarmini.errors import ConfigError
from solarmini.export.memory import GUESSING_PAYS


def choose_attention(
    weights: int,
    attention: Attention = "auto",
    speculate: bool | None = None,
    *,
    wide_vectors: bool = False,
) -> tuple[bool, bool]:
    """Return whether to take flash attention, and whether to guess (prompt lookup).

    `weights` are the bytes of the file's tensors, `wide_vectors` says that llama.cpp was compiled
    for AVX-512. None for `speculate` guesses where it pays.
    Raises ConfigError when guesses are asked for with plain attention.
    """
    if attention == "plain":
        if speculate:
            raise ConfigError(
                "with plain attention a right guess can change the words after it",
                where="--speculate",
                mend="leave --attention to auto or flash",
            )
        return False, False
    pays = wide_vectors or weights >= GUESSING_PAYS
    guess = pays if speculate is None else speculate
    return guess or wide_vectors or attention == "flash", guess
