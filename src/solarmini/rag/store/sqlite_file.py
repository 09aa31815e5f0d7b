"""Opening the SQLite file of a knowledge base: its schema, its errors, its locks."""

import sqlite3
import struct
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from solarmini.errors import CorruptStoreError, StoreError

APPLICATION_ID = 0x534F4C52  # "SOLR"
SCHEMA_VERSION = 1
_MAGIC = b"SQLite format 3\0"
_WAIT_SECONDS = 120.0  # for another writer

SCHEMA = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
  id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL,
  size INTEGER NOT NULL, recipe TEXT NOT NULL, format TEXT NOT NULL, pages INTEGER NOT NULL,
  title TEXT, problems TEXT NOT NULL, metadata TEXT NOT NULL);
CREATE TABLE chunks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL, section INTEGER NOT NULL, chunk_id TEXT NOT NULL,
  print INTEGER NOT NULL, words INTEGER NOT NULL, grams INTEGER NOT NULL, kind TEXT NOT NULL,
  heading TEXT NOT NULL, first_page INTEGER NOT NULL, last_page INTEGER NOT NULL,
  tokens INTEGER NOT NULL, places TEXT NOT NULL, text TEXT NOT NULL, markup TEXT);
CREATE INDEX chunks_light ON chunks (print, words, grams);
CREATE INDEX chunks_by_name ON chunks (chunk_id);
CREATE INDEX chunks_in_order ON chunks (document, ordinal);
CREATE TABLE vectors (
  chunk INTEGER PRIMARY KEY REFERENCES chunks (id) ON DELETE CASCADE, vector BLOB NOT NULL);
CREATE TABLE kept_vectors (chunk_id TEXT PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE lexicon USING fts5(terms, tokenize = "ascii tokenchars '_'");
"""

_TEMPORARY = """
CREATE VIRTUAL TABLE temp.occurrences USING fts5vocab(main, lexicon, instance);
CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, lexicon, row);
"""


def open_file(path: Path) -> sqlite3.Connection:
    """Open or make the store at `path` in write-ahead mode; every write is flushed to disk.

    Raises CorruptStoreError when the file is damaged or is not a store of ours, StoreError when
    it cannot be opened or a newer version wrote it.
    """
    _check_header(path)
    try:
        connection = sqlite3.connect(
            path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise StoreError(f"the store cannot be opened: {error}", where=path) from error
    try:
        with guard(path):
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
            connection.execute("PRAGMA cell_size_check = ON")
            _prepare(connection, path)
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_TEMPORARY)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    kind, version = _identity(connection)
    if kind == 0 and version == 0:
        with writing(connection):
            kind, version = _identity(connection)  # another process may have made it meanwhile
            if kind == 0:
                _create(connection, path)
        kind, version = _identity(connection)
    if kind != APPLICATION_ID:
        raise _not_ours(path)
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the store was written by a newer version of solar-mini (schema {version})",
            where=path,
            mend="upgrade solar-mini",
        )
    _write_ahead(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Readers never wait for a writer. SQLite does not wait by itself when it changes the mode."""
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.01)


def _identity(connection: sqlite3.Connection) -> tuple[int, int]:
    """Read both marks in one statement: another process may be writing them just now."""
    query = "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version"
    return connection.execute(query).fetchone()


def _create(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise _not_ours(path)
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    made = [("id", uuid.uuid4().hex), ("generation", "0")]
    connection.executemany("INSERT INTO settings VALUES (?, ?)", made)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _check_header(path: Path) -> None:
    """Refuse a folder, a file of another kind, and one that was cut short."""
    if path.is_dir():
        raise StoreError("the store is a folder", where=path, mend="name a file, such as kb.db")
    if not path.parent.is_dir():
        raise StoreError("the folder of the store does not exist", where=path.parent)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"the store cannot be read: {error}", where=path) from error
    if size == 0:
        return
    if not head.startswith(_MAGIC) or len(head) < 100:
        raise _not_ours(path)
    page_size = struct.unpack(">H", head[16:18])[0]
    page_size = 65536 if page_size == 1 else page_size
    pages = struct.unpack(">I", head[28:32])[0]
    written, counted = head[24:28], head[92:96]
    logged = path.with_name(path.name + "-wal")
    if written == counted and size < pages * page_size and not _holds_pages(logged):
        raise CorruptStoreError(
            f"the store is cut short: {size:,} of {pages * page_size:,} bytes are there",
            where=path,
            mend="restore it from a copy, or index the documents again into a new file",
        )


def _holds_pages(log: Path) -> bool:
    return log.is_file() and log.stat().st_size > 0


def _not_ours(path: Path) -> CorruptStoreError:
    return CorruptStoreError(
        "the file is damaged or is not a knowledge base of solar-mini",
        where=path,
        mend="name another file, or restore this one from a copy",
    )


@contextmanager
def guard(path: Path) -> Generator[None]:
    """Turn errors of SQLite into ours: damage is CorruptStoreError, all else StoreError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreError(
                f"another process has been writing to the store for {_WAIT_SECONDS:.0f} s",
                where=path,
                mend="wait for it to end, or stop it",
            ) from error
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise _damaged(path, error) from error
        if code == sqlite3.SQLITE_FULL:
            mend = "free some space; what was stored before is whole"
            raise StoreError("the disk is full", where=path, mend=mend) from error
        if "no such table" in str(error) or "no such column" in str(error):
            raise _damaged(path, error) from error
        raise StoreError(f"the store failed: {error}", where=path) from error
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: sqlite3.Error) -> CorruptStoreError:
    return CorruptStoreError(
        f"the store is damaged: {error}",
        where=path,
        mend="restore it from a copy, or index the documents again into a new file",
    )


@contextmanager
def writing(connection: sqlite3.Connection) -> Generator[None]:
    """Run a block as one transaction that waits for other writers before it begins."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
