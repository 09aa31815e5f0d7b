"""Tokenizers, and how to tokenise a text piece by piece without changing its tokens."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from solarmini.errors import TemplateError, require
from solarmini.text.light import LightTokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

# Where a tokenizer puts a dummy space: nowhere, at the start of the text only, or at the start
# of every stretch between special tokens (old SentencePiece conversions).
Scheme = Literal["none", "first", "always"]


def load_tokenizer(model_dir: Path) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a model folder; never asks the network.

    Raises TemplateError when there is none, or none with a `tokenizer.json` behind it.
    """
    transformers = require("transformers", "train")
    mend = "the folder needs tokenizer.json and tokenizer_config.json; copy them from the base"
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(model_dir, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        what = f"no tokenizer could be loaded: {error}"
        raise TemplateError(what, where=model_dir, mend=mend) from None
    if not getattr(tokenizer, "is_fast", False):
        raise TemplateError("the tokenizer has no tokenizer.json", where=model_dir, mend=mend)
    return tokenizer


def _plain_backend(tokenizer: "PreTrainedTokenizerBase") -> dict[str, Any]:
    """Return the backend's definition without the padding that some caller may have set."""
    backend: Any = tokenizer
    definition = json.loads(backend.backend_tokenizer.to_str())
    return definition | {"padding": None, "truncation": None}


def tokenizer_digest(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Return a sha256 of everything that decides the ids of a text."""
    text = json.dumps(_plain_backend(tokenizer), sort_keys=True, ensure_ascii=False)
    special = json.dumps([tokenizer.bos_token_id, tokenizer.eos_token_id])
    return hashlib.sha256((text + special).encode()).hexdigest()


class PieceTokenizer:
    """Tokenise the pieces of a text one after the other.

    Pieces of one text do not see each other's characters, so the ids of a prefix of pieces never
    depend on what follows. Where no token reaches over the cut, the pieces' ids together are the
    tokenizer's own ids of the whole text.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        """Copy what is needed of ``tokenizer``; later changes to it do not matter.

        A `LightTokenizer` does not change, so its backend is shared: a copy takes 30 MB.
        """
        from tokenizers import Tokenizer

        definition = _plain_backend(tokenizer)
        if isinstance(tokenizer, LightTokenizer):
            self._own = tokenizer.backend_tokenizer
        else:
            self._own = Tokenizer.from_str(json.dumps(definition, ensure_ascii=False))
        self.scheme: Scheme = _find_scheme(definition)
        self._spaceless = None
        if self.scheme != "none":
            self._spaceless = json.dumps(_without_space(definition), ensure_ascii=False)
        added = self._own.get_added_tokens_decoder()
        self._added = frozenset(added)
        self.special = {index: token.content for index, token in added.items() if token.special}
        self._swallows = frozenset(index for index, token in added.items() if token.rstrip)
        self.leading: list[int] = self._find_leading()

    @cached_property
    def _bare(self) -> "Tokenizer":
        """The same tokenizer without a dummy space anywhere."""
        from tokenizers import Tokenizer

        return self._own if self._spaceless is None else Tokenizer.from_str(self._spaceless)

    def _find_leading(self) -> list[int]:
        """Return the ids that the tokenizer itself puts before a text (BOS, or none)."""
        plain = self._own.encode("a", add_special_tokens=False).ids
        full = self._own.encode("a", add_special_tokens=True).ids
        for start in range(len(full) - len(plain) + 1):
            if full[start : start + len(plain)] == plain:
                return full[:start]
        return []

    def whole(self, text: str) -> list[int]:
        """Return the tokenizer's own ids of ``text``, without leading or closing ids."""
        return self._own.encode(text, add_special_tokens=False).ids

    def whole_batch(self, texts: list[str]) -> list[list[int]]:
        """Return :meth:`whole` of many texts, in parallel."""
        encodings = self._own.encode_batch(texts, add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def next(self, text: str, before: list[int]) -> list[int]:
        """Return the ids of ``text`` as it follows the ids ``before`` of the earlier pieces."""
        if not before:
            return self.whole(text)
        after_special = before[-1] in self._added
        if before[-1] in self._swallows:
            text = text.lstrip()  # in one text the special token would have taken these
        if self.scheme == "none" or (self.scheme == "always" and after_special):
            return self.whole(text)
        if self.scheme == "first":
            return self._bare.encode(text, add_special_tokens=False).ids
        cut = self._first_special(text)
        ids = self._bare.encode(text[:cut], add_special_tokens=False).ids
        return ids + self.whole(text[cut:])

    def _first_special(self, text: str) -> int:
        """Return where the first special token of ``text`` starts, its length if there is none."""
        encoding = self._own.encode(text, add_special_tokens=False)
        for index, (start, _) in zip(encoding.ids, encoding.offsets, strict=True):
            if index in self._added:
                return start
        return len(text)

    def is_one_token(self, text: str) -> bool:
        """Whether ``text`` is a single token of its own, whatever stands around it."""
        ids = self.whole(text)
        return len(ids) == 1 and ids[0] in self._added


def _parts(component: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the steps of a normalizer or pre-tokenizer, sequences flattened."""
    if component is None:
        return []
    if component["type"] == "Sequence":
        inner = component.get("normalizers") or component.get("pretokenizers") or []
        return [part for item in inner for part in _parts(item)]
    return [dict(component)]


def _find_scheme(definition: Mapping[str, Any]) -> Scheme:
    found: Scheme = "none"
    for part in _parts(definition["normalizer"]) + _parts(definition["pre_tokenizer"]):
        match part["type"]:
            case "Prepend":
                return "always"
            case "ByteLevel" if part["add_prefix_space"]:
                return "always"
            case "Metaspace" if part["prepend_scheme"] == "always":
                return "always"
            case "Metaspace" if part["prepend_scheme"] == "first":
                found = "first"
    return found


def _without_space(definition: dict[str, Any]) -> dict[str, Any]:
    normalizers = [p for p in _parts(definition["normalizer"]) if p["type"] != "Prepend"]
    splitters = _parts(definition["pre_tokenizer"])
    for part in splitters:
        if part["type"] == "ByteLevel":
            part["add_prefix_space"] = False
        elif part["type"] == "Metaspace":
            part["prepend_scheme"] = "never"
    return definition | {
        "normalizer": {"type": "Sequence", "normalizers": normalizers} if normalizers else None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": splitters} if splitters else None,
    }
