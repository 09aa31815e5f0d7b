"""Rows out of files, one at a time: JSONL (also gzipped), Parquet, plain text."""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solarmini.data.sources import HUB, PYTHON_DOCS, DataSource
from solarmini.errors import DataError, require

TEXT_SUFFIXES = (".txt", ".md", ".rst")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")
SUFFIXES = (*JSON_SUFFIXES, ".parquet", *TEXT_SUFFIXES)
_LARGEST_TEXT = 64 * 1024 * 1024
_PARQUET_ROWS = 1024

# Receives what is wrong with a row when reading is to go on behind it.
OnError = Callable[[DataError], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read: its fields, and where it stands (``number`` counts from 1)."""

    fields: dict[str, Any]
    file: str
    number: int

    @property
    def where(self) -> str:
        """``file:number``."""
        return f"{self.file}:{self.number}"


def find_files(source: DataSource) -> list[Path]:
    """Return the source's files in order; DataError when there are none that can be read."""
    path = Path(source.path)
    if path.is_file():
        found = [path]
    elif path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and _suffix(p))
    else:
        found = _matching(source.path)
    unreadable = [p for p in found if _suffix(p) is None]
    if unreadable:
        raise DataError(
            f"a file of this kind cannot be read: {unreadable[0].name}",
            where=unreadable[0],
            mend=f"readable are {', '.join(SUFFIXES)}",
        )
    if not found:
        raise DataError(
            "no data file here" if path.is_dir() else "no such file, folder or pattern",
            where=source.path,
            mend=f"give a {', '.join(SUFFIXES)} file, a folder of them, "
            f"{HUB}owner/name, or {PYTHON_DOCS}",
        )
    return found


def _matching(pattern: str) -> list[Path]:
    if not any(char in pattern for char in "*?["):
        return []
    path = Path(pattern)
    anchor = Path(path.anchor) if path.is_absolute() else Path()
    relative = path.relative_to(path.anchor) if path.is_absolute() else path
    return sorted(p for p in anchor.glob(str(relative)) if p.is_file())


def _suffix(path: Path) -> str | None:
    name = path.name.lower()
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)


def read_file(path: Path, on_error: OnError | None = None) -> Iterator[Row]:
    """Yield the rows of one file; a line that is no row goes to ``on_error`` or is raised."""
    suffix = _suffix(path)
    if suffix in JSON_SUFFIXES:
        return _read_jsonl(path, on_error)
    if suffix == ".parquet":
        return _read_parquet(path)
    return _read_text(path)


def _read_jsonl(path: Path, on_error: OnError | None) -> Iterator[Row]:
    number = 0
    try:
        opener = gzip.open if path.name.lower().endswith(".gz") else open
        with opener(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    fields = _parse_line(line, path, number)
                except DataError as error:
                    if on_error is None:
                        raise
                    on_error(error)
                    continue
                yield Row(fields, str(path), number)
    except (EOFError, gzip.BadGzipFile) as error:
        raise DataError(
            f"the gzip file is damaged: {error}",
            where=f"{path}:{number + 1}",
            mend="fetch it again",
        ) from None


def _parse_line(line: bytes, path: Path, number: int) -> dict[str, Any]:
    where = f"{path}:{number}"
    if number == 1 and line.lstrip().startswith(b"["):
        raise DataError(
            "this is one JSON list, not one object a line",
            where=where,
            mend=f"turn it into JSONL: jq -c '.[]' {path.name} > {path.stem}.jsonl",
        )
    try:
        value = json.loads(line)
    except UnicodeDecodeError:
        raise DataError("not UTF-8 text", where=where, mend="save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise DataError(
            f"not JSON: {error.msg} at character {error.pos + 1}",
            where=where,
            mend="one JSON object a line; mend or delete this line",
        ) from None
    if not isinstance(value, dict):
        raise DataError(
            f"a row is an object with named fields, this is {type(value).__name__}",
            where=where,
            mend='write {"text": ...} or another known format',
        )
    return value


def _read_parquet(path: Path) -> Iterator[Row]:
    parquet = require("pyarrow.parquet", "train")
    import pyarrow

    try:
        with parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS):
                for fields in batch.to_pylist():
                    number += 1
                    yield Row(fields, str(path), number)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(
            f"not a whole Parquet file: {error}", where=path, mend="fetch or write it again"
        ) from None


def _read_text(path: Path) -> Iterator[Row]:
    if path.stat().st_size > _LARGEST_TEXT:
        raise DataError(
            f"one document of {path.stat().st_size / 1e6:.0f} MB",
            where=path,
            mend='write its documents as JSONL, one {"text": ...} a line',
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DataError("not UTF-8 text", where=path, mend="save the file as UTF-8") from None
    yield Row({"text": text}, str(path), 1)


def digest_files(paths: list[Path]) -> tuple[str, int]:
    """Return (sha256, bytes): of the file itself, or of the names and hashes of several."""
    hashes = []
    for path in paths:
        with path.open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    size = sum(path.stat().st_size for path in paths)
    if len(hashes) == 1:
        return hashes[0], size
    lines = "".join(f"{path.name} {digest}\n" for path, digest in zip(paths, hashes, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest(), size
