"""The tokenizer of a GGUF file, without transformers where the file carries tokenizer.json."""

import hashlib
import json
from typing import Any

from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.checkpoint.resolve import cache_dir
from solarmini.text.light import LightTokenizer

_IDS = {
    "bos_token": "bos_token_id",
    "eos_token": "eos_token_id",
    "unk_token": "unknown_token_id",
    "pad_token": "padding_token_id",
}
_CACHE_VERSION = 1  # raised whenever a restored tokenizer changes


def tokenizer_of(file: GgufFile) -> LightTokenizer:
    """Return the tokenizer of a GGUF file.

    Files of ours carry it whole. For others it is restored from the vocabulary, which needs
    transformers, and kept in the cache. Raises CheckpointError for a vocabulary whose way of
    cutting text is not known.
    """
    template = file.metadata.get("tokenizer.chat_template")
    definition = file.metadata.get("tokenizer.huggingface.json")
    if isinstance(definition, str):
        config = json.loads(str(file.metadata.get("solar.tokenizer_config", "{}")))
    else:
        definition, config = _restored(file)
    tokens = file.metadata["tokenizer.ggml.tokens"]
    for name, key in _IDS.items():
        index = file.metadata.get(f"tokenizer.ggml.{key}")
        if config.get(name) is None and isinstance(index, int) and index < len(tokens):
            config[name] = tokens[index]
    return LightTokenizer(definition, config, chat_template=template, name=file.path.name)


def stop_ids_of(file: GgufFile) -> list[int]:
    """Return the ids at which the file says that an answer ends."""
    stated = file.metadata.get("solar.stop_ids")
    ids = [file.metadata.get(f"tokenizer.ggml.{key}_token_id") for key in ("eot", "eos", "eom")]
    return [int(index) for index in [*(stated or []), *ids] if isinstance(index, int)]


def _restored(file: GgufFile) -> tuple[str, dict[str, Any]]:
    from filelock import FileLock

    from solarmini.checkpoint.atomic import staged_output
    from solarmini.checkpoint.gguf_tokenizer import write_tokenizer
    from solarmini.errors import require

    require("transformers", "train")
    digest = hashlib.sha256(str(_CACHE_VERSION).encode())
    for key in sorted(key for key in file.metadata if key.startswith("tokenizer.")):
        digest.update(repr((key, file.metadata[key])).encode())
    made = cache_dir() / "tokenizers" / digest.hexdigest()[:16]
    made.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(made.with_suffix(".lock")):
        if not made.exists():
            with staged_output(made) as staging:
                write_tokenizer(file, staging)
    return (
        (made / "tokenizer.json").read_text(encoding="utf-8"),
        json.loads((made / "tokenizer_config.json").read_text(encoding="utf-8")),
    )
