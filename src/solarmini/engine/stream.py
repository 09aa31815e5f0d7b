"""Token ids → text in whole characters, cut before stop strings."""

from collections.abc import Sequence
from typing import Any

_REPLACEMENT = "\ufffd"


class TextStream:
    """Decodes ids as they come; text is given out only when later ids cannot change it.

    A byte-level token may hold a part of a character (a Hangul syllable is three bytes), so what
    does not yet decode to whole characters waits. Text that may be the beginning of a stop string
    waits as well; a found stop string and all after it are dropped.
    """

    def __init__(
        self, tokenizer: Any, before: Sequence[int] = (), stop: Sequence[str] = ()
    ) -> None:
        """`before` are the last ids of the prompt: they decide about a leading space."""
        self._tokenizer = tokenizer
        self._ids = list(before[-4:])
        self._start = 0  # decode from here, so that cost does not grow with the length
        self._read = len(self._ids)  # ids up to here have been given out
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """Take one more id; return the text that became certain (often empty)."""
        self._ids.append(token)
        known = self._decode(self._start, self._read)
        text = self._decode(self._start, len(self._ids))
        if len(text) <= len(known) or text.endswith(_REPLACEMENT):
            return ""
        self._start, self._read = self._read, len(self._ids)
        return self._release(text[len(known) :])

    def finish(self) -> str:
        """Return what is left at the end; an unfinished character is dropped."""
        if self.stopped:
            return ""
        known = self._decode(self._start, self._read)
        rest = self._decode(self._start, len(self._ids))[len(known) :].rstrip(_REPLACEMENT)
        out = self._release(rest)
        if self.stopped:
            return out
        held, self._held = self._held, ""
        return out + held

    def _release(self, text: str) -> str:
        self._held += text
        places = [self._held.find(stop) for stop in self._stop]
        found = [place for place in places if place >= 0]
        if found:
            self.stopped = True
            out, self._held = self._held[: min(found)], ""
            return out
        keep = max((_overlap(self._held, stop) for stop in self._stop), default=0)
        cut = len(self._held) - keep
        out, self._held = self._held[:cut], self._held[cut:]
        return out

    def _decode(self, start: int, end: int) -> str:
        return self._tokenizer.decode(
            self._ids[start:end], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )


def _overlap(text: str, stop: str) -> int:
    """Return how many characters at the end of `text` begin `stop` (all of it would be found)."""
    for count in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:count]):
            return count
    return 0
