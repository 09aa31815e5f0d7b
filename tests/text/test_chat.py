"""Templates, stop tokens, and what is refused, on real tokenizers."""

import json
from pathlib import Path

import pytest
from helpers import CHATML, tiny_tokenizer
from tokenizer_zoo import GEMMA, LLAMA2, NEVER_ENDS, PHI3, THINKING, byte_level, sentencepiece

from solarmini.artifact import template_sha256
from solarmini.errors import TemplateError
from solarmini.text import ChatFormat, load_tokenizer
from solarmini.text.templates import CHATML as OUR_CHATML
from solarmini.text.templates import SOLAR

GOLDEN = json.loads((Path(__file__).parent / "golden_smollm2.json").read_text(encoding="utf-8"))
USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello"}
TALK = [USER, ANSWER, {"role": "user", "content": "안녕"}, {"role": "assistant", "content": "네"}]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['template']}-{case['name']}")
def test_smollm2_gives_the_recorded_tokens(smollm2, case):
    encoded = ChatFormat(smollm2, case["template"]).encode(case["messages"])
    assert encoded.ids == case["ids"]
    assert [int(bit) for bit in encoded.mask] == case["mask"]


@pytest.mark.parametrize(
    ("system", "written"),
    [
        ([], ""),
        ([{"role": "system", "content": "Be brief."}], "### System:\nBe brief.\n\n"),
        ([{"role": "system", "content": ""}], ""),
    ],
)
def test_solar_prompts_are_those_of_the_released_model(smollm2, system, written):
    chat = ChatFormat(smollm2, "solar")
    prompt = chat.render([*system, USER], add_generation_prompt=True)
    assert prompt == f"{written}### User:\nHi\n\n### Assistant:\n"
    # the released template leaves answers open; ours end
    assert chat.render([*system, USER, ANSWER]) == f"{prompt}Hello{smollm2.eos_token}"


def test_solar_starts_each_turn_on_a_new_paragraph(smollm2):
    text = ChatFormat(smollm2, "solar").render(TALK)
    assert text == (
        "### User:\nHi\n\n### Assistant:\nHello<|im_end|>\n\n"
        "### User:\n안녕\n\n### Assistant:\n네<|im_end|>"
    )


def test_the_stop_token_is_taught_although_it_is_the_padding_token():
    tokenizer = byte_level()
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    chat = ChatFormat(tokenizer)
    encoded = chat.encode([USER, ANSWER])
    stops = [place for place, index in enumerate(encoded.ids) if index == tokenizer.eos_token_id]
    assert [encoded.mask[place] for place in stops] == [False, True]  # the user's, the answer's
    assert not encoded.mask[-1]  # the template's newline behind it


@pytest.mark.parametrize("template", [LLAMA2, GEMMA])
def test_bos_written_by_the_template_is_not_doubled(template):
    chat = ChatFormat(sentencepiece(template, extra=("<start_of_turn>", "<end_of_turn>")))
    ids = chat.encode([USER, ANSWER]).ids
    assert ids.count(chat.tokenizer.bos_token_id) == 1
    assert ids[0] == chat.tokenizer.bos_token_id


def test_bos_of_the_tokenizer_is_kept_where_the_template_writes_none():
    with_bos = ChatFormat(sentencepiece(), "solar").encode([USER, ANSWER]).ids
    without = ChatFormat(sentencepiece(adds_bos=False), "solar").encode([USER, ANSWER]).ids
    assert with_bos == [1, *without]
    assert (
        with_bos
        == sentencepiece()(ChatFormat(sentencepiece(), "solar").render([USER, ANSWER]))["input_ids"]
    )


