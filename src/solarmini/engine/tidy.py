"""Give memory back: a served model should take what it needs and not what its loading took."""

import contextlib
import ctypes
import gc
from dataclasses import replace

from solarmini.checkpoint.gguf_file import GgufFile


def without_vocabulary(file: GgufFile) -> GgufFile:
    """Return the file's record without its tokenizer, whose lists take a hundred bytes a token."""
    kept = {k: v for k, v in file.metadata.items() if not k.startswith("tokenizer.")}
    return replace(file, metadata=kept)


def release_memory() -> None:
    """Return freed memory to the system: glibc keeps it otherwise (34 MB of a vocabulary's)."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
