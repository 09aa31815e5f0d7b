"""Rows out of a Hugging Face dataset: `hf:owner/name[/config][:split]` or a local folder."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from solarmini.data.files import Row
from solarmini.data.sources import HUB, DataSource
from solarmini.errors import DataError, require


def parts(reference: str) -> tuple[str, str | None, str]:
    """Split `owner/name[/config][:split]` into dataset, config and split ("train" unless named)."""
    name, colon, split = reference.rpartition(":")
    if not colon or "/" in split:
        name, split = reference, "train"
    owner, _, rest = name.partition("/")
    repository, _, config = rest.partition("/")
    return f"{owner}/{repository}", config or None, split


def _load(source: DataSource) -> Any:
    """Return the dataset, memory-mapped from the cache of `datasets`."""
    datasets = require("datasets", "train")
    reference = source.path[len(HUB) :]
    dataset, config, split = parts(reference)
    name = reference.removesuffix(f":{split}")
    folder = Path(name)
    try:
        if (folder / "state.json").is_file():
            return datasets.load_from_disk(name)
        if (folder / "dataset_dict.json").is_file():
            return datasets.load_from_disk(name)[split]
        if folder.is_dir():
            return datasets.load_dataset(name, split=split)
        return datasets.load_dataset(dataset, config, split=split)
    except (OSError, ValueError, KeyError) as error:
        # datasets' own errors are OSError or ValueError subclasses; so is being offline
        raise DataError(
            f"the dataset cannot be loaded: {error}",
            where=source.path,
            mend="check owner/name and split, or give a local folder: hf:/path/to/folder",
        ) from None


def read_hub(source: DataSource) -> Iterator[Row]:
    """Yield the dataset's rows in order."""
    for number, fields in enumerate(_load(source), start=1):
        yield Row(dict(fields), source.path, number)


def digest_hub(source: DataSource) -> tuple[str, int]:
    """Return (sha256, bytes) over all rows as canonical JSON: independent of cache files."""
    digest = hashlib.sha256()
    size = 0
    for row in read_hub(source):
        line = json.dumps(row.fields, sort_keys=True, ensure_ascii=False, default=str).encode()
        digest.update(line + b"\n")
        size += len(line) + 1
    return digest.hexdigest(), size
