"""Row formats: told apart by their fields, turned into text, a conversation, or a pair.

Every reader says which field of which row is wrong; nothing is guessed into place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solarmini.data.files import Row
from solarmini.data.sources import Format
from solarmini.errors import DataError
from solarmini.text.chat import ROLES, Message

_SHAREGPT_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}
_SHAREGPT_ROLES |= {"chatgpt": "assistant", "bing": "assistant", "bard": "assistant"}
_SHAREGPT_ROLES |= {"system": "system"}
_TURN_FIELDS = ("messages", "conversations", "conversation")
_SPEAKERS = {"Human": "user", "Assistant": "assistant"}
_SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant):[ ]?")
_HELP = (
    "known rows: {text}, {messages: [{role, content}]}, {conversations: [{from, value}]}, "
    "{instruction, input, output}, {system_prompt, question, response}, "
    "{prompt, chosen, rejected}; or set the format"
)


@dataclass(frozen=True, slots=True)
class TextRow:
    """A document."""

    text: str


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A conversation."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class PairRow:
    """A prompt with a better and a worse continuation."""

    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]


ParsedRow = TextRow | ChatRow | PairRow


def detect_format(row: Row) -> Format:
    """Return the format that the row's fields show; DataError naming row and fields if none."""
    fields = {name for name, value in row.fields.items() if value is not None}
    if {"chosen", "rejected"} <= fields:
        return "preference"
    turns = next((row.fields[name] for name in _TURN_FIELDS if name in fields), None)
    if isinstance(turns, list):
        first = turns[0] if turns else {}
        return "sharegpt" if isinstance(first, Mapping) and "from" in first else "messages"
    if {"instruction", "output"} <= fields:
        return "alpaca"
    if {"question", "response"} <= fields:
        return "orca"
    if "text" in fields:
        return "text"
    raise DataError(
        f"cannot tell the format of a row with the fields {', '.join(sorted(row.fields)) or '-'}",
        where=row.where,
        mend=_HELP,
    )


def parse_row(row: Row, format: Format) -> ParsedRow:
    """Turn a row into its meaning; DataError with file, row, field and how to mend it."""
    match format:
        case "auto":
            return parse_row(row, detect_format(row))
        case "text":
            return TextRow(_string(row, "text"))
        case "messages" | "sharegpt":
            name = next((name for name in _TURN_FIELDS if row.fields.get(name) is not None), None)
            if name is None:
                raise _wrong(row, f"no field {' or '.join(_TURN_FIELDS)}", "give the turns a list")
            return ChatRow((*_system(row), *_turns(row, name, row.fields[name])))
        case "alpaca":
            return _alpaca(row)
        case "orca":
            asked = Message(role="user", content=_spoken(row, "question"))
            answer = Message(role="assistant", content=_spoken(row, "response"))
            return ChatRow((*_system(row), asked, answer))
        case "preference":
            return _preference(row)


def _wrong(row: Row, what: str, mend: str) -> DataError:
    return DataError(what, where=row.where, mend=mend)


def _string(row: Row, name: str) -> str:
    value = row.fields.get(name)
    if value is None:
        have = ", ".join(sorted(row.fields)) or "none"
        raise _wrong(row, f"no field '{name}' (fields: {have})", f"add '{name}' or set the format")
    if not isinstance(value, str):
        kind = type(value).__name__
        raise _wrong(row, f"'{name}' is {kind}, not a string", f"write '{name}' as a string")
    return value


def _spoken(row: Row, name: str) -> str:
    """Return a field that must say something."""
    value = _string(row, name)
    if not value.strip():
        raise _wrong(row, f"'{name}' is empty", "fill it in, or delete the row")
    return value


def _system(row: Row) -> list[Message]:
    text = row.fields.get("system") or row.fields.get("system_prompt")
    return [Message(role="system", content=text)] if isinstance(text, str) and text else []


def _alpaca(row: Row) -> ChatRow:
    asked = _spoken(row, "instruction")
    if row.fields.get("input") is not None:
        given = _string(row, "input")
        asked = f"{asked}\n\n{given}" if given.strip() else asked
    turns = [*_system(row), Message(role="user", content=asked)]
    return ChatRow((*turns, Message(role="assistant", content=_spoken(row, "output"))))


