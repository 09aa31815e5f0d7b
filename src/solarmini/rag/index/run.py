"""Bringing a store up to date with files: add, update, delete; what is done stays done."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from solarmini.errors import DocumentError, SolarError
from solarmini.rag.chunk.build import chunk
from solarmini.rag.chunk.model import Chunk, ChunkSize, Parsed
from solarmini.rag.chunk.tokens import TokenCounter
from solarmini.rag.embed.interface import Embedder
from solarmini.rag.index.sources import LayoutParser, file_hash, find_files, read_source
from solarmini.rag.lexical.terms import ANALYSIS, document_terms
from solarmini.rag.store.interface import Store
from solarmini.rag.store.records import DocumentRecord, NewChunk

# Raised when chunks of the same file would come out otherwise than before.
CHUNKER = "chunks-2"
_BATCH = 32  # chunks embedded between two savings


Action = Literal["reading", "added", "updated", "unchanged", "deleted", "failed"]


@dataclass(frozen=True, slots=True)
class Event:
    """What was done with one source; `bytes` are those of its file.

    An action of "reading" tells how far a source is (`share`, 0..1); it is then followed by
    "added", "updated" or "failed". "unchanged" and "deleted" stand alone.
    """

    source: str
    action: Action
    bytes: int = 0
    chunks: int = 0
    problems: tuple[str, ...] = ()
    share: float = 1.0


@dataclass(slots=True)
class Report:
    """What a run did: sources by action, and chunks written."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    problems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    chunks: int = 0

    def take(self, event: Event) -> None:
        """Count one event."""
        if event.action == "reading":
            return
        if event.action == "failed":
            self.failed[event.source] = event.problems[0]
            return
        getattr(self, event.action).append(event.source)
        self.chunks += event.chunks
        if event.problems:
            self.problems[event.source] = event.problems


@dataclass(frozen=True, slots=True)
class Indexer:
    """How files become stored chunks."""

    store: Store
    embedder: Embedder | None
    layout: LayoutParser
    size: ChunkSize
    count: TokenCounter
    metadata: Mapping[str, str]
    observe: Callable[[Event], None]

    @property
    def recipe(self) -> str:
        """What, besides the file itself, its chunks depend on."""
        s = self.size
        sizes = f"{s.target}/{s.most}/{s.table}"
        said = ",".join(f"{key}={value}" for key, value in sorted(self.metadata.items()))
        return f"{CHUNKER} {ANALYSIS} {sizes} {s.counter} {said}".strip()

    def update(self, paths: Iterable[Path]) -> Iterator[Event]:
        """Index files and folders, one transaction each; yield an event for every source.

        A file whose bytes and recipe are those of its stored self is left alone. Sources that
        lie in one of the folders and are gone from it are deleted. A file that cannot be read is
        reported, keeps its former self in the store, and does not stop the others.
        """
        places = [path.resolve() for path in paths]
        stored = {record.source: record for record in self.store.documents()}
        files = list(find_files(places))
        for source in self._vanished(places, files, stored):
            self.store.delete(source)
            yield Event(source, "deleted")
        for path in files:
            yield self._update_one(path, stored.get(path.as_posix()))
        self.store.forget_vectors()
        self.store.tidy()

    def _vanished(
        self, places: list[Path], files: list[Path], stored: Mapping[str, DocumentRecord]
    ) -> list[str]:
        present = {path.as_posix() for path in files}
        folders = [path.as_posix().rstrip("/") + "/" for path in places if path.is_dir()]
        return [
            source
            for source in stored
            if source not in present and any(source.startswith(folder) for folder in folders)
        ]

    def _update_one(self, path: Path, former: DocumentRecord | None) -> Event:
        source = path.as_posix()
        try:
            size = path.stat().st_size
            digest = file_hash(path)
            if former and former.sha256 == digest and former.recipe == self.recipe:
                return Event(source, "unchanged", size)
            parsed = read_source(path, self.layout)
        except OSError as error:
            return Event(source, "failed", problems=(f"cannot be read: {error.strerror}",))
        except DocumentError as error:
            return Event(source, "failed", problems=(error.what,))
        except SolarError:  # a missing package, a store that is gone: no source could be read
            raise
        except Exception as error:  # a fault in a reader costs its source, not all the others
            fault = f"a fault in its reader: {type(error).__name__}: {error}"
            return Event(source, "failed", problems=(fault,))
        record = DocumentRecord(
            source, digest, size, self.recipe, parsed.format, parsed.pages, parsed.title,
            parsed.problems, dict(self.metadata),
        )  # fmt: skip
        chunks = self.write(record, parsed)
        action: Action = "updated" if former else "added"
        return Event(source, action, size, chunks, parsed.problems)

    def write(self, record: DocumentRecord, parsed: Parsed) -> int:
        """Store a source that was read; return how many chunks it has."""
        chunks = chunk(parsed, self.size, self.count)
        vectors = self._vectors(chunks, record)
        new = [NewChunk(c, document_terms(c.search_text), vectors.get(c.id)) for c in chunks]
        self.store.replace(record, new)
        return len(chunks)

    def _vectors(self, chunks: list[Chunk], record: DocumentRecord) -> dict[str, np.ndarray]:
        """Return the vectors of chunks; those known already are not made again."""
        if self.embedder is None:
            return {}
        known = self.store.vectors_of(c.id for c in chunks)
        missing = list({c.id: c for c in chunks if c.id not in known}.values())
        for at in range(0, len(missing), _BATCH):
            batch = missing[at : at + _BATCH]
            made = self.embedder.passages([c.search_text for c in batch])
            found = {c.id: vector for c, vector in zip(batch, made, strict=True)}
            if len(missing) > _BATCH:
                self.store.keep_vectors(found)
            known.update(found)
            share = min(at + _BATCH, len(missing)) / len(missing)
            self.observe(Event(record.source, "reading", record.size, share=share))
        return known


def run(indexer: Indexer, paths: Iterable[Path]) -> Report:
    """Index `paths`; tell `indexer.observe` of every source; return what was done."""
    report = Report()
    for event in indexer.update(paths):
        report.take(event)
        indexer.observe(event)
    return report
