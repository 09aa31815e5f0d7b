"""Questions with what is right: answers, and the pages that hold them."""

import json
from pathlib import Path

from pydantic import Field, ValidationError

from solarmini.config import Settings
from solarmini.errors import DataError


class Asked(Settings):
    """A line of a questions file.

    `answers` are texts of which a right answer contains one; `source` is a shell pattern for the
    file's name and `pages` the pages that answer. With neither answers nor source the question is
    one that the documents do not answer. `history` are the questions before it.
    """

    question: str = Field(min_length=1)
    id: str = ""
    answers: tuple[str, ...] = ()
    source: str | None = None
    pages: tuple[int, ...] = ()
    history: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether the documents answer it."""
        return bool(self.answers or self.source)


def read_questions(path: Path) -> list[Asked]:
    """Read JSON Lines of `Asked`; DataError names the line that is wrong."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the questions cannot be read: {error}", where=path) from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(Asked.model_validate(json.loads(line)))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            what = f"'{key}': {first['msg']}"
            raise DataError(what, where=f"{path}:{number}") from None
        except json.JSONDecodeError as error:
            raise DataError(f"not JSON: {error}", where=f"{path}:{number}") from None
    if not found:
        raise DataError("no questions in the file", where=path)
    return found