def _turns(row: Row, name: str, value: Any) -> tuple[Message, ...]:
    if not isinstance(value, list) or not value:
        raise _wrong(
            row, f"'{name}' is not a list of turns", 'write [{"role": ..., "content": ...}]'
        )
    return tuple(_turn(row, f"{name}[{place}]", item) for place, item in enumerate(value))


def _turn(row: Row, name: str, item: Any) -> Message:
    if not isinstance(item, Mapping):
        raise _wrong(row, f"{name} is not an object", 'write {"role": ..., "content": ...}')
    if item.get("from") is not None:
        said, content = item["from"], item.get("value")
        role = _SHAREGPT_ROLES.get(str(said))
        known = "human, gpt, system"
    else:
        said, content = item.get("role"), item.get("content")
        role = said if said in ROLES else None
        known = ", ".join(ROLES)
    if role is None:
        what = f"{name} has the role {said!r}"
        raise _wrong(row, what, f"known roles: {known}; tool calls are not supported")
    if not isinstance(content, str):
        kind = type(content).__name__
        raise _wrong(row, f"{name} ({role}) has no text but {kind}", "give the turn a string")
    if role != "system" and not content.strip():
        raise _wrong(row, f"{name} ({role}) is empty", "fill the turn in, or delete the row")
    return Message(role=role, content=content)


def _transcript(text: str) -> tuple[Message, ...] | None:
    """Read `Human: ... Assistant: ...` (the layout of HH-RLHF); None if it is not one."""
    parts = _SPEAKER.split(text.strip())
    if len(parts) < 5 or parts[0] or parts[1] != "Human":
        return None  # two speakers at least, the person first
    spoken = zip(parts[1::2], parts[2::2], strict=True)
    turns = [Message(role=_SPEAKERS[who], content=said.strip()) for who, said in spoken]
    if turns[-1]["role"] == "assistant" and not turns[-1]["content"]:
        turns.pop()  # the colon after which the answer begins
    return tuple(turns)


def _preference(row: Row) -> PairRow:
    prompt = _prompt(row)
    chosen, rejected = _answer(row, "chosen", prompt), _answer(row, "rejected", prompt)
    if not prompt:
        shared = 0
        for one, other in zip(chosen, rejected, strict=False):
            if one != other or shared + 1 >= min(len(chosen), len(rejected)):
                break
            shared += 1
        prompt, chosen, rejected = chosen[:shared], chosen[shared:], rejected[shared:]
    if not prompt:
        raise _wrong(row, "no prompt that both answers share", "add a field 'prompt'")
    if prompt[-1]["role"] == "assistant":
        raise _wrong(row, "the prompt ends with the assistant", "end it with the user's turn")
    for name, answer in (("chosen", chosen), ("rejected", rejected)):
        if not answer or answer[0]["role"] != "assistant" or answer[-1]["role"] != "assistant":
            raise _wrong(
                row, f"'{name}' is not an assistant's answer to the prompt", "end with one answer"
            )
    return PairRow((*_system(row), *prompt), chosen, rejected)


def _prompt(row: Row) -> tuple[Message, ...]:
    fields = row.fields
    name = next((n for n in ("prompt", *_TURN_FIELDS, "question") if fields.get(n)), None)
    if name is None:
        if fields.get("instruction"):
            return _alpaca_prompt(row)
        return ()
    value = fields[name]
    if isinstance(value, str):
        asked = Message(role="user", content=_spoken(row, name))
        return _transcript(value) or (asked,)
    return _turns(row, name, value)


def _alpaca_prompt(row: Row) -> tuple[Message, ...]:
    turns = _alpaca(Row({**row.fields, "output": "-", "system": None}, row.file, row.number))
    return turns.messages[:-1]


def _answer(row: Row, name: str, prompt: tuple[Message, ...]) -> tuple[Message, ...]:
    value = row.fields.get(name)
    if isinstance(value, list):
        turns = _turns(row, name, value)
    elif isinstance(value, Mapping):
        turns = (_turn(row, name, value),)
    else:
        text = _spoken(row, name)
        turns = None if prompt else _transcript(text)
        turns = turns or (Message(role="assistant", content=text),)
    # Some sets repeat the prompt in front of each answer.
    return turns[len(prompt) :] if prompt and turns[: len(prompt)] == prompt else turns
