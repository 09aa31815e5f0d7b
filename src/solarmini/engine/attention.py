"""How llama.cpp attends to what it has read, and whether it guesses ahead.

Plain matrix products over the cache make answers up to 1.6 times faster, of small models or in long
contexts, and hardly slower anywhere; but they round the row of one token otherwise than the same
row in a batch. Flash attention on one thread gives a row the same value alone and among the few
rows of a guess (prompt lookup), so only there are answers with guesses the same, byte for byte, as
without. On several threads llama.cpp splits what a single row attends to among them, from 512
positions on, and adds up the parts; the rows of a guess it does not split.

Where the weights are large, attention over a short context is a small part of the work, and right
guesses gain more than flash attention costs. `benchmarks/serve` has the figures.
"""

from solarmini.engine.open import Attention
from solarmini.errors import ConfigError

GUESSING_PAYS = 2**30  # bytes of weights


def choose_attention(
    weights: int, threads: int, attention: Attention = "auto", speculate: bool | None = None
) -> tuple[bool, bool]:
    """Return whether to take flash attention, and whether to guess (prompt lookup).

    `weights` are the bytes of the file's tensors. None for `speculate` guesses where that pays and
    changes no answer. Raises ConfigError when guesses are asked for with plain attention.
    """
    if attention == "plain":
        if speculate:
            raise ConfigError(
                "with plain attention a right guess can change the words after it",
                where="--speculate",
                mend="leave --attention to auto or flash",
            )
        return False, False
    pays = weights >= GUESSING_PAYS and threads == 1
    guess = pays if speculate is None else speculate
    return guess or attention == "flash", guess
