"""The real SmolLM2 tokenizer, and formats of every family."""

from typing import Any

import pytest
from helpers import CHATML
from tokenizer_zoo import GEMMA, LLAMA2, PHI3, byte_level, sentencepiece

from solarmini.checkpoint.resolve import resolve
from solarmini.text import ChatFormat, load_tokenizer

_PHI3: dict[str, Any] = {
    "special": ("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    "eos": "<|endoftext|>",
    "rstrip": ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
}
_TURNS = ("<start_of_turn>", "<end_of_turn>")
MAKERS = {
    "smollm2": lambda smollm2: smollm2,
    "byte-level": lambda _: byte_level(CHATML),
    "byte-level-prefix-space": lambda _: byte_level(CHATML, prefix_space=True),
    "llama-legacy": lambda _: sentencepiece(LLAMA2),
    "llama-first": lambda _: sentencepiece(LLAMA2, scheme="first"),
    "metaspace-always": lambda _: sentencepiece(LLAMA2, scheme="always"),
    "gemma": lambda _: sentencepiece(GEMMA, scheme="never", extra=_TURNS),
    "phi3": lambda _: byte_level(PHI3, **_PHI3),
    "llama-legacy-chatml": lambda _: sentencepiece(
        CHATML, extra=("<|startoftext|>", "<|im_start|>", "<|im_end|>")
    ),
}


@pytest.fixture(scope="session")
def smollm2():
    return load_tokenizer(resolve("smollm2-135m"))


@pytest.fixture(scope="session")
def formats(smollm2):
    """Every tokenizer with every template it can write: name -> ChatFormat."""
    made = {}
    for name, maker in MAKERS.items():
        tokenizer = maker(smollm2)
        templates = ["model", "solar"]
        if "<|im_start|>" in tokenizer.get_vocab():
            templates.append("chatml")
        for template in templates:
            made[f"{name}/{template}"] = ChatFormat(tokenizer, template)
    return made
