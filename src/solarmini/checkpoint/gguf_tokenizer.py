"""The tokenizer inside a GGUF file → tokenizer.json, with its chat template."""

import json
from pathlib import Path
from typing import Any

from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.errors import CheckpointError

# Byte-level vocabularies whose text is cut at every digit first, then by GPT-2's rule. A loader
# that leaves the digits out cuts "\n\n1" into other tokens than the model was trained on.
_DIGITS_FIRST = {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"}
_PLAIN_GPT2 = {"default", "gpt-2", "mpt", "olmo", "jais", "phi-2"}
_NOISE = ("backend", "is_local", "local_files_only")


def write_tokenizer(file: GgufFile, folder: Path) -> None:
    """Write tokenizer.json, tokenizer_config.json and the chat template into `folder`.

    Raises CheckpointError for a vocabulary whose way of cutting text is not known: a near guess
    would give a model that reads other tokens than it was trained on.
    """
    from tokenizers import pre_tokenizers

    tokenizer = _load(file)
    pre = str(file.metadata.get("tokenizer.ggml.pre", "default"))
    if file.metadata.get("tokenizer.ggml.model") == "gpt2":
        if pre in _DIGITS_FIRST:
            tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
                [
                    pre_tokenizers.Digits(individual_digits=True),
                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
                ]
            )
        elif pre not in _PLAIN_GPT2 and pre not in _known_splits():
            raise CheckpointError(
                f"the way this vocabulary cuts text ('{pre}') is not known",
                where=file.path,
                mend="use the safetensors version of the model",
            )
    tokenizer.model_max_length = int(file.need("context_length"))
    tokenizer.save_pretrained(folder)
    _tidy(folder / "tokenizer_config.json")


def _load(file: GgufFile) -> Any:
    from transformers import GemmaTokenizer, PreTrainedTokenizerFast

    sentencepiece = file.metadata.get("tokenizer.ggml.model") == "llama"
    gemma = sentencepiece and file.architecture.startswith("gemma")
    kind = GemmaTokenizer if gemma else PreTrainedTokenizerFast
    try:
        return kind.from_pretrained(str(file.path.parent), gguf_file=file.path.name)
    except (ValueError, KeyError, OSError) as error:
        raise CheckpointError(
            f"the tokenizer of the GGUF file cannot be read: {error}", where=file.path
        ) from error


def _known_splits() -> set[str]:
    try:
        from transformers.integrations.gguf.gguf_tokenizer_mapping import (
            GGUF_PRE_TOKENIZER_SPLITS,
        )
    except ImportError:  # before transformers 5.20 the rule was chosen by architecture alone
        return {"llama-bpe", "qwen2"}
    return set(GGUF_PRE_TOKENIZER_SPLITS)


def _tidy(path: Path) -> None:
    """Name a tokenizer class that every transformers knows, and drop traces of this machine."""
    config = json.loads(path.read_text(encoding="utf-8"))
    for key in _NOISE:
        config.pop(key, None)
    if config.get("tokenizer_class") == "TokenizersBackend":
        config["tokenizer_class"] = "PreTrainedTokenizerFast"
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
