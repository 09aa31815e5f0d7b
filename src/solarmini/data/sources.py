"""What a stage is told to read: a file, folder, pattern, dataset or built-in text."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from solarmini.config import Settings, parse_settings
from solarmini.errors import DataError

Format = Literal["auto", "text", "messages", "alpaca", "orca", "sharegpt", "preference"]
Split = Literal["train", "heldout"]

HUB = "hf:"
PYTHON_DOCS = "python-docs"
_SPLITS = ("train", "heldout")
_SPEC = re.compile(r"(?P<path>.+?)(?:#(?P<split>[A-Za-z_-]*))?(?:@(?P<limit>\d+))?", re.DOTALL)


class DataSource(Settings):
    """One source of rows.

    ``path`` is a file, a folder, a pattern, ``hf:owner/name[/config][:split]``, or
    ``python-docs``.
    ``split`` keeps the deterministic nine tenths (``train``) or the rest (``heldout``), by the
    hash of the row's prompt or text, so copies of a row never end up on both sides. ``limit``
    keeps the first rows. ``weight`` is the source's share of tokens when several are mixed.
    """

    path: str = Field(
        min_length=1,
        description="File, folder, pattern, `hf:owner/name[/config][:split]`, or `python-docs`.",
    )
    format: Format = Field(
        "auto", description="How rows are read; `auto` tells by the first row of each file."
    )
    limit: int | None = Field(
        default=None, gt=0, description="Keep the first so many rows (after the split)."
    )
    split: Split | None = Field(
        None, description="Nine tenths of the rows, or the rest; left out: all rows."
    )
    weight: float = Field(
        default=1.0,
        gt=0,
        allow_inf_nan=False,
        description="Share of tokens relative to the other sources; all equal: every row once.",
    )
    licence: str | None = Field(
        None, description="Licence of the data, written into the manifest; left out: unknown."
    )

    @property
    def is_builtin(self) -> bool:
        """Whether the text comes with the program."""
        return self.path == PYTHON_DOCS

    @property
    def is_hub(self) -> bool:
        """Whether it is a Hugging Face dataset."""
        return self.path.startswith(HUB)

    @property
    def name(self) -> str:
        """Short name for records and tables, without the folders above it."""
        if self.is_builtin or (self.is_hub and not Path(self.path[len(HUB) :]).is_absolute()):
            return self.path
        return Path(self.path).name or self.path


def parse_source(spec: str | Mapping[str, Any]) -> DataSource:
    """Read a source from the command line's ``path[#split][@limit]`` or a recipe's table."""
    if not isinstance(spec, str):
        return parse_settings(DataSource, spec, "data source")
    if Path(spec).exists():  # a file may be called a#b or a@1
        return DataSource(path=spec)
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise DataError("an empty data source", mend="write path[#train|#heldout][@rows]")
    found = match.groupdict()
    split = found["split"]
    if split is not None and split not in _SPLITS:
        near = difflib.get_close_matches(split, _SPLITS, n=1)
        hint = f"did you mean '#{near[0]}'?" if near else "splits are #train and #heldout"
        raise DataError(f"unknown split '#{split}'", where=spec, mend=hint)
    limit = None if found["limit"] is None else int(found["limit"])
    mapping = {"path": found["path"], "split": split, "limit": limit}
    return parse_settings(DataSource, mapping, spec)
