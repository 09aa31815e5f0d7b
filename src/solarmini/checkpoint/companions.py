"""The files beside the weights that a model cannot do without."""

import shutil
from pathlib import Path

_PATTERNS = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "spiece.model",
    "chat_template*",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "LICENSE*",
    "NOTICE*",
    "USE_POLICY*",
)


def companion_files(folder: Path) -> list[Path]:
    """Return tokenizer, template, generation and licence files of a model folder, sorted."""
    found = {path for pattern in _PATTERNS for path in folder.glob(pattern) if path.is_file()}
    return sorted(found)


def copy_companions(src: Path, dst: Path) -> None:
    """Copy the companion files of `src` into `dst` (files only, content unchanged)."""
    for path in companion_files(src):
        shutil.copyfile(path, dst / path.name)
