"""Chat templates: the model's own, `solar`, `chatml`, or a file.

`solar` is the layout of the released SOLAR-10.7B-Instruct: its prompts are the same characters.
The released template never ends an answer, so a model tuned on it alone would not learn to
stop; here every answer ends with the tokenizer's end-of-text token, and the next turn starts on
a new paragraph. `chatml` is the layout of the Solar Mini API; its `<|startoftext|>` is written
only for a tokenizer that has that token, else the tokenizer's own BOS rule holds.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from solarmini.errors import TemplateError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from solarmini.text.tokenizer import PieceTokenizer

START_OF_TEXT = "<|startoftext|>"
NAMES = ("model", "solar", "chatml")

SOLAR = (
    "{% for message in messages %}"
    "{% if not loop.first and loop.previtem['role'] == 'assistant' %}{{ '\\n\\n' }}{% endif %}"
    "{% if message['role'] == 'system' %}"
    "{% if message['content'] %}{{ '### System:\\n' + message['content'] + '\\n\\n' }}{% endif %}"
    "{% elif message['role'] == 'user' %}"
    "{{ '### User:\\n' + message['content'] + '\\n\\n' }}"
    "{% else %}"
    "{{ '### Assistant:\\n' + message['content'] + eos_token }}"
    "{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}"
    "{% if messages and messages[-1]['role'] == 'assistant' %}{{ '\\n\\n' }}{% endif %}"
    "{{ '### Assistant:\\n' }}"
    "{% endif %}"
)
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@dataclass(frozen=True, slots=True)
class Template:
    """A template's name and its jinja source."""

    name: str
    source: str


def find_template(
    choice: str, tokenizer: "PreTrainedTokenizerBase", pieces: "PieceTokenizer"
) -> Template:
    """Return the template that ``choice`` names, checked against the tokenizer.

    Raises TemplateError when the name is unknown, or the tokenizer cannot write the template.
    """
    match choice:
        case "model":
            return Template("model", _model_template(tokenizer))
        case "solar":
            if tokenizer.eos_token is None:
                raise TemplateError(
                    "the template 'solar' ends answers with the end-of-text token; "
                    "this tokenizer has none",
                    mend="set eos_token in tokenizer_config.json",
                )
            return Template("solar", SOLAR)
        case "chatml":
            return Template("chatml", _chatml(pieces))
        case _:
            return _template_file(choice)


def _model_template(tokenizer: "PreTrainedTokenizerBase") -> str:
    source = tokenizer.chat_template
    if isinstance(source, dict):
        source = source.get("default")
    if not source:
        raise TemplateError(
            "the model has no chat template of its own",
            where=getattr(tokenizer, "name_or_path", None),
            mend="choose one: --template solar, --template chatml, or a path to a .jinja file",
        )
    return source


def _chatml(pieces: "PieceTokenizer") -> str:
    for token in ("<|im_start|>", "<|im_end|>"):
        if not pieces.is_one_token(token):
            raise TemplateError(
                f"the template 'chatml' needs {token} as one token; this tokenizer cuts it up",
                mend="use --template solar, which needs no new tokens, or a base model whose "
                "tokenizer has <|im_start|> and <|im_end|> as special tokens",
            )
    if pieces.is_one_token(START_OF_TEXT):
        return "{{ '" + START_OF_TEXT + "' }}" + CHATML
    return CHATML


def _template_file(choice: str) -> Template:
    path = Path(choice)
    if path.is_file():
        return Template(path.stem, path.read_text(encoding="utf-8"))
    near = difflib.get_close_matches(choice.lower(), NAMES, n=1, cutoff=0.4)
    mend = f"did you mean '{near[0]}'? " if near and path.suffix != ".jinja" else ""
    raise TemplateError(
        f"no chat template is called '{choice}', and no such file is there",
        mend=f"{mend}known: {', '.join(NAMES)}, or a path to a .jinja file",
    )
