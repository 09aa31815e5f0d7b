"""Any sentence-transformers model, by hub id or folder."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from solarmini.errors import EmbedderError, require
from solarmini.rag.embed.interface import unit

if TYPE_CHECKING:
    from collections.abc import Callable


class SentenceTransformersEmbedder:
    """Uses the model's own prompts for questions and documents where it has them.

    Models of the E5 family that come without prompts get theirs ("query: ", "passage: ").
    Raises MissingExtraError or EmbedderError when the model cannot be loaded.
    """

    def __init__(self, model: str) -> None:
        self._source = model
        self.name = f"st:{model}"

    @cached_property
    def _model(self) -> Any:
        module = require("sentence_transformers", "rag-models")
        try:
            return module.SentenceTransformer(self._source)
        except (OSError, ValueError) as error:
            raise EmbedderError(
                f"the sentence-transformers model cannot be loaded: {error}",
                where=self._source,
                mend="name a hub id that can be reached or a model folder",
            ) from error

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        model = self._model
        known = getattr(model, "get_embedding_dimension", None)  # its name from version 5.3 on
        return int(known() if known else model.get_sentence_embedding_dimension())

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors of texts to be found, float32 [texts, dimension]."""
        return self._encode(list(texts), "document", "passage: ")

    def query(self, text: str) -> np.ndarray:
        """Return the vector of a question, float32 [dimension]."""
        return self._encode([text], "query", "query: ")[0]

    def _encode(self, texts: list[str], task: str, prefix: str) -> np.ndarray:
        model = self._model
        encode: Callable[..., Any] = getattr(model, f"encode_{task}", model.encode)
        if not getattr(model, "prompts", None) and "e5" in self._source.lower():
            texts = [prefix + text for text in texts]
        return unit(np.asarray(encode(texts, show_progress_bar=False, convert_to_numpy=True)))
