"""Sources as a prompt can hold them: numbered, fenced, and unable to speak for anyone else."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from solarmini.rag.retrieve.hit import Hit

# Marks by which chat templates part the turns; in a source they are only words.
_TURNS = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|"
    r"^[ \t]*#{2,4}[ \t]*(?:user|assistant|system|human|instruction|response)\b[ \t]*:?|"
    r"</?(?:source|system|user|assistant|instructions?)\b[^>]*>",
    re.IGNORECASE | re.MULTILINE,
)
_MARKER = re.compile(r"\[(\d{1,3})\]")
# What speaks to a reader that takes orders; for the warning, not for the defence.
_ORDERS = re.compile(
    r"(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|all|"
    r"your|the|any)\b.{0,30}\b(?:instruction|prompt|rule|direction|context|guideline|message)|"
    r"\b(?:system prompt|developer mode|jailbreak|you are now|new instructions?|"
    r"do not (?:cite|mention|tell)|instead,? (?:reply|answer|respond|say|output)|"
    r"(?:reply|respond|answer|output) (?:only )?with\b|exfiltrat|as an? (?:ai|language model))|"
    r"(?:이전|앞|위|기존|지금까지)[가-힣]*.{0,12}(?:지시|명령|지침|프롬프트|규칙).{0,12}(?:무시|잊|따르지)|"
    r"시스템\s*프롬프트|너는\s*이제|당신은\s*이제|(?:라고|이라고)만\s*(?:답|대답|출력|말)",
    re.IGNORECASE | re.DOTALL,
)
_INVISIBLE = {"Cf", "Cc", "Co", "Cs", "Cn"}


def harmless(text: str) -> str:
    """Return text without invisible characters and with nothing that a template takes for a mark.

    Markers of turns lose their signs (`<|im_end|>` becomes ‹im_end›), bracketed numbers become
    (1), so that no source can end its fence, open a turn or cite for the model.
    """
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _INVISIBLE)
    return _MARKER.sub(r"(\1)", _TURNS.sub(_defused, kept))


def _defused(found: re.Match[str]) -> str:
    return "‹" + " ".join(re.findall(r"\w+", found[0])) + "›"


def gives_orders(text: str) -> bool:
    """Whether a text looks as if it spoke to the model that reads it."""
    shown = "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE or c == "\n")
    return bool(_TURNS.search(shown) or _ORDERS.search(shown) or len(shown) < len(text) - 40)


@dataclass(frozen=True, slots=True)
class Fence:
    """The line that opens and closes sources; `key` is drawn anew for every question."""

    key: str

    def wrap(self, number: int, hit: Hit) -> str:
        """Return one source with its number, place and text."""
        where = " > ".join((hit.source.rsplit("/", 1)[-1], *hit.heading[-2:]))
        body = harmless(hit.markup or hit.text).replace(self.key, "")
        caption = hit.text.split("\n", 1)[0] if hit.markup else ""
        said = "\n".join(filter(None, [harmless(caption), body]))
        head = f"<source {self.key} number={number} page={hit.page}> {harmless(where)}"
        return f"{head}\n{said}\n</source {self.key}>"


def warnings_of(hits: Sequence[Hit]) -> tuple[str, ...]:
    """Return a line for each hit whose text speaks to the model."""
    return tuple(
        f"{hit.source}, page {hit.page}: the text gives orders to its reader; it is treated as text"
        for hit in hits
        if gives_orders(hit.text)
    )
