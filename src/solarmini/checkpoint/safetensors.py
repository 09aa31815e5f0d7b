"""Safetensors headers, read and checked without loading a tensor.

Format: 8 bytes little-endian header length, a JSON object name -> {dtype, shape, data_offsets},
then the data (https://huggingface.co/docs/safetensors, "Format"). Every claim of the header is
checked against the file before a byte range is trusted.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solarmini.checkpoint.dtypes import ITEMSIZE
from solarmini.errors import CheckpointError

MAX_HEADER_BYTES = 100_000_000  # the limit of the reference implementation


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Where one tensor lies: `nbytes` bytes at `offset` of the file `path`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: Path
    offset: int
    nbytes: int

    @property
    def count(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


def read_header(path: Path) -> dict[str, TensorInfo]:
    """Read the header of `path`; CheckpointError if it is damaged or does not fit the file."""
    with path.open("rb") as file:

        def read(start: int, count: int) -> bytes:
            file.seek(start)
            return file.read(count)

        return parse_header(read, path.stat().st_size, path)


def parse_header(read: Callable[[int, int], bytes], size: int, path: Path) -> dict[str, TensorInfo]:
    """Read the header of a file of `size` bytes, wherever it lies; `path` is what it is called.

    `read(start, count)` gives bytes of it. CheckpointError as for `read_header`.
    """
    prefix = read(0, 8)
    if len(prefix) < 8:
        raise _damaged(path, "the file is shorter than a safetensors header")
    length = int.from_bytes(prefix, "little")
    if length > MAX_HEADER_BYTES or 8 + length > size:
        raise _damaged(path, f"the header claims {length:,} bytes but the file has {size:,} in all")
    entries = _parse_json(path, read(8, length))
    start = 8 + length
    tensors = {
        name: _tensor(path, name, entry, start)
        for name, entry in entries.items()
        if name != "__metadata__"
    }
    _check_layout(path, tensors, start, size)
    return tensors


def _parse_json(path: Path, raw: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(pairs)
        if len(seen) != len(pairs):
            raise _damaged(path, "the header names a tensor twice")
        return seen

    try:
        entries = json.loads(raw, object_pairs_hook=unique)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise _damaged(path, f"the header is not JSON: {error}") from None
    if not isinstance(entries, dict):
        raise _damaged(path, "the header is not a JSON object")
    return entries


def _tensor(path: Path, name: str, entry: Any, start: int) -> TensorInfo:
    try:
        dtype, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise _damaged(path, f"the entry of tensor '{name}' is incomplete") from None
    numbers = [*shape, begin, end]
    if not all(isinstance(number, int) and number >= 0 for number in numbers) or begin > end:
        raise _damaged(path, f"tensor '{name}' has an impossible shape or offset")
    if dtype not in ITEMSIZE:
        raise _damaged(path, f"tensor '{name}' has the unknown dtype {dtype!r}")
    expected = math.prod(shape) * ITEMSIZE[dtype]
    if expected != end - begin:
        raise _damaged(
            path, f"tensor '{name}' needs {expected:,} bytes but its offsets hold {end - begin:,}"
        )
    return TensorInfo(name, dtype, shape, path, start + begin, end - begin)


def _check_layout(path: Path, tensors: dict[str, TensorInfo], start: int, size: int) -> None:
    """Refuse data that overlaps, leaves a gap, or runs past the end of the file."""
    position = start
    for tensor in sorted(tensors.values(), key=lambda item: (item.offset, item.nbytes)):
        if tensor.offset < position:
            raise _damaged(path, f"tensor '{tensor.name}' overlaps the tensor before it")
        if tensor.offset > position:
            raise _damaged(path, f"there is a gap before tensor '{tensor.name}'")
        position = tensor.offset + tensor.nbytes
    if position > size:
        raise _damaged(
            path, f"the file is truncated: {position:,} bytes are declared, {size:,} are there"
        )
    if position < size:
        raise _damaged(path, f"{size - position:,} bytes after the last tensor belong to none")


def _damaged(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"damaged safetensors file: {what}", where=path, mend="fetch the file again"
    )
