"""Parsed rows of a source, with its split and limit applied, one at a time."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from solarmini.data.files import OnError, Row, digest_files, find_files, read_file
from solarmini.data.formats import ChatRow, Format, PairRow, ParsedRow, TextRow, parse_row
from solarmini.data.formats import detect_format as detect
from solarmini.data.hub import digest_hub, read_hub
from solarmini.data.python_docs import LICENCE, digest_python_docs, python_docs
from solarmini.data.sources import PYTHON_DOCS, DataSource
from solarmini.errors import DataError

HELDOUT_ONE_IN = 10


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row with its meaning and the place it came from."""

    row: Row
    value: ParsedRow
    format: Format


def read_rows(source: DataSource, on_error: OnError | None = None) -> Iterator[SourceRow]:
    """Yield the rows of ``source``; the format is told per file by its first row.

    A malformed row raises DataError, or is handed to ``on_error`` and left out.
    """
    kept = 0
    for rows in _files(source, on_error):
        format = source.format
        for row in rows:
            try:
                if format == "auto":
                    format = detect(row)
                value = parse_row(row, format)
            except DataError as error:
                if on_error is None:
                    raise
                on_error(error)
                continue
            if source.split is not None and is_heldout(value) != (source.split == "heldout"):
                continue
            yield SourceRow(row, value, format)
            kept += 1
            if source.limit is not None and kept >= source.limit:
                return


def _files(source: DataSource, on_error: OnError | None) -> Iterator[Iterator[Row]]:
    if source.is_builtin:
        documents = enumerate(python_docs(), start=1)
        yield (Row({"text": text}, PYTHON_DOCS, number) for number, text in documents)
    elif source.is_hub:
        yield read_hub(source)
    else:
        for path in find_files(source):
            yield read_file(path, on_error)


def digest_source(source: DataSource) -> tuple[str, int]:
    """Return (sha256, bytes) of everything the source could give, before split and limit."""
    if source.is_builtin:
        return digest_python_docs()
    if source.is_hub:
        return digest_hub(source)
    return digest_files(find_files(source))


def source_licence(source: DataSource) -> str | None:
    """Return the licence that was stated, that of a built-in text, or None: unknown."""
    return source.licence or (LICENCE if source.is_builtin else None)


def row_hash(value: ParsedRow, *, prompt_only: bool = False) -> str:
    """Return a sha256 of what the row says, or of what it asks."""
    match value:
        case TextRow(text):
            said: object = text
        case ChatRow(messages):
            answers = [place for place, m in enumerate(messages) if m["role"] == "assistant"]
            said = messages[: answers[0]] if prompt_only and answers else messages
        case PairRow(prompt, chosen, rejected):
            said = prompt if prompt_only else (prompt, chosen, rejected)
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_heldout(value: ParsedRow) -> bool:
    """Say whether a row is held out: one in ten, decided by its text or prompt alone."""
    return int(row_hash(value, prompt_only=True)[:8], 16) % HELDOUT_ONE_IN == 0
