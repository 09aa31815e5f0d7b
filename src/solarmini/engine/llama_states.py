"""What llama.cpp computes for each position of a text: for scores and embeddings.

Its scheduler gives log-probabilities only for tokens it has chosen itself, and none for a token
that ends inside a character. The last layer's states it gives for every position, a whole text at
once; the output matrix is applied to them here, some rows of the vocabulary at a time.
"""

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from solarmini.checkpoint.gguf_file import GgufFile, GgufTensor
from solarmini.checkpoint.gguf_tensors import dequantised
from solarmini.engine.interface import ContextLengthError, Trace, UnsupportedError
from solarmini.engine.llama_server import Options, post, start_server
from solarmini.errors import EngineError

MAX_TOKENS = 2048  # the whole text is one batch, whose buffers grow with it
_ROWS = 4096  # of the output matrix at once


class States:
    """A second context on the same file (its pages are shared) that gives states."""

    def __init__(self, file: GgufFile, options: Options, socket: Path) -> None:
        """Load nothing yet: most engines never need this."""
        self._file, self._lock, self._server = file, threading.Lock(), None
        self._closed = False
        self.limit = min(options.context, MAX_TOKENS)
        self._options = options.for_states(socket, self.limit)

    def of(self, ids: Sequence[int]) -> np.ndarray:
        """Return the states after the final norm, float32 [len(ids), hidden]."""
        if not ids or len(ids) > self.limit:
            raise ContextLengthError(len(ids), 0, self.limit)
        options = self.start()
        with self._lock:
            answer: Any = post(options, "/embedding", {"content": list(ids)})
        return np.asarray(answer[0]["embedding"], np.float32)

    def start(self) -> Options:
        """Load the file unless that is done; return where to ask."""
        with self._lock:
            if self._closed:
                raise EngineError("the engine is closed")
            if self._server is None:
                self._server = start_server(self._options)
        return self._options

    def trace(self, ids: Sequence[int], following: Sequence[int]) -> Trace:
        """Return how the model sees the ids `following` after `ids`."""
        if self._file.get("final_logit_softcapping"):
            raise UnsupportedError("scores of a model that caps its logits need transformers")
        states = self.of([*ids, *following[:-1]])[len(ids) - 1 :]
        wanted = np.asarray(following)
        places = np.arange(len(wanted))
        total = np.full(len(wanted), -np.inf)
        highest = np.full(len(wanted), -np.inf)
        best = np.zeros(len(wanted), np.int64)
        chosen = np.zeros(len(wanted))
        for start, rows in self._head():
            logits = (states @ rows.T).astype(np.float64)
            total = np.logaddexp(total, np.logaddexp.reduce(logits, axis=1))
            top = logits.argmax(axis=1)
            higher = logits[places, top] > highest
            best = np.where(higher, top + start, best)
            highest = np.maximum(highest, logits[places, top])
            inside = (wanted >= start) & (wanted < start + len(rows))
            chosen[inside] = logits[places[inside], wanted[inside] - start]
        likeliest = tuple((highest - total).tolist())
        return Trace(tuple((chosen - total).tolist()), tuple(best.tolist()), likeliest)

    def _head(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the output matrix in float32, rows from `start`."""
        tensors = self._file.tensors
        head = tensors.get("output.weight") or tensors["token_embd.weight"]
        count, width = head.shape[0], head.nbytes // head.shape[0]
        for start in range(0, count, _ROWS):
            rows = min(_ROWS, count - start)
            part: GgufTensor = dataclasses.replace(
                head,
                shape=(rows, head.shape[1]),
                offset=head.offset + start * width,
                nbytes=rows * width,
            )
            yield start, dequantised(self._file, part)

    def embed(self, ids: Sequence[int]) -> list[float]:
        """Return the mean state of a text, of length 1."""
        mean = self.of(ids).mean(axis=0)
        return (mean / max(float(np.linalg.norm(mean)), 1e-12)).tolist()

    def close(self) -> None:
        """Free it."""
        with self._lock:
            self._server, self._closed = None, True
