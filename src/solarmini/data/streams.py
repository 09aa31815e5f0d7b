"""What the three builders of examples share: sources, counts, records, fingerprint."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

from solarmini.artifact import DataRecord
from solarmini.data.examples import STORE_VERSION, Example
from solarmini.data.formats import ParsedRow
from solarmini.data.mixing import Stop, mix
from solarmini.data.rows import SourceRow, digest_source, read_rows, source_licence
from solarmini.data.sources import PYTHON_DOCS, DataSource
from solarmini.errors import DataError

TooLong = Literal["error", "drop", "truncate"]
T = TypeVar("T")
P = TypeVar("P", bound=ParsedRow)
Reader = Callable[[DataSource, Counter[str]], Iterator[T]]

# Part of every fingerprint: raise it when the same input gives other examples.
_BUILDER_VERSION = 1


class Stream(Generic[T]):
    """Examples (or pairs) of several sources, made while iterating.

    ``fingerprint`` is known at once; ``records`` and ``counts`` are complete after an iteration.
    When all weights are equal every row comes once; with unequal weights the token shares follow
    them and the stream ends when a source that is due has no more.
    """

    def __init__(
        self,
        sources: Sequence[DataSource],
        settings: Mapping[str, Any],
        read: Reader[T],
        size: Callable[[T], int],
    ) -> None:
        """Remember what to read; nothing is read yet."""
        if not sources:
            raise DataError("no data source was given", mend="name at least one file")
        self.sources = tuple(sources)
        self._settings = dict(settings)
        self._read = read
        self._size = size
        self._tallies: list[Counter[str]] = []
        self._ended_by: DataSource | None = None

    @cached_property
    def _digests(self) -> list[tuple[str, int]]:
        return [digest_source(source) for source in self.sources]

    @cached_property
    def fingerprint(self) -> str:
        """Digest of data, tokenizer, template, lengths and the versions of this code."""
        chosen = [
            [digest, source.name, source.model_dump(exclude={"path"})]
            for (digest, _), source in zip(self._digests, self.sources, strict=True)
        ]
        text = json.dumps([STORE_VERSION, _BUILDER_VERSION, self._settings, chosen], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def __iter__(self) -> Iterator[T]:
        """Read all sources and yield what is made of them."""
        self._tallies = [Counter() for _ in self.sources]
        self._ended_by = None
        weights = [source.weight for source in self.sources]
        stop: Stop = "all" if len(set(weights)) == 1 else "first"
        streams = [
            self._watched(source, tally, stop)
            for source, tally in zip(self.sources, self._tallies, strict=True)
        ]
        for index, item in mix(streams, weights, self._size, stop=stop):
            self._tallies[index]["tokens"] += self._size(item)
            yield item

    def _watched(self, source: DataSource, tally: Counter[str], stop: Stop) -> Iterator[T]:
        yield from self._read(source, tally)
        if stop == "first":
            self._ended_by = source

    @property
    def counts(self) -> dict[str, int]:
        """Rows, tokens, and every row that was dropped or truncated, by reason."""
        return dict(sum(self._tallies, Counter()))

    @property
    def records(self) -> tuple[DataRecord, ...]:
        """One record a source: hash, rows, licence, and what was left out of it."""
        return tuple(
            DataRecord(
                name=source.name,
                sha256=digest,
                rows=tally["rows"],
                bytes=size,
                licence=source_licence(source),
                note=_note(source, tally, ended=source is self._ended_by),
            )
            for source, (digest, size), tally in zip(
                self.sources, self._digests, self._tallies, strict=True
            )
        )


class PairsAsExamples:
    """A stream of pairs seen as examples, chosen and rejected in turn, for the store."""

    def __init__(self, stream: Stream[tuple[Example, Example]]) -> None:
        """Wrap the stream of pairs."""
        self._stream = stream

    @property
    def fingerprint(self) -> str:
        """The pairs' fingerprint."""
        return self._stream.fingerprint

    @property
    def records(self) -> tuple[DataRecord, ...]:
        """The pairs' records."""
        return self._stream.records

    @property
    def counts(self) -> dict[str, int]:
        """The pairs' counts."""
        return self._stream.counts

    def __iter__(self) -> Iterator[Example]:
        """Yield both sides of each pair."""
        for pair in self._stream:
            yield from pair


def rows_of_kind(
    source: DataSource, kind: type[P], wanted: str, tally: Counter[str]
) -> Iterator[tuple[SourceRow, P]]:
    """Yield the rows of one kind; DataError naming the first row of another kind."""
    for row in read_rows(source):
        if not isinstance(row.value, kind):
            raise DataError(
                f"this stage needs {wanted}; the row is of the format '{row.format}'",
                where=row.row.where,
                mend="choose other data, or the stage that fits it: text for pretrain, "
                "conversations for instruct, preference triples for align",
            )
        tally["rows"] += 1
        yield row, row.value


def _note(source: DataSource, tally: Counter[str], *, ended: bool) -> str | None:
    parts = [f"{name} {getattr(source, name)}" for name in ("split", "limit")]
    parts = [part for part in parts if not part.endswith(" None")]
    if source.weight != 1.0:
        parts.append(f"weight {source.weight:g}")
    if source.path == PYTHON_DOCS:
        import platform

        parts.append(f"of Python {platform.python_version()}")
    left_out = sorted(set(tally) - {"rows", "tokens", "supervised"})
    parts += [f"{tally[name]} {name.replace('_', ' ')}" for name in left_out]
    if ended:
        parts.append("the mixture ended when it ran out")
    return ", ".join(parts) or None
