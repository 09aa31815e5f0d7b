"""Function calls read out of an answer while it is being made."""

import json
import re
from dataclasses import dataclass

from solarmini.engine.tools import ToolCall, parse_calls

_CALL = r'\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\{|\Z)'
_FIRST = re.compile(rf"\s*\[?\s*{_CALL}")
_NEXT = re.compile(rf"\s*\}}\s*,\s*{_CALL}")


@dataclass(frozen=True, slots=True)
class Part:
    """What a step brought to call number `place`: its `name` at its beginning, or arguments."""

    place: int
    name: str | None
    arguments: str


class CallStream:
    """Takes the text of an answer that may be calls (`solarmini.engine.tools`), piece by piece."""

    def __init__(self) -> None:
        self.text = ""
        self.count = 0  # calls that have begun
        self._at = 0  # where reading goes on
        self._inside = False  # the arguments of a call
        self._depth, self._quoted, self._escaped = 0, False, False

    @property
    def is_words(self) -> bool:
        """Whether the answer begins like no call."""
        begun = self.text.lstrip()
        return bool(begun) and begun[0] not in "{["

    @property
    def whole(self) -> bool:
        """Whether all calls have come to their end."""
        return bool(parse_calls(self.text))

    def feed(self, text: str) -> list[Part]:
        """Take more of the answer; return what it brought."""
        self.text += text
        found: list[Part] = []
        while self._inside or self._begins(found):
            end = self._scan()
            if end > self._at:
                found.append(Part(self.count - 1, None, self.text[self._at : end]))
                self._at = end
            if self._inside:
                break
        return found

    def _begins(self, found: list[Part]) -> bool:
        head = (_NEXT if self.count else _FIRST).match(self.text, self._at)
        if head is None:
            return False
        try:
            name = json.loads(head[1])
        except ValueError:
            return False
        self._at, self._inside, self._depth = head.end(), True, 0
        found.append(Part(self.count, str(name), ""))
        self.count += 1
        return True

    def _scan(self) -> int:
        """Return where the arguments end, or what has come of them."""
        for place in range(self._at, len(self.text)):
            sign = self.text[place]
            if self._quoted:
                self._quoted = self._escaped or sign != '"'
                self._escaped = sign == "\\" and not self._escaped
            elif sign == '"':
                self._quoted = True
            elif sign in "{[":
                self._depth += 1
            elif sign in "}]":
                self._depth -= 1
                if self._depth <= 0:
                    self._inside = False
                    return place + 1
        return len(self.text)


def calls_in(text: str) -> tuple[list[ToolCall], bool]:
    """Return the functions that an answer calls, and whether it was cut short in one."""
    calls = parse_calls(text)
    if calls:
        return calls, False
    names: list[str] = []
    arguments: list[str] = []
    for part in CallStream().feed(text):
        if part.name is not None:
            names.append(part.name)
            arguments.append("")
        arguments[part.place] += part.arguments
    return [ToolCall(*call) for call in zip(names, arguments, strict=True)], bool(names)
