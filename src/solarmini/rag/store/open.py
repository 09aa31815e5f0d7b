"""Which store a URL means."""

from pathlib import Path

from solarmini.errors import StoreError
from solarmini.rag.store.interface import Store


def open_store(url: str | Path, create: bool = True) -> Store:
    """Open the store at `url`: a path or sqlite:///PATH, or postgresql://….

    With create=False a SQLite file that is not there is an error instead of a new store. Raises
    StoreError, of which CorruptStoreError is one kind.
    """
    text = str(url)
    if text.startswith(("postgresql://", "postgres://")):
        from solarmini.rag.store.postgres import PostgresStore

        return PostgresStore(text)
    if "://" in text and not text.startswith("sqlite:///"):
        raise StoreError(
            "no store is kept at such a URL",
            where=text,
            mend="use a file such as kb.db, or postgresql://user@host/database",
        )
    path = Path(text.removeprefix("sqlite:///")).expanduser()
    if not create and not path.exists():
        raise StoreError(
            "there is no knowledge base here",
            where=path,
            mend="make one: solar index DIR --store " + path.name,
        )
    from solarmini.rag.store.sqlite import SQLiteStore

    return SQLiteStore(path)
