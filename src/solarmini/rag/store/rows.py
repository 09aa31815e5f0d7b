"""Rows of a table to records and back, the same for every store."""

import json
from collections.abc import Sequence
from typing import Any

from solarmini.rag.chunk.model import Chunk, places_from_json
from solarmini.rag.store.records import DocumentRecord

DOCUMENT = "source, sha256, size, recipe, format, pages, title, problems, metadata"


def document_values(document: DocumentRecord) -> dict[str, Any]:
    """Return the values of the columns in `DOCUMENT`, by name and in their order."""
    return {
        "source": document.source,
        "sha256": document.sha256,
        "size": document.size,
        "recipe": document.recipe,
        "format": document.format,
        "pages": document.pages,
        "title": document.title,
        "problems": json.dumps(document.problems, ensure_ascii=False),
        "metadata": json.dumps(dict(document.metadata), ensure_ascii=False),
    }


def document_of(row: Sequence[Any]) -> DocumentRecord:
    """Read a row of the columns in `DOCUMENT`."""
    source, sha256, size, recipe, kind, pages, title, problems, metadata = row
    return DocumentRecord(
        source=source,
        sha256=sha256,
        size=size,
        recipe=recipe,
        format=kind,
        pages=pages,
        title=title,
        problems=tuple(json.loads(problems)),
        metadata=json.loads(metadata),
    )


def chunk_of(row: Sequence[Any]) -> Chunk:
    """Read a row of chunk_id, kind, text, heading, places, tokens, section, markup."""
    name, kind, text, heading, places, tokens, section, markup = row
    return Chunk(
        id=name,
        kind=kind,
        text=text,
        heading=tuple(json.loads(heading)),
        places=places_from_json(places),
        tokens=tokens,
        section=section,
        markup=markup,
    )
