"""The GGUF container: header, metadata and where each tensor's blocks lie.

Layout (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): magic, version, counts,
key-value metadata, tensor records, then the data section aligned to `general.alignment`.
Everything is checked against the file's size, so a truncated download is an error, not a guess.
"""

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solarmini.errors import CheckpointError

_MAGIC = b"GGUF"
_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
_MAX_DIMENSIONS = 4


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor: numpy-order shape, ggml type number, absolute byte range in the file."""

    name: str
    shape: tuple[int, ...]
    ggml_type: int
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class GgufFile:
    """Metadata and tensor records of a GGUF file; no tensor data is held."""

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, GgufTensor]

    @classmethod
    def open(cls, path: Path) -> "GgufFile":
        """Read the header of `path`; CheckpointError when it is not a whole GGUF v2 or v3 file."""
        size = path.stat().st_size
        if size < 24:
            raise CheckpointError("not a GGUF file: too short", where=path)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            if view[:4] != _MAGIC:
                raise CheckpointError("not a GGUF file: the magic is missing", where=path)
            try:
                return _read(path, view)
            except (struct.error, UnicodeDecodeError) as error:
                raise CheckpointError(
                    f"damaged or truncated GGUF header: {error}",
                    where=path,
                    mend="fetch the file again",
                ) from None

    @property
    def architecture(self) -> str:
        """Return llama.cpp's name of the architecture (`general.architecture`)."""
        name = self.metadata.get("general.architecture")
        if not isinstance(name, str):
            raise CheckpointError("the metadata has no general.architecture", where=self.path)
        return name

    def get(self, key: str, default: Any = None) -> Any:
        """Return the architecture's metadata `key` (without its prefix)."""
        return self.metadata.get(f"{self.architecture}.{key}", default)

    def need(self, key: str) -> Any:
        """Return the architecture's metadata `key`; CheckpointError when it is missing."""
        value = self.get(key)
        if value is None:
            raise CheckpointError(
                f"the metadata has no '{self.architecture}.{key}'", where=self.path
            )
        return value


class _Cursor:
    """Reads little-endian values from a mapped file, one after the other."""

    def __init__(self, view: mmap.mmap) -> None:
        self.view = view
        self.at = 4

    def scalar(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self.view, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self) -> str:
        length = self.scalar("<Q")
        if length > len(self.view) - self.at:
            raise struct.error("a text runs past the end of the file")
        raw = self.view[self.at : self.at + length]
        self.at += length
        return raw.decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind in _SCALARS:
            return self.scalar(_SCALARS[kind])
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self.array()
        raise struct.error(f"unknown metadata type {kind}")

    def array(self) -> list[Any]:
        kind, count = self.scalar("<I"), self.scalar("<Q")
        if count > len(self.view) - self.at:
            raise struct.error("an array runs past the end of the file")
        if kind in _SCALARS:
            form = f"<{count}{_SCALARS[kind][1:]}"
            values = struct.unpack_from(form, self.view, self.at)
            self.at += struct.calcsize(form)
            return list(values)
        return [self.value(kind) for _ in range(count)]


def _read(path: Path, view: mmap.mmap) -> GgufFile:
    cursor = _Cursor(view)
    version = cursor.scalar("<I")
    if version not in (2, 3):
        raise CheckpointError(
            f"GGUF version {version} is not readable (2 and 3 are; big-endian files are not)",
            where=path,
            mend="convert the model again with a current llama.cpp",
        )
    tensor_count, entry_count = cursor.scalar("<Q"), cursor.scalar("<Q")
    if tensor_count + entry_count > len(view):
        raise struct.error("more entries than bytes")
    metadata: dict[str, Any] = {}
    for _ in range(entry_count):
        key = cursor.text()
        metadata[key] = cursor.value(cursor.scalar("<I"))
    records = [_record(cursor) for _ in range(tensor_count)]
    alignment = metadata.get("general.alignment", 32)
    start = -(-cursor.at // alignment) * alignment
    tensors = {}
    for name, shape, kind, offset in records:
        tensor = GgufTensor(name, shape, kind, start + offset, _stored_bytes(path, kind, shape))
        if tensor.offset + tensor.nbytes > len(view):
            raise CheckpointError(
                f"tensor '{name}' ends at byte {tensor.offset + tensor.nbytes:,}, "
                f"the file has {len(view):,}",
                where=path,
                mend="the download was cut short: fetch the file again",
            )
        tensors[name] = tensor
    return GgufFile(path, metadata, tensors)


def _record(cursor: _Cursor) -> tuple[str, tuple[int, ...], int, int]:
    name = cursor.text()
    rank = cursor.scalar("<I")
    if rank > _MAX_DIMENSIONS:
        raise struct.error(f"tensor '{name}' has {rank} dimensions")
    # ggml states the fastest dimension first, numpy the slowest
    shape = tuple(reversed([cursor.scalar("<Q") for _ in range(rank)]))
    return name, shape, cursor.scalar("<I"), cursor.scalar("<Q")


def _stored_bytes(path: Path, kind: int, shape: tuple[int, ...]) -> int:
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        block, width = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (KeyError, ValueError):
        raise CheckpointError(f"unknown ggml tensor type {kind}", where=path) from None
    count = math.prod(shape)
    if (shape[-1] if shape else 1) % block:
        raise CheckpointError(f"a row of {shape} is not made of whole blocks", where=path)
    return count // block * width
