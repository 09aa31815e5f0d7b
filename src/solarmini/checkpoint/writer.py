"""Write a checkpoint tensor by tensor: copied byte ranges never pass through Python's memory."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from solarmini.checkpoint.dtypes import itemsize
from solarmini.checkpoint.reader import INDEX_NAME, SINGLE_NAME
from solarmini.checkpoint.safetensors import TensorInfo
from solarmini.console import progress
from solarmini.errors import CheckpointError

DEFAULT_SHARD_BYTES = 5_000_000_000  # the default of transformers' save_pretrained
_CHUNK = 16 * 2**20
_ZEROS = bytes(_CHUNK)


@dataclass(frozen=True, slots=True)
class Zeros:
    """A source of zero bytes, written without holding the tensor."""


@dataclass(frozen=True, slots=True)
class OutTensor:
    """One tensor of the output: a byte range to copy, zeros, or a function that makes its bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    source: "TensorInfo | Zeros | Callable[[], bytes]"

    @property
    def nbytes(self) -> int:
        """Bytes that the tensor takes in the file."""
        total = itemsize(self.dtype)
        for size in self.shape:
            total *= size
        return total


def write_checkpoint(
    folder: Path,
    tensors: Sequence[OutTensor],
    *,
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
    label: str = "writing",
) -> dict[str, str]:
    """Write `tensors` in the given order into `folder`; return {file name: sha256}.

    One `model.safetensors` when everything fits into `max_shard_bytes`, numbered shards and an
    index otherwise. A byte range is copied inside the kernel where the file system can, and hashed
    on a second thread from the source's page cache. Peak memory does not depend on the model,
    apart from tensors made by a function, which are held one at a time.
    """
    shards = _split(tensors, max_shard_bytes)
    names = _shard_names(len(shards))
    total = sum(tensor.nbytes for tensor in tensors)
    hashes: dict[str, str] = {}
    with progress(label, total, "B") as advance, ThreadPoolExecutor(1) as pool:
        for name, shard in zip(names, shards, strict=True):
            hashes[name] = _write_shard(folder / name, shard, advance, pool)
    if len(shards) > 1:
        weight_map = {
            tensor.name: name for name, shard in zip(names, shards, strict=True) for tensor in shard
        }
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (folder / INDEX_NAME).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")
    return hashes


def _split(tensors: Sequence[OutTensor], limit: int) -> list[list[OutTensor]]:
    shards: list[list[OutTensor]] = [[]]
    room = limit
    for tensor in tensors:
        if shards[-1] and tensor.nbytes > room:
            shards.append([])
            room = limit
        shards[-1].append(tensor)
        room -= tensor.nbytes
    return shards


def _shard_names(count: int) -> list[str]:
    if count == 1:
        return [SINGLE_NAME]
    return [f"model-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]


def header_bytes(tensors: Sequence[OutTensor]) -> bytes:
    """Return the safetensors header (length prefix included) of tensors laid out in order.

    Padded with spaces to 8 bytes as the reference implementation does, so that data is aligned.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    position = 0
    for tensor in tensors:
        end = position + tensor.nbytes
        header[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [position, end],
        }
        position = end
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return len(raw).to_bytes(8, "little") + raw


def _write_shard(
    path: Path,
    tensors: Sequence[OutTensor],
    advance: Callable[[int], None],
    pool: ThreadPoolExecutor,
) -> str:
    digest = hashlib.sha256()
    with path.open("wb", buffering=0) as file:
        out = file.fileno()
        head = header_bytes(tensors)
        _write_all(out, head)
        digest.update(head)
        for tensor in tensors:
            if isinstance(tensor.source, TensorInfo):
                _copy_range(out, tensor.source, digest, advance, pool)
            elif isinstance(tensor.source, Zeros):
                _write_zeros(out, tensor.nbytes, digest, advance)
            else:
                _write_made(out, tensor, tensor.source(), digest, advance)
        os.fsync(out)
    return digest.hexdigest()


def _copy_range(
    out: int,
    source: TensorInfo,
    digest: "hashlib._Hash",
    advance: Callable[[int], None],
    pool: ThreadPoolExecutor,
) -> None:
    """Copy a byte range to the end of `out`; the hash runs beside the copy, on the same bytes."""
    with source.path.open("rb", buffering=0) as file:
        src = file.fileno()
        hashing = pool.submit(_hash_range, src, source, digest)
        done = 0
        while done < source.nbytes:
            step = min(_CHUNK, source.nbytes - done)
            moved = _copy_some(src, out, source.offset + done, step)
            if moved == 0:
                raise CheckpointError("the file changed while it was read", where=source.path)
            done += moved
            advance(moved)
        hashing.result()


def _copy_some(src: int, out: int, offset: int, count: int) -> int:
    """Move up to `count` bytes in the kernel; through a buffer where the kernel refuses."""
    if hasattr(os, "copy_file_range"):
        with suppress(OSError):  # other file system, or one that cannot: the buffer always can
            return os.copy_file_range(src, out, count, offset_src=offset)
    block = os.pread(src, count, offset)
    _write_all(out, block)
    return len(block)


def _hash_range(src: int, source: TensorInfo, digest: "hashlib._Hash") -> None:
    buffer = memoryview(bytearray(min(_CHUNK, source.nbytes)))
    done = 0
    while done < source.nbytes:
        got = os.preadv(src, [buffer[: source.nbytes - done]], source.offset + done)
        if got == 0:
            raise CheckpointError("the file changed while it was read", where=source.path)
        digest.update(buffer[:got])
        done += got


def _write_zeros(
    out: int, nbytes: int, digest: "hashlib._Hash", advance: Callable[[int], None]
) -> None:
    while nbytes:
        block = memoryview(_ZEROS)[: min(nbytes, _CHUNK)]
        _write_all(out, block)
        digest.update(block)
        advance(len(block))
        nbytes -= len(block)


def _write_made(
    out: int,
    tensor: OutTensor,
    raw: bytes,
    digest: "hashlib._Hash",
    advance: Callable[[int], None],
) -> None:
    if len(raw) != tensor.nbytes:
        raise CheckpointError(
            f"tensor '{tensor.name}' was made with {len(raw):,} bytes instead of {tensor.nbytes:,}"
        )
    _write_all(out, raw)
    digest.update(raw)
    advance(len(raw))


def _write_all(out: int, raw: bytes | memoryview) -> None:
    view = memoryview(raw)
    while view:
        view = view[os.write(out, view) :]
