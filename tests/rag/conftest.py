"""Stores of both kinds; PostgreSQL is a real server that runs for the session."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rag_parts import HashingEmbedder

from solarmini.rag.store.interface import Store
from solarmini.rag.store.open import open_store


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real PostgreSQL with pgvector that runs for this test session only."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs complains where there is no login session
        pgserver = pytest.importorskip("pgserver")
        folder = tempfile.mkdtemp(prefix="solar-pg-")  # a socket's path has to be short
        server = pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
            shutil.rmtree(folder, ignore_errors=True)


def _emptied(url: str) -> str:
    from solarmini.rag.store.postgres_link import connect

    connection = connect(url)
    connection.run("DROP SCHEMA IF EXISTS solarmini CASCADE")
    connection.close()
    return url


@pytest.fixture(params=["sqlite", "segments", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new store goes: each kind in turn. "segments" is SQLite as when it is large."""
    if request.param == "postgresql":
        return _emptied(request.getfixturevalue("postgres_server"))
    if request.param == "segments":
        monkeypatch = request.getfixturevalue("monkeypatch")
        monkeypatch.setattr("solarmini.rag.store.sqlite.SEGMENTS_ABOVE", 2)
    return str(tmp_path / "kb.db")


@pytest.fixture
def opened() -> Iterator[Callable[[str], Store]]:
    """Open stores that are closed after the test."""
    stores: list[Store] = []

    def make(url: str) -> Store:
        stores.append(open_store(url))
        return stores[-1]

    yield make
    for store in stores:
        store.close()