def test_chatml_writes_startoftext_only_for_a_tokenizer_that_has_it():
    turns = ("<|im_start|>", "<|im_end|>")
    plain = ChatFormat(sentencepiece(extra=turns), "chatml")
    upstage = ChatFormat(sentencepiece(extra=("<|startoftext|>", *turns)), "chatml")
    assert plain.render([USER]).startswith("<|im_start|>user")
    assert upstage.render([USER]).startswith("<|startoftext|><|im_start|>user")
    start = upstage.tokenizer.convert_tokens_to_ids("<|startoftext|>")
    ids = upstage.encode([USER, ANSWER]).ids
    assert ids[0] == start
    assert upstage.tokenizer.bos_token_id not in ids
    assert plain.encode([USER]).ids[0] == plain.tokenizer.bos_token_id
    assert plain.sha256 == template_sha256(OUR_CHATML) != upstage.sha256


def test_chatml_is_refused_where_its_tokens_would_be_cut_up():
    with pytest.raises(TemplateError, match="one token") as caught:
        ChatFormat(sentencepiece(), "chatml")
    assert "--template solar" in str(caught.value.mend)


def test_solar_needs_an_end_of_text_token():
    tokenizer = byte_level()
    tokenizer.eos_token = None
    with pytest.raises(TemplateError, match="this tokenizer has none"):
        ChatFormat(tokenizer, "solar")


def test_unknown_template_suggests_the_right_one():
    with pytest.raises(TemplateError, match="'chatlm'") as caught:
        ChatFormat(byte_level(), "chatlm")
    assert "did you mean 'chatml'?" in str(caught.value.mend)


def test_a_model_without_template_says_what_to_choose():
    with pytest.raises(TemplateError, match="no chat template of its own") as caught:
        ChatFormat(byte_level(template=None))
    assert "--template solar" in str(caught.value.mend)


def test_a_template_file_is_used_and_named(tmp_path):
    path = tmp_path / "mine.jinja"
    path.write_text(CHATML)
    chat = ChatFormat(byte_level(template=None), str(path))
    assert (chat.name, chat.source, chat.sha256) == ("mine", CHATML, template_sha256(CHATML))


def test_a_template_that_never_ends_an_answer_is_refused():
    with pytest.raises(TemplateError, match="never ends the assistant's turn"):
        ChatFormat(byte_level(NEVER_ENDS))


def test_a_template_that_closes_before_the_answer_ends_is_refused():
    stray = CHATML.replace("+ '<|im_end|>", "+ ' (bye)<|im_end|>")
    with pytest.raises(TemplateError, match="never ends the assistant's turn"):
        ChatFormat(byte_level(stray))


def test_a_template_that_rewrites_earlier_turns_names_the_turn():
    chat = ChatFormat(byte_level(THINKING))
    encoded = chat.encode(TALK[:2])  # a single answer is no trouble
    taught = [i for i, is_target in zip(encoded.ids, encoded.mask, strict=True) if is_target]
    assert chat.tokenizer.decode(taught) == "<think>\n\n</think>\n\nHello<|im_end|>"
    with pytest.raises(TemplateError, match=r"rewrites turn 1 \(assistant\)"):
        chat.encode(TALK)


def test_a_template_whose_prompt_is_not_the_beginning_of_the_turn_is_refused():
    other = CHATML.replace("{{ '<|im_start|>assistant\\n' }}", "{{ '<|im_start|>bot\\n' }}")
    with pytest.raises(TemplateError, match="its generation prompt is not how the turn begins"):
        ChatFormat(byte_level(other)).encode(TALK)


def test_a_template_that_shortens_earlier_answers_is_refused():
    shorter = CHATML.replace("message['content']", "message['content'][:99 if loop.last else 12]")
    messages = [USER, {"role": "assistant", "content": "a <|im_end|>\nb"}, *TALK]
    with pytest.raises(TemplateError, match=r"rewrites turn 1 \(assistant\): later turns"):
        ChatFormat(byte_level(shorter)).encode(messages)


def test_an_answer_left_open_is_refused():
    opened = CHATML.replace("+ '<|im_end|>", "+ '<|im_end|>' * (message['content'] != 'Hm') + '")
    chat = ChatFormat(byte_level(opened))
    with pytest.raises(TemplateError, match="does not end turn 1 with"):
        chat.encode([USER, {"role": "assistant", "content": "Hm"}])


