"""Whether models can be merged: same tokenizer, same arithmetic, same tensors. If not, why."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from solarmini.artifact import tokenizer_sha256
from solarmini.checkpoint.dtypes import FLOATING
from solarmini.checkpoint.layers import text_config
from solarmini.checkpoint.reader import Checkpoint, read_json
from solarmini.errors import MergeError, TokenizerMismatchError

# Keys of config.json that do not change what the weights compute.
_FREE = frozenset(
    {
        "_name_or_path",
        "architectures",  # judged by model_type
        "bos_token_id",
        "dtype",
        "eos_token_id",
        "initializer_range",
        "max_position_embeddings",
        "pad_token_id",
        "pretraining_tp",
        "torch_dtype",
        "transformers_version",
        "unk_token_id",
        "use_cache",
    }
)


def check_compatible(models: Sequence[Checkpoint]) -> None:
    """Raise for the first difference that makes a merge of `models` meaningless.

    TokenizerMismatchError for unlike tokenizers; MergeError for another architecture, config
    value, tensor set or shape, naming it.
    """
    first = models[0]
    for other in models[1:]:
        _same_config(first, other)
        _same_tokenizer(first.dir, other.dir)
        _same_tensors(first, other)
    for model in models:
        for name, tensor in model.tensors.items():
            if tensor.dtype not in FLOATING:
                raise MergeError(
                    f"tensor '{name}' is {tensor.dtype}; only floating weights can be merged",
                    where=model.dir,
                    mend="use the unquantised version of the model",
                )


def _same_config(first: Checkpoint, other: Checkpoint) -> None:
    left, right = _flat(first.config), _flat(other.config)
    if left.get("model_type") != right.get("model_type"):
        raise MergeError(
            f"unlike architectures: {left.get('model_type')} and {right.get('model_type')}",
            where=f"{first.dir} and {other.dir}",
            mend="merge models grown or tuned from one base",
        )
    for key in sorted(left.keys() & right.keys() - _FREE):
        if left[key] != right[key]:
            raise MergeError(
                f"the models compute differently: '{key}' is {left[key]!r} and {right[key]!r}",
                where=f"{first.dir} and {other.dir}",
            )


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    return {**config, **text_config(config)}


def _same_tensors(first: Checkpoint, other: Checkpoint) -> None:
    for name in sorted(first.tensors.keys() ^ other.tensors.keys()):
        holder, lacker = (first, other) if name in first.tensors else (other, first)
        raise MergeError(
            f"tensor '{name}' is in one model only", where=f"in {holder.dir}, not in {lacker.dir}"
        )
    for name, tensor in first.tensors.items():
        shape = other.tensors[name].shape
        if tensor.shape != shape:
            raise MergeError(
                f"tensor '{name}' has shape {tensor.shape} and {shape}",
                where=f"{first.dir} and {other.dir}",
            )


def _same_tokenizer(first: Path, other: Path) -> None:
    hashes = [tokenizer_sha256(folder) for folder in (first, other)]
    if hashes[0] == hashes[1]:
        return
    where = f"{first} and {other}"
    files = [folder / "tokenizer.json" for folder in (first, other)]
    if not all(path.exists() for path in files):
        raise TokenizerMismatchError("the tokenizers' files differ", where=where)
    left, right = (_essence(read_json(path)) for path in files)
    for key in left:
        if left[key] != right[key]:
            raise TokenizerMismatchError(
                f"unlike tokenizers: {_difference(key, left[key], right[key])}",
                where=where,
                mend="merge models that share a tokenizer; the same token must mean the same row",
            )


def _essence(tokenizer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides the ids of a text, in one spelling whichever version wrote it."""
    model = dict(tokenizer.get("model") or {})
    merges = [m.split(" ") if isinstance(m, str) else m for m in model.pop("merges", None) or []]
    vocab = model.pop("vocab", None) or {}
    ids = (
        {index: token for token, index in vocab.items()}
        if isinstance(vocab, dict)
        else dict(enumerate(map(str, vocab)))
    )
    added = {token["id"]: token["content"] for token in tokenizer.get("added_tokens") or []}
    return {
        "vocabulary": ids | added,
        "merges": merges,
        "model type": model.get("type"),
        "normalizer": tokenizer.get("normalizer"),
        "pre-tokenizer": tokenizer.get("pre_tokenizer"),
    }


def _difference(key: str, left: Any, right: Any) -> str:
    if key == "vocabulary":
        index = min(i for i in left.keys() | right.keys() if left.get(i) != right.get(i))
        return f"token {index} is {left.get(index)!r} and {right.get(index)!r}"
    if key == "merges":
        pairs = zip(left, right, strict=False)
        at = next((i for i, (one, two) in enumerate(pairs) if one != two), None)
        if at is None:
            return f"{len(left)} and {len(right)} merges"
        return f"merge {at} is {left[at]!r} and {right[at]!r}"
    return f"{key} {json.dumps(left)[:80]} and {json.dumps(right)[:80]}"
