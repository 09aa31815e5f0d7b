"""Any server that speaks OpenAI's /embeddings, by model name and URL."""

import base64
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from solarmini.errors import EmbedderError
from solarmini.rag.embed.interface import unit

_BATCH = 64  # texts a request
_TRIES = 4
_TIMEOUT = 120.0  # seconds a request
_WORTH_ANOTHER_TRY = (408, 409, 429, 500, 502, 503, 504)


class OpenAIEmbedder:
    """Sends texts to `URL/embeddings` in batches; tries again, slower, when a server is busy.

    The key is read from OPENAI_API_KEY and sent nowhere else. Upstage's names
    "…-passage" are asked as "…-query" for questions. Raises EmbedderError with the server's own
    words when it refuses.
    """

    def __init__(self, model: str, url: str) -> None:
        self._model = model
        self._url = url.rstrip("/") + "/embeddings"
        self.name = f"openai:{model}@{url.rstrip('/')}"

    @cached_property
    def dimension(self) -> int:
        """Length of a vector, as the server gives it."""
        return len(self.query("dimension"))

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors of texts to be found, float32 [texts, dimension]."""
        parts = [
            self._embed(self._model, texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), np.float32)

    def query(self, text: str) -> np.ndarray:
        """Return the vector of a question, float32 [dimension]."""
        model = self._model
        if model.endswith("-passage"):
            model = model.removesuffix("-passage") + "-query"
        return self._embed(model, [text])[0]

    def _embed(self, model: str, texts: Sequence[str]) -> np.ndarray:
        asked = {"model": model, "input": list(texts), "encoding_format": "float"}
        answer = self._post(json.dumps(asked).encode())
        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            vectors = [_vector(row["embedding"]) for row in rows]
            if len(vectors) != len(texts):
                raise ValueError(f"{len(vectors)} vectors for {len(texts)} texts")
            return unit(np.stack(vectors))
        except (KeyError, TypeError, ValueError) as error:
            raise EmbedderError(
                f"the answer is not one of an embeddings server: {error}", where=self._url
            ) from error

    def _post(self, body: bytes) -> Any:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get("OPENAI_API_KEY"):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self._url, body, headers)
        for attempt in range(_TRIES):
            try:
                with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                said = error.read(2000).decode("utf-8", "replace")
                if error.code not in _WORTH_ANOTHER_TRY or attempt == _TRIES - 1:
                    raise EmbedderError(
                        f"the server answered {error.code}: {said}", where=self._url
                    ) from None
            except (OSError, ValueError) as error:
                if attempt == _TRIES - 1:
                    raise EmbedderError(
                        f"the embeddings server cannot be reached: {error}",
                        where=self._url,
                        mend="is it running, and is the URL right (it ends in /v1)?",
                    ) from error
            time.sleep(0.5 * 2**attempt)
        raise AssertionError("unreachable")


def _vector(value: list[float] | str) -> np.ndarray:
    """Read a vector given as numbers or as base64 of little-endian float32."""
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value), dtype="<f4")
    return np.asarray(value, dtype=np.float32)
