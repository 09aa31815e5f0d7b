"""Tokenizers as GGUF metadata."""

import json
from typing import Any

import pytest
from tokenizer_zoo import byte_level, sentencepiece
from tokenizers import Regex, pre_tokenizers

from solarmini.errors import ExportError
from solarmini.export.vocabulary import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    UNUSED,
    pre_tokenizer_name,
    vocabulary,
)

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def named(cut: Any) -> str:
    tokenizer = byte_level()
    tokenizer.backend_tokenizer.pre_tokenizer = cut
    return pre_tokenizer_name(json.loads(tokenizer.backend_tokenizer.to_str()))


def split(pattern: str) -> Any:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def test_ways_of_cutting_have_names() -> None:
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

    plain = pre_tokenizers.ByteLevel(add_prefix_space=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    assert named(plain) == "gpt-2"
    assert named(pre_tokenizers.Sequence([digits, plain])) == "smollm"
    assert named(split(LLAMA3)) == "llama-bpe"
    for name in ("llama-bpe", "qwen2", "gpt-4o", "tekken"):  # as transformers reads them
        assert named(split(GGUF_PRE_TOKENIZER_SPLITS[name])) == name


@pytest.mark.parametrize(
    "cut",
    [
        split(r"\p{N}|\p{L}+"),
        pre_tokenizers.ByteLevel(add_prefix_space=True),
        pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.ByteLevel(False)]
        ),
        pre_tokenizers.Whitespace(),
    ],
)
def test_a_way_without_a_name_is_refused(cut: Any) -> None:
    with pytest.raises(ExportError, match="no name in llama"):
        named(cut)


def test_byte_level_vocabulary() -> None:
    tokenizer = byte_level()
    size = len(tokenizer) + 4
    found = vocabulary(tokenizer, size, "here")
    tokens, types = found["ggml.tokens"], found["ggml.token_type"]
    assert found["ggml.model"] == "gpt2"
    assert len(tokens) == len(types) == size
    for text, index in tokenizer.get_vocab().items():
        assert tokens[index] == text
    assert types[:3] == [CONTROL] * 3
    assert types[3] == NORMAL
    assert types[-4:] == [UNUSED] * 4
    assert found["ggml.eos_token_id"] == tokenizer.eos_token_id
    assert found["ggml.add_bos_token"] is False
    first = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"][0]
    assert found["ggml.merges"][0] == " ".join(first)


def test_sentencepiece_vocabulary() -> None:
    tokenizer = sentencepiece()
    found = vocabulary(tokenizer, len(tokenizer), "here")
    types, scores = found["ggml.token_type"], found["ggml.scores"]
    assert found["ggml.model"] == "llama"
    assert types[:4] == [UNKNOWN, CONTROL, CONTROL, BYTE]
    assert found["ggml.add_bos_token"] is True
    assert found["ggml.add_space_prefix"] is True
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    made = [tokenizer.get_vocab()["".join(pair)] for pair in merges]
    ranked = [scores[index] for index in made]
    assert ranked == sorted(ranked, reverse=True)
    plain = vocabulary(sentencepiece(scheme="never", adds_bos=False), len(tokenizer), "here")
    assert plain["ggml.add_bos_token"] is False
    assert plain["ggml.add_space_prefix"] is False


def test_more_ids_than_embeddings_are_refused() -> None:
    tokenizer = byte_level()
    with pytest.raises(ExportError, match="embeddings"):
        vocabulary(tokenizer, len(tokenizer) - 1, "here")
