"""A prompt in any of its three forms → token ids."""

from collections.abc import Callable, Mapping
from typing import Any

from solarmini.engine.interface import Prompt
from solarmini.text.chat import ChatFormat
from solarmini.text.tokenizer import PieceTokenizer


def encode_prompt(
    prompt: Prompt, pieces: PieceTokenizer, chat: Callable[[], ChatFormat]
) -> tuple[list[int], bool]:
    """Return the ids of a text, a conversation or ids, and whether it was a conversation.

    A conversation goes through the one function that training uses; `chat` is called only then.
    """
    if isinstance(prompt, str):
        return pieces.leading + pieces.whole(prompt), False
    parts: list[Any] = list(prompt)
    if parts and isinstance(parts[0], Mapping):
        return chat().encode(parts, add_generation_prompt=True).ids, True
    return [int(index) for index in parts], False
