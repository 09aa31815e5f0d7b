"""Token examples and their memory-mapped store.

An example is a token sequence with a mask that says which tokens are *targets*: token t with
``mask[t]`` is predicted from the tokens before it. A store keeps many of them in four flat
files, is written beside its place and renamed, and carries a fingerprint of everything that
went in, so that a resumed run reuses it and a changed input rebuilds it.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from solarmini.artifact import DataRecord
from solarmini.console import progress
from solarmini.errors import DataError

STORE_NAME = "store.json"
STORE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Example:
    """One token sequence: ``ids`` int32 [T] and ``mask`` bool [T]; ``mask[0]`` is False."""

    ids: np.ndarray
    mask: np.ndarray

    def __len__(self) -> int:
        """Tokens."""
        return len(self.ids)

    @property
    def supervised(self) -> int:
        """How many of the tokens are targets."""
        return int(np.count_nonzero(self.mask))


def make_example(ids: Sequence[int], mask: Sequence[bool]) -> Example:
    """Turn lists into an :class:`Example`; a first token can never be a target."""
    id_array = np.asarray(ids, dtype=np.int32)
    mask_array = np.array(mask, dtype=bool)
    if id_array.ndim != 1 or id_array.shape != mask_array.shape:
        raise DataError(f"ids and mask differ in shape: {id_array.shape}, {mask_array.shape}")
    if len(mask_array):
        mask_array[0] = False
    return Example(id_array, mask_array)


class ExampleSource(Protocol):
    """What :meth:`ExampleStore.ensure` reads: examples plus what there is to know about them."""

    @property
    def fingerprint(self) -> str:
        """Digest of data, tokenizer, template and settings; known before the first example."""
        ...

    def __iter__(self) -> Iterator[Example]:
        """Yield the examples once, in order."""
        ...

    @property
    def records(self) -> tuple[DataRecord, ...]:
        """What was read; complete after iteration."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """Rows kept, dropped, truncated...; complete after iteration."""
        ...


class ExampleStore:
    """Examples in a folder, memory-mapped: ``len(store)``, ``store[i]``, ``.lengths``.

    ``lengths`` int64 [N] and ``supervised`` int64 [N] are plain arrays for planning;
    ``records`` and ``counts`` say what was read and what was left out.
    """

    def __init__(self, folder: Path) -> None:
        """Open a finished store; DataError when it is missing or damaged."""
        self.folder = Path(folder)
        about = _read_about(self.folder)
        if about is None:
            raise DataError("no example store here", where=folder, mend="build it again")
        self.fingerprint: str = about["fingerprint"]
        self.counts: dict[str, int] = about["counts"]
        self.records = tuple(DataRecord(**record) for record in about["records"])
        self._offsets = np.load(self.folder / "offsets.npy")
        self.supervised = np.load(self.folder / "supervised.npy")
        self.lengths = np.diff(self._offsets)
        tokens = int(self._offsets[-1])
        for name, width in (("ids.bin", 4), ("mask.bin", 1)):
            size = (self.folder / name).stat().st_size
            if size != tokens * width:
                raise DataError(
                    f"{name} holds {size} bytes, expected {tokens * width}",
                    where=folder,
                    mend="delete the folder; it is built again from the data",
                )
        # A file of no bytes cannot be mapped.
        self._ids = _map(self.folder / "ids.bin", np.int32, tokens)
        self._mask = _map(self.folder / "mask.bin", np.bool_, tokens)

    @classmethod
    def open(cls, folder: Path) -> "ExampleStore":
        """Open a finished store."""
        return cls(folder)

    @classmethod
    def build(
        cls,
        examples: Iterable[Example],
        folder: Path,
        fingerprint: str,
        *,
        records: Sequence[DataRecord] = (),
        counts: Mapping[str, int] | None = None,
    ) -> "ExampleStore":
        """Write all examples beside ``folder``, then rename; replaces an older store there."""
        return _build(examples, folder, fingerprint, lambda: (tuple(records), dict(counts or {})))

    @classmethod
    def ensure(cls, source: ExampleSource, folder: Path) -> "ExampleStore":
        """Open the store in ``folder`` if it was made from this very input, else build it."""
        about = _read_about(Path(folder))
        if about is not None and about["fingerprint"] == source.fingerprint:
            return cls(folder)
        return _build(
            source, folder, source.fingerprint, lambda: (source.records, dict(source.counts))
        )

    @property
    def tokens(self) -> int:
        """All tokens of all examples."""
        return int(self._offsets[-1])

    def __len__(self) -> int:
        """Examples."""
        return len(self.lengths)

    def __getitem__(self, index: int) -> Example:
        """Example ``index``; its arrays are views of the mapped files."""
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        start, end = int(self._offsets[index]), int(self._offsets[index + 1])
        return Example(self._ids[start:end], self._mask[start:end])

    def __iter__(self) -> Iterator[Example]:
        """All examples in order."""
        return (self[index] for index in range(len(self)))


class PairStore:
    """Preference pairs in an :class:`ExampleStore`: chosen at 2i, rejected at 2i+1."""

    def __init__(self, store: ExampleStore) -> None:
        """Wrap a store of interleaved examples; DataError when one has lost its partner."""
        if len(store) % 2:
            raise DataError("a store of pairs holds an odd number of examples", where=store.folder)
        self.store = store

    @classmethod
    def open(cls, folder: Path) -> "PairStore":
        """Open a finished store of pairs."""
        return cls(ExampleStore(folder))

    @classmethod
    def ensure(cls, source: ExampleSource, folder: Path) -> "PairStore":
        """Open or build the store of a stream of pairs (seen as examples, see streams.py)."""
        return cls(ExampleStore.ensure(source, folder))

    def __len__(self) -> int:
        """Pairs."""
        return len(self.store) // 2

    def __getitem__(self, index: int) -> tuple[Example, Example]:
        """(chosen, rejected) of pair ``index``."""
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return self.store[2 * index], self.store[2 * index + 1]


def _map(path: Path, dtype: Any, count: int) -> np.ndarray:
    if count == 0:
        return np.zeros(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r", shape=(count,))


def _read_about(folder: Path) -> dict[str, Any] | None:
    path = folder / STORE_NAME
    if not path.is_file():
        return None
    about = json.loads(path.read_text(encoding="utf-8"))
    return about if about.get("version") == STORE_VERSION else None


def _build(examples: Iterable[Example], folder: Path, fingerprint: str, about: Any) -> ExampleStore:
    """Stream the examples to disk; ``about()`` is asked when the last one is written."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists() and any(folder.iterdir()) and not (folder / STORE_NAME).is_file():
        raise DataError(
            "the folder holds something that is not an example store",
            where=folder,
            mend="choose another folder",
        )
    _clear_abandoned(folder)
    prefix = f".{folder.name}.{os.getpid()}-"
    staging = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        _write(examples, staging, fingerprint, about)
        # Only ever replaces a store (checked above): it can be built again from the data.
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return ExampleStore(folder)


