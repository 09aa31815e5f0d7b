"""Tokens as a person can read them: what is supervised, what is special, whole Hangul.

A byte-level token often holds a part of a character. Tokens are therefore grouped until their
bytes are whole characters; a group of several tokens shows how many it took.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text
    from transformers import PreTrainedTokenizerBase

_SMALL = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True, slots=True)
class Piece:
    """One or more tokens that make whole characters together."""

    text: str
    ids: tuple[int, ...]
    supervised: bool
    special: bool


@cache
def _byte_alphabet() -> dict[str, int]:
    """Return the byte that each character of a byte-level token stands for (GPT-2's alphabet)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    return table | {chr(256 + place): byte for place, byte in enumerate(others)}


def _token_bytes(token: str, byte_level: bool) -> bytes:
    if byte_level:
        alphabet = _byte_alphabet()
        if all(char in alphabet for char in token):
            return bytes(alphabet[char] for char in token)
        return token.encode()
    if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
        return bytes([int(token[3:5], 16)])
    return token.replace("▁", " ").encode()


def token_bytes(tokenizer: "PreTrainedTokenizerBase", index: int) -> bytes:
    """Return the bytes that one id stands for; a special token stands for its written form."""
    added = tokenizer.added_tokens_decoder
    if index in added:
        return str(added[index].content).encode()
    token = tokenizer.convert_ids_to_tokens(index)
    if token is None:  # an id that only pads the embeddings
        return b""
    backend: Any = tokenizer
    return _token_bytes(str(token), "ByteLevel" in str(backend.backend_tokenizer.decoder))


def readable_pieces(
    tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int], mask: Sequence[bool]
) -> Iterator[Piece]:
    """Group tokens into whole characters; a group never crosses from supervised to not."""
    backend: Any = tokenizer
    byte_level = "ByteLevel" in str(backend.backend_tokenizer.decoder)
    added = tokenizer.added_tokens_decoder
    held: list[int] = []
    data = b""
    for place, index in enumerate(ids):
        supervised = bool(mask[place])
        if index in added:
            if held:
                yield Piece(
                    data.decode(errors="replace"), tuple(held), bool(mask[place - 1]), False
                )
                held, data = [], b""
            yield Piece(str(added[index].content), (index,), supervised, True)
            continue
        held.append(index)
        data += _token_bytes(str(tokenizer.convert_ids_to_tokens(index)), byte_level)
        last = place + 1 == len(ids) or bool(mask[place + 1]) != supervised
        if last or _is_whole(data):
            yield Piece(data.decode(errors="replace"), tuple(held), supervised, False)
            held, data = [], b""


def _is_whole(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def colour_tokens(
    tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int], mask: Sequence[bool]
) -> "Text":
    """Return tokens for the terminal: supervised green, the rest dim, special tokens reversed.

    Neighbouring tokens differ in brightness so that their borders show.
    """
    from rich.text import Text

    shown = Text()
    for number, piece in enumerate(readable_pieces(tokenizer, ids, mask)):
        style = ("bold green", "green")[number % 2] if piece.supervised else "dim"
        if piece.special:
            style = "reverse green" if piece.supervised else "reverse dim"
        shown.append(piece.text.replace("\n", "⏎\n"), style=style)
        if len(piece.ids) > 1:
            shown.append(str(len(piece.ids)).translate(_SMALL), style="dim cyan")
    return shown


def mark_tokens(
    tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int], mask: Sequence[bool]
) -> str:
    """Return the text with supervised stretches in [ ], for pipes and files."""
    shown = ""
    inside = False
    for piece in readable_pieces(tokenizer, ids, mask):
        if piece.supervised != inside:
            shown += "[" if piece.supervised else "]"
            inside = piece.supervised
        shown += piece.text
    return shown + ("]" if inside else "")


def share_line(mask: Sequence[bool]) -> str:
    """Say how much is supervised: `8 of 31 tokens supervised (25.8 %)`."""
    count, total = sum(mask), len(mask)
    share = 100 * count / total if total else 0.0
    return f"{count} of {total} tokens supervised ({share:.1f} %)"
