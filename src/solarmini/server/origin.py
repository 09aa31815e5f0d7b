"""What is known of a model's file and of how it was made; used in the engine's process."""

from pathlib import Path
from typing import Any

_SHOWN = ("general.", "solar.")
_LONGEST = 500  # characters of a stated fact; whole tokenizers are facts too


def facts_of(engine: Any, model: str) -> dict[str, Any]:
    """Return what is known of a model that an engine has loaded."""
    from solarmini.artifact import read_manifest

    facts: dict[str, Any] = {"context_length": engine.context_length, "manifest": None}
    path = getattr(engine, "path", None)
    if isinstance(path, Path):
        facts |= _of_file(path)
    folder = Path(model).expanduser()
    if folder.is_dir() and (manifest := read_manifest(folder)) is not None:
        facts["manifest"] = manifest.model_dump(exclude={"files"})
    return facts


def _of_file(path: Path) -> dict[str, Any]:
    from math import prod

    from solarmini.checkpoint.gguf_file import GgufFile

    file = GgufFile.open(path)
    stated = {
        key: value
        for key, value in file.metadata.items()
        if key.startswith(_SHOWN)
        and isinstance(value, (str, int, float, bool))
        and len(str(value)) <= _LONGEST
    }
    return {
        "file": {
            "name": path.name,
            "bytes": path.stat().st_size,
            "parameters": sum(prod(tensor.shape) for tensor in file.tensors.values()),
            "layers": file.get("block_count"),
            "stated": stated,
        }
    }
