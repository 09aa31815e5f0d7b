"""An optional second look: a cross-encoder that reads question and passage together."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from solarmini.errors import EmbedderError, require


class Reranker(Protocol):
    """Says how well each text answers a question."""

    def scores(self, query: str, texts: Sequence[str]) -> np.ndarray:
        """Return one score a text, float32 [texts]; higher is better."""
        ...


class CrossEncoderReranker:
    """Any cross-encoder of sentence-transformers, by hub id or folder."""

    def __init__(self, model: str) -> None:
        self._source = model

    @cached_property
    def _model(self) -> Any:
        module = require("sentence_transformers", "rag-models")
        try:
            return module.CrossEncoder(self._source)
        except (OSError, ValueError) as error:
            raise EmbedderError(
                f"the cross-encoder cannot be loaded: {error}",
                where=self._source,
                mend="name a hub id that can be reached or a model folder",
            ) from error

    def scores(self, query: str, texts: Sequence[str]) -> np.ndarray:
        """Return the model's scores, float32 [texts]."""
        pairs = [(query, text) for text in texts]
        return np.asarray(self._model.predict(pairs, show_progress_bar=False), dtype=np.float32)
