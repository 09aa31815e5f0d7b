"""An answer to its claims: sentences and list items, and questions joined to their replies."""

import re
from dataclasses import dataclass

from solarmini.rag.chunk.sentences import sentences

_QUESTION = r"(?:질문|문제|question|q)\s*[:.]\s*(?P<question>.+?)"
_REPLY = r"(?:답변?|정답|answer|a)\s*[:.]\s*(?P<reply>.+?)"
_PAIR = re.compile(rf"\s*{_QUESTION}\s+{_REPLY}\s*", re.IGNORECASE | re.DOTALL)
_YES = re.compile(r"\W*(?:예|네|그렇(?:다|습니다)|맞(?:다|습니다)|yes|true|참)\W*", re.IGNORECASE)
_NO = re.compile(
    r"\W*(?:아니[요오]?|아뇨|그렇지\s*않(?:다|습니다)|아닙니다|no|false|거짓)\W*", re.IGNORECASE
)
_BULLET = re.compile(r"(?:[-*•·]|\d{1,2}[.)])\s+")
_NUMBERED = re.compile(r"\d{1,2}[.)]")  # the number of a list item
_CITATION = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")


@dataclass(frozen=True, slots=True)
class Statement:
    """Characters [start, end) of the answer; `stated` is what they state.

    `reply` is where in `stated` the reply to a question begins, if it is one; `denied` is whether
    that reply is "no", `affirmed` whether it is "yes" (then `stated` is the question alone).
    """

    start: int
    end: int
    stated: str
    reply: int | None = None
    denied: bool = False
    affirmed: bool = False

    @property
    def asked(self) -> bool:
        """Whether this is a question answered with yes or no."""
        return self.denied or self.affirmed


def statements(answer: str) -> list[Statement]:
    """Return the claims of `answer` in order; citation marks such as [2] are no part of them."""
    if pair := _PAIR.fullmatch(answer):
        return [_joined(pair)]
    found = []
    for start, end in sentences(answer):
        if bullet := _BULLET.match(answer, start, end):
            start = bullet.end()
        stated = _CITATION.sub("", answer[start:end]).strip()
        if any(character.isalnum() for character in stated) and not _NUMBERED.fullmatch(stated):
            found.append(Statement(start, end, stated))
    return found


def _joined(pair: re.Match[str]) -> Statement:
    start, end = pair.start("question"), pair.end("reply")
    question, reply = pair["question"], pair["reply"]
    if _YES.fullmatch(reply):
        return Statement(start, end, question, affirmed=True)
    if _NO.fullmatch(reply):
        return Statement(start, end, question, denied=True)
    stated = f"{question} {reply}"
    return Statement(start, end, stated, reply=len(question) + 1)
