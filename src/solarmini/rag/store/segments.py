"""The folder of segments beside a large SQLite store: `kb.db-index/`.

Everything in it is derived from the store and can be removed at any time. Its manifest is
replaced in one step, so that a reader sees one state or the next; only one process writes.
"""

import json
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from solarmini.rag.store.nearest import Nearest, write
from solarmini.rag.store.segment import Segment, load

_MANIFEST = "manifest.json"
_FORMAT = 1


class SegmentFolder:
    """Reads and replaces the segments of one store, known by the store's own id."""

    def __init__(self, store: Path, store_id: str) -> None:
        self.path = store.with_name(store.name + "-index")
        self._store_id = store_id

    def load(self) -> list[Segment]:
        """Return the segments, in ascending order of rows; none when they are not whole."""
        try:
            said = json.loads((self.path / _MANIFEST).read_text(encoding="utf-8"))
            if said["store"] != self._store_id or said["format"] != _FORMAT:
                return []
            return [load(self.path / name) for name in said["segments"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    @contextmanager
    def lock(self) -> Generator[bool]:
        """Yield whether this process may write; false at once when another is writing."""
        from filelock import FileLock, Timeout

        try:
            self.path.mkdir(exist_ok=True)
            lock = FileLock(self.path / "lock", timeout=0)
            lock.acquire()
        except (Timeout, OSError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def replace(self, kept: list[Segment], changed: list[Segment], graphs: bool) -> None:
        """Make `kept` (loaded from here) and `changed` (new) the segments; call under the lock.

        With `graphs` every one of them gets a graph over its vectors.
        """
        names: list[tuple[int, str]] = []
        for segment in kept:
            if isinstance(segment.terms, Path) and len(segment.rows):
                names.append((int(segment.rows[0]), segment.terms.parent.name))
        for segment in changed:
            if len(segment.rows):
                names.append((int(segment.rows[0]), self._write(segment)))
        names.sort()
        if graphs:
            for _, name in names:
                self._write_graph(self.path / name)
        said = {
            "format": _FORMAT,
            "store": self._store_id,
            "segments": [name for _, name in names],
        }
        from solarmini.checkpoint.atomic import write_file_atomic

        write_file_atomic(self.path / _MANIFEST, json.dumps(said))
        used = {name for _, name in names}
        for folder in self.path.iterdir():
            if folder.is_dir() and folder.name not in used:
                shutil.rmtree(folder, ignore_errors=True)

    def _write(self, segment: Segment) -> str:
        name = f"segment-{uuid.uuid4().hex[:12]}"
        folder = self.path / name
        folder.mkdir()
        segment.save(folder)
        return name

    def _write_graph(self, folder: Path) -> None:
        vectors = load(folder).vectors
        if vectors.shape[1] and Nearest.load(folder, vectors.shape[1]) is None:
            write(folder, vectors)

    def remove(self) -> None:
        """Remove the folder; the store builds it anew when it needs it."""
        shutil.rmtree(self.path, ignore_errors=True)
