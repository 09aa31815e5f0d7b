"""Write a checkpoint tensor by tensor: copied byte ranges never pass through Python's memory."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from solarmini.checkpoint.dtypes import itemsize
from solarmini.checkpoint.reader import INDEX_NAME, SINGLE_NAME
from solarmini.checkpoint.safetensors import TensorInfo
from solarmini.console import progress
from solarmini.errors import CheckpointError

DEFAULT_SHARD_BYTES = 5_000_000_000  # the default of transformers' save_pretrained
_CHUNK = 16 * 2**20
_HASH_CHUNK = 2**20  # stays in the processor's cache
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
    source: "TensorInfo | Zeros | Callable[[], bytes | memoryview]"

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
    index otherwise. A byte range is copied inside the kernel where the file system can. Hashing
    goes on beside the copying, from the source's page cache, on two threads that take shards in
    turn: a file's hash is sequential, and slower than a good disk. Peak memory does not depend on
    the model, apart from tensors made by a function, which are held one at a time.
    """
    shards = _split(tensors, max_shard_bytes)
    names = _shard_names(len(shards))
    total = sum(tensor.nbytes for tensor in tensors)
    with progress(label, total, "B") as advance, ExitStack() as stack:
        hashers = [_Hasher(stack) for _ in range(2)]
        pending = {
            name: _write_shard(folder / name, shard, advance, hashers[number % 2])
            for number, (name, shard) in enumerate(zip(names, shards, strict=True))
        }
        hashes = {name: future.result() for name, future in pending.items()}
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


class _Hasher:
    """A thread that hashes what it is given, in order; the copying does not wait for it."""

    def __init__(self, stack: ExitStack) -> None:
        self._pool = ThreadPoolExecutor(1)
        stack.callback(self._pool.shutdown, cancel_futures=True)
        self._parts: list[Future[None]] = []
        self._digest = hashlib.sha256()

    def start(self) -> None:
        self._parts, self._digest = [], hashlib.sha256()

    def add(self, job: "Callable[[hashlib._Hash], None]") -> "Future[None]":
        """Queue the hashing of the next bytes of the file."""
        part = self._pool.submit(job, self._digest)
        self._parts.append(part)
        return part

    def finish(self) -> "Future[str]":
        """Return the file's hash, once everything queued is done."""
        parts, digest = self._parts, self._digest

        def result() -> str:
            for part in parts:
                part.result()
            return digest.hexdigest()

        return self._pool.submit(result)


def _write_shard(
    path: Path, tensors: Sequence[OutTensor], advance: Callable[[int], None], hasher: _Hasher
) -> "Future[str]":
    hasher.start()
    with path.open("wb", buffering=0) as file:
        out = file.fileno()
        head = header_bytes(tensors)
        _write_all(out, head)
        hasher.add(lambda digest: digest.update(head))
        for tensor in tensors:
            if isinstance(tensor.source, TensorInfo):
                hasher.add(partial(_hash_range, tensor.source))
                _copy_range(out, tensor.source, advance)
            elif isinstance(tensor.source, Zeros):
                hasher.add(partial(_hash_zeros, tensor.nbytes))
                _write_zeros(out, tensor.nbytes, advance)
            else:
                _write_made(out, tensor, tensor.source(), hasher, advance)
        os.fsync(out)
    return hasher.finish()


def _copy_range(out: int, source: TensorInfo, advance: Callable[[int], None]) -> None:
    """Copy a byte range to the end of `out`."""
    with source.path.open("rb", buffering=0) as file:
        done = 0
        while done < source.nbytes:
            step = min(_CHUNK, source.nbytes - done)
            moved = _copy_some(file.fileno(), out, source.offset + done, step)
            if moved == 0:
                raise CheckpointError("the file changed while it was read", where=source.path)
            done += moved
            advance(moved)


def _copy_some(src: int, out: int, offset: int, count: int) -> int:
    """Move up to `count` bytes in the kernel; through a buffer where the kernel refuses."""
    if hasattr(os, "copy_file_range"):
        with suppress(OSError):  # other file system, or one that cannot: the buffer always can
            return os.copy_file_range(src, out, count, offset_src=offset)
    block = os.pread(src, count, offset)
    _write_all(out, block)
    return len(block)


def _hash_range(source: TensorInfo, digest: "hashlib._Hash") -> None:
    buffer = memoryview(bytearray(min(_HASH_CHUNK, source.nbytes)))
    with source.path.open("rb", buffering=0) as file:
        done = 0
        while done < source.nbytes:
            got = os.preadv(file.fileno(), [buffer[: source.nbytes - done]], source.offset + done)
            if got == 0:
                raise CheckpointError("the file changed while it was read", where=source.path)
            digest.update(buffer[:got])
            done += got


def _hash_zeros(nbytes: int, digest: "hashlib._Hash") -> None:
    for start in range(0, nbytes, _CHUNK):
        digest.update(memoryview(_ZEROS)[: nbytes - start])


def _write_zeros(out: int, nbytes: int, advance: Callable[[int], None]) -> None:
    while nbytes:
        block = memoryview(_ZEROS)[: min(nbytes, _CHUNK)]
        _write_all(out, block)
        advance(len(block))
        nbytes -= len(block)


def _write_made(
    out: int,
    tensor: OutTensor,
    raw: bytes | memoryview,
    hasher: _Hasher,
    advance: Callable[[int], None],
) -> None:
    if len(raw) != tensor.nbytes:
        raise CheckpointError(
            f"tensor '{tensor.name}' was made with {len(raw):,} bytes instead of {tensor.nbytes:,}"
        )
    hashing = hasher.add(lambda digest: digest.update(raw))
    _write_all(out, raw)
    hashing.result()  # the tensor is let go before the next one is made
    advance(len(raw))


def _write_all(out: int, raw: bytes | memoryview) -> None:
    view = memoryview(raw)
    while view:
        view = view[os.write(out, view) :]
