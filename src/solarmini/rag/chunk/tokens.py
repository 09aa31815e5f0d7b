"""How many tokens a text has: an estimate that needs no model, or the model's own tokenizer."""

import re
from collections.abc import Callable
from pathlib import Path

from solarmini.errors import ConfigError, require

TokenCounter = Callable[[str], int]

_PIECES = re.compile(r"</?[a-z]+[^<>]*>|[a-zA-Z]+|\d+|[가-힣]+|\s+|.", re.DOTALL)


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a multilingual subword tokenizer makes of `text`.

    One token for four Latin letters of a word after the first four, two digits, 1.6 Hangul
    syllables (as in XLM-RoBERTa), or any other character; two for an HTML tag. Cheap and the same
    everywhere.
    """
    count = 0.0
    for piece in _PIECES.findall(text):
        first = piece[0]
        if first.isspace():
            continue
        if first == "<" and len(piece) > 1:
            count += 2
        elif first.isascii() and first.isalpha():
            count += 1 + max(len(piece) - 4, 0) / 4
        elif first.isdigit():
            count += (len(piece) + 1) // 2
        else:
            count += max(len(piece) / 1.6, 1.0)
    return round(count)


def tokenizer_counter(folder: Path) -> TokenCounter:
    """Return a counter that uses the `tokenizer.json` of a model folder.

    Raises ConfigError when there is none.
    """
    path = folder / "tokenizer.json" if folder.is_dir() else folder
    if not path.is_file():
        raise ConfigError("no tokenizer.json to count tokens with", where=path)
    tokenizer = require("tokenizers", "rag").Tokenizer.from_file(str(path))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
