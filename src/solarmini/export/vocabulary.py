"""A tokenizer → the `tokenizer.*` metadata of a GGUF file.

Two families cover the models we write: byte-level BPE (`gpt2` in GGUF) and BPE over ▁ with byte
fallback (`llama`, SentencePiece). How a byte-level vocabulary cuts text before its merges is a
name in GGUF, and the rule behind it is llama.cpp's code: a rule that none of the names stands for
is an error, since a near guess is a model that reads other tokens than it was trained on.

The whole `tokenizer.json` travels along (`tokenizer.huggingface.json`, a key of the GGUF
specification), so that our engine needs no second description of the same tokenizer.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from solarmini.errors import ExportError
from solarmini.text.tokenizer import PieceTokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
_NEVER = -1e9  # score of a piece that no merge makes
_WORDS = r"\s+(?!\S)|\s+"
_CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_CASED = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
)
# the published split rules that llama.cpp knows, and its names for them
_SPLITS = {
    _CONTRACTIONS
    + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    + _WORDS: "llama-bpe",
    _CONTRACTIONS
    + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    + _WORDS: "qwen2",
    f"{_CASED[0]}{_CONTRACTIONS}?|{_CASED[1]}{_CONTRACTIONS}?"
    + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|"
    + _WORDS: "gpt-4o",
    f"{_CASED[0]}|{_CASED[1]}"
    + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|"
    + _WORDS: "tekken",
}


def vocabulary(tokenizer: "PreTrainedTokenizerBase", size: int, where: Any) -> dict[str, Any]:
    """Return the `tokenizer.*` metadata, without the chat template, for a model of `size` ids.

    Raises ExportError for a tokenizer that GGUF cannot describe, or with more ids than the model.
    """
    backend: Any = tokenizer
    definition = json.loads(backend.backend_tokenizer.to_str())
    model = definition["model"]
    if model["type"] != "BPE":
        raise ExportError(f"a tokenizer of type {model['type']} cannot be written", where=where)
    added = {token["id"]: token for token in definition["added_tokens"]}
    texts = {index: text for text, index in model["vocab"].items()}
    texts |= {index: token["content"] for index, token in added.items()}
    if max(texts) >= size:
        raise ExportError(
            f"the tokenizer has ids up to {max(texts):,}, the model has {size:,} embeddings",
            where=where,
        )
    tokens = [texts.get(index, f"[PAD{index}]") for index in range(size)]
    types = [_type(index, texts, added, model) for index in range(size)]
    pieces = PieceTokenizer(tokenizer)
    if pieces.leading not in ([], [tokenizer.bos_token_id]):
        raise ExportError(f"the tokenizer begins a text with {pieces.leading}", where=where)
    metadata: dict[str, Any] = {}
    if _is_byte_level(definition):
        metadata["ggml.model"] = "gpt2"
        metadata["ggml.pre"] = pre_tokenizer_name(definition, where)
        metadata["ggml.tokens"], metadata["ggml.token_type"] = tokens, types
        metadata["ggml.merges"] = [" ".join(pair) for pair in _merges(model)]
    elif model.get("byte_fallback"):
        metadata["ggml.model"], metadata["ggml.pre"] = "llama", "default"
        metadata["ggml.tokens"], metadata["ggml.token_type"] = tokens, types
        metadata["ggml.scores"] = _scores(tokens, model)
        metadata["ggml.add_space_prefix"] = pieces.scheme != "none"
    else:
        raise ExportError(
            "the tokenizer is neither byte-level nor has it byte fallback", where=where
        )
    metadata |= _special_ids(tokenizer)
    metadata["ggml.add_bos_token"] = bool(pieces.leading)
    metadata["ggml.add_eos_token"] = False
    metadata["huggingface.json"] = json.dumps(definition, ensure_ascii=False)
    return metadata


def pre_tokenizer_name(definition: Mapping[str, Any], where: Any = None) -> str:
    """Return llama.cpp's name of how a byte-level tokenizer cuts text; ExportError if it has none.

    The normalizer may be NFC, which llama.cpp leaves out (Qwen): our engine sends it ids.
    """
    parts = list(_flat(definition["pre_tokenizer"]))
    kinds = [part["type"] for part in parts]
    last = parts[-1] if parts else {}
    if kinds and kinds[-1] == "ByteLevel" and not last["add_prefix_space"]:
        regex = bool(last.get("use_regex", True))
        if kinds == ["ByteLevel"] and regex:
            return "gpt-2"
        if kinds == ["Digits", "ByteLevel"] and parts[0]["individual_digits"] and regex:
            return "smollm"
        if kinds == ["Split", "ByteLevel"] and not regex and not parts[0]["invert"]:
            pattern = parts[0]["pattern"].get("Regex")
            if pattern in _SPLITS and parts[0]["behavior"] == "Isolated":
                return _SPLITS[pattern]
    raise ExportError(
        f"the way this tokenizer cuts text ({' + '.join(kinds) or 'not at all'}) has no name in "
        "llama.cpp",
        where=where,
        mend="a file with another rule would read other tokens; serve the folder with "
        "--engine transformers",
    )


def _flat(component: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    if component is None:
        return
    if component["type"] == "Sequence":
        for part in component["pretokenizers"]:
            yield from _flat(part)
    else:
        yield component


def _is_byte_level(definition: Mapping[str, Any]) -> bool:
    return any(part["type"] == "ByteLevel" for part in _flat(definition["pre_tokenizer"]))


def _type(
    index: int, texts: Mapping[int, str], added: Mapping[int, Any], model: Mapping[str, Any]
) -> int:
    text = texts.get(index)
    if text is None:
        return UNUSED
    if text == model.get("unk_token"):
        return UNKNOWN
    if index in added:
        return CONTROL if added[index]["special"] else USER_DEFINED
    if model.get("byte_fallback") and len(text) == 6 and text.startswith("<0x"):
        return BYTE
    return NORMAL


def _merges(model: Mapping[str, Any]) -> list[list[str]]:
    return [pair.split(" ") if isinstance(pair, str) else list(pair) for pair in model["merges"]]


def _scores(tokens: list[str], model: Mapping[str, Any]) -> list[float]:
    """Return for each piece minus the rank of the merge that first makes it.

    SentencePiece joins the pair whose result has the highest score; the merges of a converted
    tokenizer are in that order.
    """
    ranks: dict[str, int] = {}
    for rank, (left, right) in enumerate(_merges(model)):
        ranks.setdefault(left + right, rank)
    return [-float(ranks[token]) if token in ranks else _NEVER for token in tokens]


def _special_ids(tokenizer: "PreTrainedTokenizerBase") -> dict[str, Any]:
    ids = {
        "ggml.bos_token_id": tokenizer.bos_token_id,
        "ggml.eos_token_id": tokenizer.eos_token_id,
        "ggml.unknown_token_id": tokenizer.unk_token_id,
        "ggml.padding_token_id": tokenizer.pad_token_id,
    }
    return {key: int(value) for key, value in ids.items() if isinstance(value, int)}
