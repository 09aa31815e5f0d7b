"""Is a SQLite store sound? Everything that has to be there is there, once, and nothing else."""

import sqlite3

_HALVES = {
    "chunks without a document": (
        "SELECT count(*) FROM chunks WHERE document NOT IN (SELECT id FROM documents)"
    ),
    "chunks that the full-text index does not have": (
        "SELECT count(*) FROM chunks WHERE id NOT IN (SELECT rowid FROM lexicon)"
    ),
    "entries of the full-text index without a chunk": (
        "SELECT count(*) FROM lexicon WHERE rowid NOT IN (SELECT id FROM chunks)"
    ),
    "vectors without a chunk": (
        "SELECT count(*) FROM vectors WHERE chunk NOT IN (SELECT id FROM chunks)"
    ),
    "gaps in the order of a document's chunks": (
        "SELECT count(*) FROM (SELECT document FROM chunks GROUP BY document"
        " HAVING max(ordinal) + 1 <> count(*) OR min(ordinal) <> 0)"
    ),
}
_VECTORS = {
    "chunks without a vector": (
        "SELECT count(*) FROM chunks WHERE id NOT IN (SELECT chunk FROM vectors)"
    ),
    "vectors of a wrong length": "SELECT count(*) FROM vectors WHERE length(vector) <> {}",
}


def problems(connection: sqlite3.Connection, dimension: int) -> list[str]:
    """Return what is wrong with the store, in words.

    Raises sqlite3.DatabaseError where the file cannot even be read.
    """
    found = [said for (said,) in connection.execute("PRAGMA integrity_check(20)") if said != "ok"]
    try:
        connection.execute("INSERT INTO lexicon (lexicon) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        found.append(f"the full-text index does not fit its text: {error}")
    checks = dict(_HALVES)
    if dimension:
        checks |= {name: query.format(4 * dimension) for name, query in _VECTORS.items()}
    for name, query in checks.items():
        count = connection.execute(query).fetchone()[0]
        if count:
            found.append(f"{count} {name}")
    return found
