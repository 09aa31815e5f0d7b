"""Rows to examples: every token a target once, answers only, nothing left out in silence."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_zoo import byte_level, sentencepiece

from solarmini.data import ExampleStore, PairsAsExamples, PairStore
from solarmini.data.builders import (
    chat_examples,
    cut,
    end_of_document,
    preference_examples,
    text_examples,
)
from solarmini.data.sources import parse_source
from solarmini.errors import DataError, SupervisionError, TemplateError
from solarmini.text import ChatFormat


@pytest.fixture(scope="module")
def tokenizer():
    return byte_level()


@pytest.fixture(scope="module")
def chat(tokenizer):
    return ChatFormat(tokenizer)


@pytest.fixture
def data(tmp_path):
    def write(*rows, name="rows.jsonl", **fields):
        path = tmp_path / name
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        path.write_text("".join(lines))
        return parse_source({"path": str(path), **fields})

    return write


def qa(question, answer):
    turns = (("user", question), ("assistant", answer))
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def pair(chosen, rejected, prompt="Why?"):
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


@given(ids=st.lists(st.integers(0, 99), min_size=2, max_size=60), seq_len=st.integers(2, 20))
def test_every_token_but_a_documents_first_is_a_target_exactly_once(ids, seq_len):
    pieces = list(cut(ids, seq_len))
    targets = [int(token) for piece in pieces for token in piece.ids[piece.mask]]
    assert targets == ids[1:]
    assert all(2 <= len(piece) <= seq_len and not piece.mask[0] for piece in pieces)
    for before, after in itertools.pairwise(pieces):
        assert before.ids[-1] == after.ids[0]  # the context of the piece's first target


def test_documents_get_their_end_and_bos_where_the_tokenizer_adds_one(data, tokenizer):
    source = data({"text": "하나의 모델"}, {"text": "two"})
    examples = list(text_examples([source], tokenizer, 64))
    expected = [[*tokenizer(t).input_ids, tokenizer.bos_token_id] for t in ("하나의 모델", "two")]
    assert [example.ids.tolist() for example in examples] == expected
    llama = sentencepiece()
    first = next(iter(text_examples([source], llama, 64))).ids.tolist()
    assert first == [*llama("하나의 모델").input_ids, llama.eos_token_id]
    assert first.count(llama.bos_token_id) == 1


def test_a_chat_models_documents_end_with_end_of_text_not_end_of_turn(tokenizer):
    assert tokenizer.eos_token == "<|im_end|>"
    assert end_of_document(tokenizer) == tokenizer.convert_tokens_to_ids("<|endoftext|>")
    plain = byte_level(special=("<s>", "</s>"), eos="</s>")
    assert end_of_document(plain) == plain.eos_token_id
    plain.eos_token = None
    with pytest.raises(DataError, match="no token that ends a document"):
        end_of_document(plain)


def test_text_counts_and_records_say_what_was_read(data, tokenizer):
    source = data({"text": "one two"}, {"text": " \n"}, {"text": "three"}, licence="CC0-1.0")
    stream = text_examples([source], tokenizer, 4)
    examples = list(stream)
    tokens = sum(map(len, examples))
    supervised = sum(example.supervised for example in examples)
    assert stream.counts == {
        "rows": 3,
        "dropped_empty": 1,
        "tokens": tokens,
        "supervised": supervised,
    }
    (record,) = stream.records
    assert (record.name, record.rows, record.licence) == ("rows.jsonl", 3, "CC0-1.0")
    assert record.note == "1 dropped empty"


def test_unequal_weights_mix_by_tokens_and_say_who_ended_it(data, tokenizer):
    long = data(*({"text": f"a{i} " * 5} for i in range(300)), name="a.jsonl", weight=3.0)
    short = data(*({"text": f"b{i} " * 5} for i in range(30)), name="b.jsonl")
    stream = text_examples([long, short], tokenizer, 512)
    list(stream)
    by_name = {record.name: record for record in stream.records}
    assert by_name["b.jsonl"].rows == 30
    assert by_name["b.jsonl"].note == "the mixture ended when it ran out"
    assert 60 <= by_name["a.jsonl"].rows < 300
    assert by_name["a.jsonl"].note == "weight 3"
    equal = text_examples([long.model_copy(update={"weight": 1.0}), short], tokenizer, 512)
    assert len(list(equal)) == 330


def test_chat_masks_only_answers(data, chat):
    source = data(qa("Q?", "A."))
    (example,) = chat_examples([source], chat, 64)
    assert chat.tokenizer.decode(example.ids[example.mask]) == "A.<|im_end|>"
    assert (example.ids.dtype, example.mask.dtype) == (np.int32, np.bool_)


def test_too_long_is_an_error_unless_chosen_and_always_counted(data, chat):
    source = data(qa("Q?", "short"), qa("Q?", "long answer " * 20), qa("long question " * 20, "A"))
    with pytest.raises(DataError, match=r"tokens, the sequence length is 40") as caught:
        list(chat_examples([source], chat, 40))
    assert str(caught.value.where).endswith("rows.jsonl:2")
    dropped = chat_examples([source], chat, 40, "drop")
    assert len(list(dropped)) == 1
    assert dropped.counts["dropped_too_long"] == 2
    truncated = chat_examples([source], chat, 40, "truncate")
    examples = list(truncated)
    assert [len(example) for example in examples[1:]] == [40]
    assert (truncated.counts["truncated"], truncated.counts["dropped_too_long"]) == (1, 1)
    assert truncated.records[0].note == "1 dropped too long, 1 truncated"


def test_a_row_without_answer_is_refused_by_name(data, chat):
    source = data(qa("Q", "A"), {"messages": [{"role": "user", "content": "Q"}]})
    with pytest.raises(SupervisionError, match=r"0 % of its \d+ tokens") as caught:
        list(chat_examples([source], chat, 64))
    assert str(caught.value.where).endswith("rows.jsonl:2")
    assert "assistant turn" in str(caught.value.mend)


def test_a_row_of_nothing_but_answer_is_refused(data, tmp_path):
    bare = "{% for m in messages %}{% if m['role'] == 'assistant' %}"
    bare += "{{ m['content'] + eos_token }}{% endif %}{% endfor %}"
    chat = ChatFormat(byte_level(bare))
    with pytest.raises(SupervisionError, match="supervised to 100 %") as caught:
        list(chat_examples([data(qa("Q", "A"))], chat, 64))
    assert str(caught.value.where).endswith("rows.jsonl:1")


def test_template_errors_name_the_row(data, chat):
    answer_first = {"messages": [{"role": "assistant", "content": "A"}]}
    with pytest.raises(TemplateError, match="begins with an assistant turn") as caught:
        list(chat_examples([data(qa("Q", "A"), answer_first)], chat, 64))
    assert str(caught.value.where).endswith("rows.jsonl:2")


def test_the_wrong_kind_of_data_is_refused(data, chat, tokenizer):
    text, talk = data({"text": "t"}, name="t.jsonl"), data(qa("Q", "A"), name="c.jsonl")
    with pytest.raises(DataError, match="needs conversations; the row is of the format 'text'"):
        list(chat_examples([text], chat, 64))
    with pytest.raises(DataError, match="needs text; the row is of the format 'messages'"):
        list(text_examples([talk], tokenizer, 64))
    with pytest.raises(DataError, match="needs preference triples"):
        list(preference_examples([talk], chat, 64))
    with pytest.raises(DataError, match="no data source"):
        text_examples([], tokenizer, 64)
    with pytest.raises(DataError, match="leaves nothing to predict"):
        text_examples([text], tokenizer, 1)


def test_pairs_share_the_prompt_and_learn_only_the_answer(data, chat):
    talk = [
        {"from": "human", "value": "Hi"},
        {"from": "gpt", "value": "Hello"},
        {"from": "human", "value": "더?"},
    ]
    source = data(pair("good", "bad one", prompt=talk))
    ((chosen, rejected),) = preference_examples([source], chat, 64)
    decode = chat.tokenizer.decode
    assert decode(chosen.ids[chosen.mask]) == "good<|im_end|>"  # not the earlier "Hello"
    assert decode(rejected.ids[rejected.mask]) == "bad one<|im_end|>"
    prompt = int(np.argmax(chosen.mask))
    assert prompt == int(np.argmax(rejected.mask))
    assert np.array_equal(chosen.ids[:prompt], rejected.ids[:prompt])


def test_pairs_are_dropped_whole_and_counted_once(data, chat, tmp_path):
    long = "very long " * 30
    answers = (("a", "b"), (long, "b"), ("a", long), (long, long), ("c", "c"))
    source = data(*(pair(*both) for both in answers))
    stream = preference_examples([source], chat, 40, "drop")
    assert len(list(stream)) == 1
    assert (stream.counts["rows"], stream.counts["dropped_too_long"]) == (5, 3)
    assert stream.counts["dropped_identical"] == 1
    truncated = preference_examples([source], chat, 40, "truncate")
    assert len(list(truncated)) == 3
    assert truncated.counts["dropped_identical"] == 2  # the same after truncation too
    store = PairStore.ensure(PairsAsExamples(truncated), tmp_path / "pairs")
    assert len(store) == 3
    assert store.store.counts["truncated"] == 3


def test_a_fingerprint_changes_with_everything_that_matters(data, chat, tokenizer):
    source = data(qa("Q", "A"))
    solar = ChatFormat(tokenizer, "solar")
    other = ChatFormat(byte_level(special=("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<x>")))
    base = chat_examples([source], chat, 64).fingerprint
    assert base == chat_examples([source], ChatFormat(byte_level()), 64).fingerprint
    changed = [
        chat_examples([source], solar, 64),
        chat_examples([source], other, 64),
        chat_examples([source], chat, 65),
        chat_examples([source], chat, 64, "drop"),
        chat_examples([source.model_copy(update={"limit": 1})], chat, 64),
        chat_examples([source.model_copy(update={"split": "train"})], chat, 64),
        chat_examples([source, source], chat, 64),
        preference_examples([source], chat, 64),
        text_examples([source], tokenizer, 64),
        chat_examples([data(qa("Q", "B"))], chat, 64),
    ]
    assert len({base, *(stream.fingerprint for stream in changed)}) == len(changed) + 1


def test_a_stream_fills_a_store_and_is_not_read_again(data, chat, tmp_path, monkeypatch):
    source = data(qa("Q", "A"), qa("한국어?", "네."))
    store = ExampleStore.ensure(chat_examples([source], chat, 64), tmp_path / "store")
    assert len(store) == 2
    monkeypatch.setattr(ChatFormat, "encode", None)  # a second reading would fail
    again = ExampleStore.ensure(chat_examples([source], chat, 64), tmp_path / "store")
    assert again.counts == store.counts
    assert again.records[0].rows == 2


def test_real_korean_and_english_rows_survive_every_template(shared, chat, tokenizer):
    for name in ("sft/dev/ko_square_acceptable.jsonl", "sft/dev/en_alpaca_demo.jsonl.gz"):
        source = parse_source(f"{shared / 'data' / name}@60")
        for template in ("model", "solar", "chatml"):
            stream = chat_examples([source], ChatFormat(tokenizer, template), 4096)
            assert len(list(stream)) == 60
            assert 0 < stream.counts["supervised"] < stream.counts["tokens"]
