"""Which chunks may be found: conditions on the source, its metadata, and the place within."""

import fnmatch
from collections.abc import Iterable
from typing import Any

from pydantic import Field

from solarmini.config import Settings
from solarmini.rag.chunk.model import Kind
from solarmini.rag.store.records import DocumentRecord


class Filters(Settings):
    """Conditions that all have to hold; one left out does not restrict.

    `sources` are shell patterns, matched against the whole source and against its file name.
    `pages` are the first and last page a chunk may touch. `heading` is text that one of the
    titles above the chunk contains, in any case. `metadata` values must be equal.
    """

    sources: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    pages: tuple[int, int] | None = None
    heading: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)

    @property
    def on_documents(self) -> bool:
        """Whether any condition is on the source as a whole."""
        return bool(self.sources or self.formats or self.metadata)

    @property
    def on_chunks(self) -> bool:
        """Whether any condition is on the chunk."""
        return bool(self.kinds or self.pages or self.heading)

    def admits(self, document: DocumentRecord) -> bool:
        """Whether the chunks of `document` may be found."""
        name = document.source.rsplit("/", 1)[-1]
        return (
            (
                not self.sources
                or any(
                    fnmatch.fnmatchcase(document.source, pattern)
                    or fnmatch.fnmatchcase(name, pattern)
                    for pattern in self.sources
                )
            )
            and (not self.formats or document.format in self.formats)
            and all(document.metadata.get(key) == value for key, value in self.metadata.items())
        )

    def conditions(self, lower: str) -> tuple[list[str], dict[str, Any]]:
        """Return SQL conditions on the table `chunks` and the values they name.

        `lower` is the SQL expression, with {} for text, that the dialect folds case with.
        """
        parts: list[str] = []
        values: dict[str, Any] = {}
        if self.kinds:
            parts.append(_one_of("kind", "kind", self.kinds, values))
        if self.pages:
            parts.append("last_page >= :first_page AND first_page <= :last_page")
            values["first_page"], values["last_page"] = self.pages
        if self.heading:
            parts.append(f"{lower.format('heading')} LIKE :heading ESCAPE '!'")
            bare = self.heading.casefold()
            for sign in "!%_":
                bare = bare.replace(sign, "!" + sign)
            values["heading"] = f"%{bare}%"
        return parts, values


def _one_of(column: str, name: str, options: Iterable[str], values: dict[str, Any]) -> str:
    keys = []
    for number, option in enumerate(options):
        values[f"{name}{number}"] = option
        keys.append(f":{name}{number}")
    return f"{column} IN ({', '.join(keys)})"