def _clear_abandoned(folder: Path) -> None:
    """Remove what builds of this store left behind when their process was killed."""
    for rest in folder.parent.glob(f".{folder.name}.*-*"):
        process = rest.name.removeprefix(f".{folder.name}.").partition("-")[0]
        if process.isdigit() and not _is_running(int(process)):
            shutil.rmtree(rest, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it runs
        return True
    return True


def _write(examples: Iterable[Example], staging: Path, fingerprint: str, about: Any) -> None:
    lengths: list[int] = []
    supervised: list[int] = []
    with (
        (staging / "ids.bin").open("wb") as ids,
        (staging / "mask.bin").open("wb") as mask,
        progress("tokenising", None, "examples") as advance,
    ):
        for example in examples:
            ids.write(np.ascontiguousarray(example.ids, dtype=np.int32).tobytes())
            mask.write(np.ascontiguousarray(example.mask, dtype=np.bool_).tobytes())
            lengths.append(len(example))
            supervised.append(example.supervised)
            advance(1)
        for file in (ids, mask):
            file.flush()
            os.fsync(file.fileno())
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    np.save(staging / "offsets.npy", offsets)
    np.save(staging / "supervised.npy", np.asarray(supervised, dtype=np.int64))
    records, counts = about()
    text = {
        "version": STORE_VERSION,
        "fingerprint": fingerprint,
        "examples": len(lengths),
        "tokens": int(offsets[-1]),
        "counts": counts,
        "records": [record.model_dump(mode="json") for record in records],
    }
    with (staging / STORE_NAME).open("w", encoding="utf-8") as file:
        json.dump(text, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
