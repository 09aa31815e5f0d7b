"""THE function from messages to token ids and supervised mask.

Training, evaluation and the engine all come through :meth:`ChatFormat.encode`, so a model is
asked exactly as it was taught. The text is the template's; it is cut where supervision begins
and ends, and tokenised piece by piece. Therefore the ids of a generation prompt are always a
prefix of the ids of the same conversation with its answer, and the mask follows from the cuts,
not from looking for ids (a padding token equal to the stop token hides nothing).

Supervised is what the model has to produce: each assistant turn from the end of its generation
prompt through its end-of-turn token. What the template writes after that token is not.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from solarmini.artifact import template_sha256
from solarmini.errors import TemplateError
from solarmini.text.templates import START_OF_TEXT, Template, find_template
from solarmini.text.tokenizer import PieceTokenizer, load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ROLES = ("system", "user", "assistant")
_PROBE = "Zebra seven"


class Message(TypedDict):
    """One turn: role is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids and, of the same length, which of them are supervised targets."""

    ids: list[int]
    mask: list[bool]


@dataclass(frozen=True, slots=True)
class _Ending:
    """How the template ends an assistant turn: the stop token, and what it writes after it."""

    token: int
    text: str
    tail: str


class ChatFormat:
    """A tokenizer and a chat template that belong together.

    ``name``, ``source`` (jinja) and ``sha256`` identify the template; ``tokenizer`` is the
    transformers tokenizer; ``stop_ids`` are the ids at which generation ends, end of turn first.
    """

    def __init__(
        self,
        tokenizer: "PreTrainedTokenizerBase",
        template: str = "model",
        *,
        extra_stop_ids: Sequence[int] = (),
        pieces: PieceTokenizer | None = None,
    ) -> None:
        """Choose the template and try it; TemplateError when it cannot be trained on.

        ``pieces`` is that of the same tokenizer, where there is one already.
        """
        self.tokenizer = tokenizer
        self.pieces = pieces or PieceTokenizer(tokenizer)
        found: Template = find_template(template, tokenizer, self.pieces)
        self.name, self.source = found.name, found.source
        self.sha256 = template_sha256(self.source)
        self._ending = self._find_ending()
        stops = [self._ending.token, tokenizer.eos_token_id, *extra_stop_ids]
        self.stop_ids: list[int] = list(dict.fromkeys(i for i in stops if isinstance(i, int)))

    @classmethod
    def load(cls, model_dir: Path, template: str = "model") -> "ChatFormat":
        """Load tokenizer and template of a model folder.

        ``template`` is `model`, `solar`, `chatml` or a path to a .jinja file.
        """
        return cls(
            load_tokenizer(model_dir), template, extra_stop_ids=_generation_stops(Path(model_dir))
        )

    def render(
        self, messages: Sequence[Mapping[str, object]], add_generation_prompt: bool = False
    ) -> str:
        """Return the template's text for ``messages`` (special tokens in their written form)."""
        turns = [_checked(message, turn) for turn, message in enumerate(messages)]
        return self._render(turns, add_generation_prompt)

    def _render(self, turns: list[dict[str, str]], add_generation_prompt: bool) -> str:
        import jinja2

        if not turns:
            raise TemplateError(
                "the conversation begins with an assistant turn, or is empty",
                mend="begin with a system or user turn",
            )
        apply: Any = self.tokenizer.apply_chat_template
        try:
            return apply(
                turns,
                chat_template=self.source,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
            )
        except jinja2.TemplateError as error:
            raise TemplateError(
                f"the template '{self.name}' refuses this conversation: {error}",
                mend="mend the turns it names, or choose another --template",
            ) from None

    def encode(
        self, messages: Sequence[Mapping[str, object]], *, add_generation_prompt: bool = False
    ) -> Encoded:
        """Return the ids of ``messages`` and the mask of supervised tokens.

        The ids start with the tokenizer's BOS if it adds one itself, unless the template writes
        it. Raises TemplateError for an unknown role, and naming the turn for a template that
        rewrites earlier turns or does not end an answer.
        """
        turns = [_checked(message, turn) for turn, message in enumerate(messages)]
        full = self._render(turns, add_generation_prompt)
        leading = [] if self._writes_bos(full) else self.pieces.leading
        ids: list[int] = []
        mask: list[bool] = []
        end = 0
        for start, stop in self._spans(turns, full):
            self._append(ids, mask, full[end:start], supervised=False)
            self._append(ids, mask, full[start:stop], supervised=True)
            end = stop
            if ids[-1] != self._ending.token:
                raise TemplateError(
                    f"an answer does not end with the token {self._ending.text!r}",
                    mend="declare it as a special token of the tokenizer",
                )
        self._append(ids, mask, full[end:], supervised=False)
        mask[:1] = [False]  # nothing stands before the first token that could predict it
        return Encoded(leading + ids, [False] * len(leading) + mask)

    def _append(self, ids: list[int], mask: list[bool], text: str, *, supervised: bool) -> None:
        if text:
            new = self.pieces.next(text, ids)
            ids += new
            mask += [supervised] * len(new)

    def _writes_bos(self, text: str) -> bool:
        bos = self.tokenizer.bos_token
        return text.startswith(START_OF_TEXT) or (bool(bos) and text.startswith(str(bos)))

    def _spans(self, turns: list[dict[str, str]], full: str) -> list[tuple[int, int]]:
        """Return (start, end) in ``full`` of what each assistant turn has to produce."""
        places = [turn for turn, message in enumerate(turns) if message["role"] == "assistant"]
        prompts = [self._render(turns[:place], add_generation_prompt=True) for place in places]
        spans = []
        for place, prompt in zip(places, prompts, strict=True):
            answered = self._render(turns[: place + 1], add_generation_prompt=False)
            if not answered.startswith(prompt):
                raise self._rewritten(place, "its generation prompt is not how the turn begins")
            stop = self._end_of_turn(answered, len(prompt), place)
            if not full.startswith(answered[:stop]):
                raise self._rewritten(place, "later turns change it")
            spans.append((len(prompt), stop))
        return spans

    def _end_of_turn(self, answered: str, start: int, place: int) -> int:
        """Return where in ``answered`` the stop token of its last turn ends."""
        # A template may close the whole text as well (Phi-3); that is not part of the turn.
        turn = answered.rstrip().removesuffix(self._ending.tail).rstrip()
        if turn.endswith(self._ending.text) and len(turn) > start:
            return len(turn)
        raise TemplateError(
            f"the template '{self.name}' does not end turn {place} with {self._ending.text!r}",
            mend="end every assistant turn with the end-of-turn token in the template",
        )

    def _rewritten(self, place: int, why: str) -> TemplateError:
        return TemplateError(
            f"the template '{self.name}' rewrites turn {place} (assistant): {why}",
            mend="train on single answers, or choose a template that only appends: "
            "--template solar or --template chatml",
        )

    def _find_ending(self) -> _Ending:
        """Try a short conversation and see how the template ends an answer."""
        turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": _PROBE}]
        answered = self._render(turns, add_generation_prompt=False)
        place = answered.rfind(_PROBE)
        if place < 0:
            raise TemplateError(
                f"the template '{self.name}' does not write the assistant's answer",
                mend="choose another --template",
            )
        longer = self._render([*turns, turns[0]], add_generation_prompt=True)
        common = _common_prefix(answered, longer)
        after = place + len(_PROBE)
        suffix = answered[after : common if common > after else len(answered)]
        for index in self.pieces.whole(suffix):
            text = str(self.tokenizer.convert_ids_to_tokens(index))
            if index in self.pieces.special or index == self.tokenizer.eos_token_id:
                stop = answered.find(text, after) + len(text)
                if suffix[: suffix.find(text)].strip():
                    break  # written text stands between the answer and the token
                return _Ending(index, text, answered[stop:].strip())
        raise TemplateError(
            f"the template '{self.name}' never ends the assistant's turn with a special token; "
            "a model trained on it would not learn to stop",
            mend="end the assistant's turn with {{ eos_token }} in the template, or use "
            "--template solar",
        )


def _checked(message: Mapping[str, object], turn: int) -> dict[str, str]:
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        raise TemplateError(
            f"turn {turn} has the role {role!r}", mend=f"the roles are {', '.join(ROLES)}"
        )
    if not isinstance(content, str):
        raise TemplateError(
            f"turn {turn} ({role}) has no text: its content is {type(content).__name__}",
            mend="give every turn a string as content",
        )
    return {"role": str(role), "content": content}


def _common_prefix(left: str, right: str) -> int:
    if right.startswith(left):
        return len(left)
    for place, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return place
    return min(len(left), len(right))


def _generation_stops(model_dir: Path) -> list[int]:
    """Return the stop ids that the model's generation_config.json names."""
    path = model_dir / "generation_config.json"
    if not path.is_file():
        return []
    eos = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id")
    return [eos] if isinstance(eos, int) else list(eos or [])
