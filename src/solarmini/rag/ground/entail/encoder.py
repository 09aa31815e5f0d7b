"""The network: a cross-encoder that reads a premise and a claim, and tells three classes.

The structure is BERT's (Devlin et al. 2019) with the lower layers of multilingual E5 small (Wang et
al. 2024); NOTICE says where the weights come from, training/groundedness/entail makes them. Word
vectors are kept in blocks of 4 bits (`words.npz`), the layers in 8 bits (`layers.onnx`).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from solarmini.errors import require

if TYPE_CHECKING:
    import onnxruntime

FOLDER = Path(__file__).parent
MOST_TOKENS = 96  # of premise and claim together: what a check may cost
MOST_CLAIM = 60
_BEGIN, _END = 0, 2  # ids of the tokens around the two texts
_BLOCK = 32  # weights that share a scale


@dataclass(frozen=True, slots=True)
class Reading:
    """Probabilities that a premise entails a claim, says nothing of it, or contradicts it."""

    entailed: float
    neutral: float
    contradicted: float


@dataclass(frozen=True)
class Encoder:
    """The loaded network. May be called from several threads at once."""

    tokenizer: Any
    quarters: np.ndarray  # uint8 [pieces, width / 2]: two weights a byte
    scales: np.ndarray  # float16 [pieces, width / 32]
    session: "onnxruntime.InferenceSession"

    def tokens(self, text: str) -> list[int]:
        """Return the ids of the pieces of `text`."""
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the characters [start, end) of every piece of `text`."""
        return self.tokenizer.encode(text, add_special_tokens=False).offsets

    def words(self, ids: np.ndarray) -> np.ndarray:
        """Return the word vectors, float32 [tokens, width]."""
        packed = self.quarters[ids].reshape(len(ids), -1, _BLOCK // 2)
        values = np.concatenate([packed & 15, packed >> 4], axis=2).astype(np.float32) - 8
        values *= self.scales[ids].astype(np.float32)[:, :, None]
        return values.reshape(len(ids), -1)

    def logits(self, premise: str, claim: str) -> np.ndarray:
        """Return the network's outputs, float32 [entailed, neutral, contradicted].

        A premise that is too long is cut at its end; `premise.py` chooses one that is not.
        """
        second = self.tokens(claim)[:MOST_CLAIM]
        first = self.tokens(premise)[: MOST_TOKENS - 3 - len(second)]
        ids = np.array([_BEGIN, *first, _END, *second, _END])
        parts = np.zeros((1, len(ids)), np.int64)
        parts[0, len(first) + 2 :] = 1
        fed = {"words": self.words(ids)[None], "parts": parts}
        return np.asarray(self.session.run(None, fed)[0])[0]

    def read(self, premise: str, claim: str) -> Reading:
        """Return what the network makes of `claim` beside `premise`."""
        return reading(self.logits(premise, claim))


def reading(logits: np.ndarray) -> Reading:
    """Turn the network's three outputs into probabilities."""
    parts = np.exp(logits.astype(np.float64) - logits.max())
    return Reading(*(parts / parts.sum()).tolist())


@cache
def encoder() -> Encoder:
    """Load the network that comes with the package (MissingExtraError without its packages)."""
    return load(FOLDER)


def load(folder: Path) -> Encoder:
    """Load `layers.onnx`, `words.npz` and `tokenizer.json` of a folder."""
    require("onnxruntime", "rag")
    tokenizers = require("tokenizers", "rag")
    from solarmini.layout.networks import open_session

    with np.load(folder / "words.npz", allow_pickle=False) as held:
        quarters, scales = held["quarters"], held["scales"]
    return Encoder(
        tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")),
        quarters,
        scales,
        open_session(folder / "layers.onnx"),
    )
