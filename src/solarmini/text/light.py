"""A tokenizer without transformers: what chat and generation need, in a tenth of the memory.

It answers the same calls as a transformers tokenizer (the few that `ChatFormat`, `PieceTokenizer`
and the engines make), on the same Rust backend and with the same template language, so a process
that only serves a model does not import torch. Tests compare it with transformers over every kind
of tokenizer and template.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

_SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token")


class LightTokenizer:
    """A `tokenizer.json` with its special tokens and chat template."""

    is_fast = True

    def __init__(
        self,
        definition: str,
        config: Mapping[str, Any],
        *,
        chat_template: str | None = None,
        name: str = "",
    ) -> None:
        """`definition` is tokenizer.json's text, `config` is tokenizer_config.json's content."""
        from tokenizers import Tokenizer

        self.backend_tokenizer = Tokenizer.from_str(definition)
        self.backend_tokenizer.no_padding()
        self.backend_tokenizer.no_truncation()
        self.name_or_path = name
        self.special_tokens_map = {
            key: _content(config[key]) for key in _SPECIAL if config.get(key) is not None
        }
        stated = config.get("chat_template")
        self.chat_template = chat_template or (stated if isinstance(stated, str) else None)

    def _special(self, key: str) -> str | None:
        return self.special_tokens_map.get(key)

    def _special_id(self, key: str) -> int | None:
        text = self._special(key)
        return None if text is None else self.backend_tokenizer.token_to_id(text)

    @property
    def bos_token(self) -> str | None:
        """The token that begins a text, as text."""
        return self._special("bos_token")

    @property
    def eos_token(self) -> str | None:
        """The token that ends a text, as text."""
        return self._special("eos_token")

    @property
    def bos_token_id(self) -> int | None:
        """The id of the token that begins a text."""
        return self._special_id("bos_token")

    @property
    def eos_token_id(self) -> int | None:
        """The id of the token that ends a text."""
        return self._special_id("eos_token")

    @property
    def added_tokens_decoder(self) -> dict[int, Any]:
        """Added tokens by id."""
        return self.backend_tokenizer.get_added_tokens_decoder()

    def convert_ids_to_tokens(self, index: int) -> str | None:
        """Return the written form of one id."""
        return self.backend_tokenizer.id_to_token(index)

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        """Return the ids of a text."""
        return self.backend_tokenizer.encode(text, add_special_tokens=add_special_tokens).ids

    def decode(
        self,
        ids: Sequence[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool = False,
    ) -> str:
        """Return the text of ids; spaces are never cleaned up."""
        assert not clean_up_tokenization_spaces
        return self.backend_tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens)

    def apply_chat_template(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        chat_template: str | None = None,
        tokenize: bool = False,
        add_generation_prompt: bool = False,
    ) -> str:
        """Return the template's text, as transformers renders it."""
        assert not tokenize
        source = chat_template or self.chat_template
        assert source is not None
        return _compiled(source).render(
            messages=messages,
            tools=None,
            documents=None,
            add_generation_prompt=add_generation_prompt,
            **self.special_tokens_map,
        )


def _content(token: Any) -> str:
    return token["content"] if isinstance(token, Mapping) else str(token)


@lru_cache(maxsize=8)
def _compiled(source: str) -> Any:
    """Compile a template in the environment that transformers documents for chat templates."""
    import jinja2
    from jinja2 import nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """`{% generation %}` marks the assistant's text for training; here it changes nothing."""

        tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body).set_lineno(line)

    def fail(message: str) -> None:
        raise jinja2.exceptions.TemplateError(message)

    def now(form: str) -> str:
        return datetime.now().strftime(form)

    def tojson(
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(
            value,
            ensure_ascii=ensure_ascii,
            indent=indent,
            separators=separators,
            sort_keys=sort_keys,
        )

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = tojson
    known: dict[str, Any] = {"raise_exception": fail, "strftime_now": now}
    environment.globals.update(known)
    return environment.from_string(source)