@pytest.mark.parametrize("eos", ["<|endoftext|>", "<|end|>"])
def test_what_closes_the_whole_text_is_not_part_of_the_answer(eos):
    special = ("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
    chat = ChatFormat(byte_level(PHI3, special=special, eos=eos, rstrip=special[1:]))
    text = chat.render(TALK)
    assert text.endswith(f"네<|end|>\n{eos}")
    encoded = chat.encode(TALK)
    assert encoded.ids == chat.tokenizer(text).input_ids  # special tokens take the newlines
    taught = [i for i, is_target in zip(encoded.ids, encoded.mask, strict=True) if is_target]
    assert chat.tokenizer.decode(taught) == "Hello<|end|>네<|end|>"
    assert not encoded.mask[-1]


@pytest.mark.parametrize("scheme", ["legacy", "always", "first", "never"])
def test_special_tokens_inside_an_answer_keep_the_tokenizers_own_spaces(scheme):
    chat = ChatFormat(sentencepiece(scheme=scheme), "solar")
    messages = [USER, {"role": "assistant", "content": "one</s>two</s> three"}]
    assert chat.encode(messages).ids == chat.tokenizer(chat.render(messages)).input_ids


def test_control_tokens_inside_an_answer_do_not_end_its_supervision():
    chat = ChatFormat(byte_level())
    said = "a <|im_end|>\nb"
    messages = [USER, {"role": "assistant", "content": said}, *TALK]
    encoded = chat.encode(messages)
    taught = [i for i, is_target in zip(encoded.ids, encoded.mask, strict=True) if is_target]
    assert chat.tokenizer.decode(taught) == f"{said}<|im_end|>Hello<|im_end|>네<|im_end|>"


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([{"role": "tool", "content": "x"}], "turn 0 has the role 'tool'"),
        ([USER, {"role": "narrator", "content": "x"}], "turn 1 has the role 'narrator'"),
        ([{"content": "x"}], "turn 0 has the role None"),
        ([{"role": "user", "content": None}], "turn 0 \\(user\\) has no text"),
        ([{"role": "user", "content": [{"type": "image"}]}], "its content is list"),
        ([], "is empty"),
        ([ANSWER], "begins with an assistant turn"),
    ],
)
def test_conversations_that_cannot_be_written_are_refused(messages, said):
    with pytest.raises(TemplateError, match=said):
        ChatFormat(byte_level()).encode(messages)


def test_what_the_template_itself_refuses_is_passed_on():
    tokenizer = sentencepiece(GEMMA, extra=("<start_of_turn>", "<end_of_turn>"))
    with pytest.raises(TemplateError, match="System role not supported"):
        ChatFormat(tokenizer).encode([{"role": "system", "content": "x"}, USER])


def test_stop_ids_are_end_of_turn_then_end_of_text_then_the_models_own(tmp_path):
    tiny_tokenizer(tmp_path)
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [2, 0]}')
    assert ChatFormat.load(tmp_path).stop_ids == [2, 0]
    gemma = sentencepiece(GEMMA, extra=("<start_of_turn>", "<end_of_turn>"))
    end = gemma.convert_tokens_to_ids("<end_of_turn>")
    assert ChatFormat(gemma).stop_ids == [end, gemma.eos_token_id]


def test_padding_set_by_a_caller_does_not_reach_the_ids():
    tokenizer = byte_level()
    tokenizer(["a", "a long text"], padding=True, truncation=True, max_length=4)
    assert ChatFormat(tokenizer).encode(TALK) == ChatFormat(byte_level()).encode(TALK)


def test_a_folder_without_tokenizer_is_an_error(tmp_path):
    with pytest.raises(TemplateError) as caught:
        load_tokenizer(tmp_path)
    assert caught.value.where == str(tmp_path)


def test_the_builtin_solar_template_has_not_changed():
    assert template_sha256(SOLAR)[:16] == SOLAR_SHA
    assert template_sha256(OUR_CHATML)[:16] == CHATML_SHA


# Manifests of finished models name these: a change needs a new template name.
SOLAR_SHA = "668cbb711f7673a2"
CHATML_SHA = "17762d2e5131cb2a"
