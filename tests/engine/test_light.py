"""The light tokenizer answers as transformers does, for every tokenizer and template we know."""

import json
from pathlib import Path
from typing import Any

import jinja2
import pytest
import tokenizer_zoo as zoo

from solarmini.errors import TemplateError
from solarmini.text.chat import ChatFormat
from solarmini.text.light import LightTokenizer
from solarmini.text.tokenizer import load_tokenizer

TALKS = (
    [{"role": "user", "content": "Hello 한국어\n 12"}],
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": " a "},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ],
)
KINDS = {
    "chatml": lambda: zoo.byte_level(),
    "prefix": lambda: zoo.byte_level(prefix_space=True),
    "llama2": lambda: zoo.sentencepiece(),
    "first": lambda: zoo.sentencepiece(scheme="first"),
    "gemma": lambda: zoo.sentencepiece(zoo.GEMMA, extra=("<start_of_turn>", "<end_of_turn>")),
    "phi3": lambda: zoo.byte_level(
        zoo.PHI3, special=("<s>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>")
    ),
    "thinking": lambda: zoo.byte_level(zoo.THINKING),
}


def both(tokenizer: Any, folder: Path) -> tuple[Any, LightTokenizer]:
    tokenizer.save_pretrained(folder)
    loaded: Any = load_tokenizer(folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    light = LightTokenizer(
        loaded.backend_tokenizer.to_str(), config, chat_template=loaded.chat_template
    )
    return loaded, light


@pytest.mark.parametrize("kind", KINDS)
def test_everything_the_engines_ask(kind: str, tmp_path: Path) -> None:
    heavy, light = both(KINDS[kind](), tmp_path)
    for name in ("bos_token", "eos_token", "bos_token_id", "eos_token_id"):
        assert getattr(light, name) == getattr(heavy, name), name
    for text in (zoo.TEXT, "  two  spaces", "x<|im_end|>y</s>", ""):
        assert light.encode(text) == heavy.encode(text)
        ids = heavy.encode(text, add_special_tokens=False)
        assert light.decode(ids) == heavy.decode(ids, clean_up_tokenization_spaces=False)
        assert [light.convert_ids_to_tokens(i) for i in ids] == [
            heavy.convert_ids_to_tokens(i) for i in ids
        ]
    for talk in TALKS:
        for begin in (False, True):
            options: dict[str, Any] = {"tokenize": False, "add_generation_prompt": begin}
            try:
                expected = heavy.apply_chat_template(talk, **options)
            except jinja2.TemplateError as error:
                with pytest.raises(jinja2.TemplateError, match=str(error)):
                    light.apply_chat_template(talk, **options)
            else:
                assert light.apply_chat_template(talk, **options) == expected


@pytest.mark.parametrize("kind", ["chatml", "llama2"])
def test_the_chat_format_is_the_same(kind: str, tmp_path: Path) -> None:
    heavy, light = both(KINDS[kind](), tmp_path)
    one, two = ChatFormat(heavy), ChatFormat(light)  # ty: ignore[invalid-argument-type]
    assert (one.sha256, one.stop_ids) == (two.sha256, two.stop_ids)
    for talk in TALKS:
        assert one.encode(talk, add_generation_prompt=True) == two.encode(
            talk, add_generation_prompt=True
        )


def test_template_features(tmp_path: Path) -> None:
    source = (
        "{%- for m in messages -%}\n{%- if loop.index > 1 %}{% break %}{% endif -%}\n"
        "{% generation %}{{ m | tojson }}{% endgeneration %}\n{%- endfor %}"
        "{{ strftime_now('%Y') | length }}"
    )
    heavy, light = both(zoo.byte_level(source), tmp_path)
    talk = TALKS[1]
    options: dict[str, Any] = {"tokenize": False}
    assert light.apply_chat_template(talk, **options) == heavy.apply_chat_template(talk, **options)
    unsafe = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    with pytest.raises(jinja2.exceptions.SecurityError):
        light.apply_chat_template(talk, chat_template=unsafe)
    light.chat_template = None
    with pytest.raises(TemplateError):
        ChatFormat(light)  # ty: ignore[invalid-argument-type]
