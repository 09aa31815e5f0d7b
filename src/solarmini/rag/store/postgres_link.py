"""A connection to PostgreSQL: from a URL, with errors that say what to do."""

import os
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from solarmini.errors import CorruptStoreError, StoreError, require

_PORT = 5432
_DAMAGED = ("XX001", "XX002")  # data_corrupted, index_corrupted


def connect(url: str) -> Any:
    """Return a pg8000 connection for `postgresql://user:password@host:port/database`.

    `?host=FOLDER` connects through a socket file there; `?sslmode=require` encrypts. User and
    password may also be in PGUSER and PGPASSWORD. Raises StoreError.
    """
    native = require("pg8000.native", "rag")
    parts = urlsplit(url)
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = options.get("host") or parts.hostname or "localhost"
    port = parts.port or int(options.get("port", _PORT))
    wanted: dict[str, Any] = {
        "user": unquote(parts.username or "") or os.environ.get("PGUSER", "postgres"),
        "password": unquote(parts.password or "") or os.environ.get("PGPASSWORD"),
        "database": unquote(parts.path.lstrip("/")) or "postgres",
    }
    if host.startswith("/"):
        wanted["unix_sock"] = str(Path(host, f".s.PGSQL.{port}"))
    else:
        wanted |= {"host": host, "port": port}
    if options.get("sslmode", "disable") not in ("disable", "allow", "prefer"):
        wanted["ssl_context"] = ssl.create_default_context()
    with guard(url):
        return native.Connection(**wanted, application_name="solar-mini")


def without_password(url: str) -> str:
    """Return a URL that can be shown."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    return url.replace(f":{parts.password}@", ":…@", 1)


@contextmanager
def guard(url: str) -> Generator[None]:
    """Turn errors of the server and of the line to it into ours."""
    exceptions = require("pg8000.exceptions", "rag")
    where = without_password(url)
    try:
        yield
    except exceptions.DatabaseError as error:
        said = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        message = said.get("M", str(error))
        if said.get("C") in _DAMAGED:
            raise CorruptStoreError(f"the server says: {message}", where=where) from error
        raise StoreError(f"the server says: {message}", where=where) from error
    except (exceptions.InterfaceError, OSError) as error:
        raise StoreError(
            f"the server cannot be reached: {error}",
            where=where,
            mend="is it running, and are host, port, user and password right?",
        ) from error
