"""Every row format, and what is said of rows that fit none."""

import pytest

from solarmini.data.files import Row
from solarmini.data.formats import ChatRow, PairRow, TextRow, detect_format, parse_row
from solarmini.data.rows import read_rows
from solarmini.data.sources import parse_source
from solarmini.errors import DataError


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


def system(text):
    return {"role": "system", "content": text}


def parse(fields, format="auto"):
    return parse_row(Row(fields, "f.jsonl", 7), format)


QA = (user("q"), assistant("a"))
PAIR = PairRow((user("q"),), (assistant("good"),), (assistant("bad"),))
SHAREGPT = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]


@pytest.mark.parametrize(
    ("fields", "format", "expected"),
    [
        ({"text": "t", "id": 3}, "text", TextRow("t")),
        ({"messages": list(QA)}, "messages", ChatRow(QA)),
        ({"conversations": list(QA)}, "messages", ChatRow(QA)),
        ({"conversations": SHAREGPT}, "sharegpt", ChatRow(QA)),
        ({"conversations": SHAREGPT, "system": "s"}, "sharegpt", ChatRow((system("s"), *QA))),
        ({"messages": [system("s"), *QA], "system": None}, "messages", ChatRow((system("s"), *QA))),
        ({"instruction": "q", "input": "", "output": "a"}, "alpaca", ChatRow(QA)),
        ({"instruction": "q", "input": None, "output": "a", "text": "x"}, "alpaca", ChatRow(QA)),
        (
            {"instruction": "q", "input": "i", "output": "a", "system": "s"},
            "alpaca",
            ChatRow((system("s"), user("q\n\ni"), assistant("a"))),
        ),
        ({"system_prompt": "", "question": "q", "response": "a"}, "orca", ChatRow(QA)),
        (
            {"id": "1", "system_prompt": "s", "question": "q", "response": "a"},
            "orca",
            ChatRow((system("s"), *QA)),
        ),
    ],
)
def test_text_and_conversations(fields, format, expected):
    assert detect_format(Row(fields, "f", 1)) == format
    assert parse(fields) == expected
    assert parse(fields, format) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "q", "chosen": "good", "rejected": "bad"},
        {"question": "q", "system": "", "chosen": "good", "rejected": "bad"},
        {"instruction": "q", "input": "", "chosen": "good", "rejected": "bad"},
        {"prompt": [user("q")], "chosen": [assistant("good")], "rejected": [assistant("bad")]},
        {
            "prompt": [{"from": "human", "value": "q"}],
            "chosen": {"from": "gpt", "value": "good"},
            "rejected": {"from": "gpt", "value": "bad"},
        },
        {"conversations": SHAREGPT[:1], "chosen": "good", "rejected": "bad"},
        # the prompt repeated before each answer, with and without a field of its own
        {
            "prompt": "q",
            "chosen": [user("q"), assistant("good")],
            "rejected": [user("q"), assistant("bad")],
        },
        {"chosen": [user("q"), assistant("good")], "rejected": [user("q"), assistant("bad")]},
        {"chosen": "Human: q\n\nAssistant: good", "rejected": "Human: q\n\nAssistant: bad"},
    ],
)
def test_preference_triples_in_every_usual_shape(fields):
    assert parse(fields) == PAIR


def test_a_transcript_prompt_becomes_turns():
    prompt = "Human: one\n\nAssistant: two\n\nHuman: three\n\nAssistant:"
    pair = parse({"prompt": prompt, "chosen": "a", "rejected": "b"})
    assert pair.prompt == (user("one"), assistant("two"), user("three"))
    plain = parse({"prompt": "Human: or machine?", "chosen": "a", "rejected": "b"})
    assert plain.prompt == (user("Human: or machine?"),)  # one line is not a transcript


def test_identical_answers_keep_their_last_turn():
    same = [user("q"), assistant("a")]
    assert parse({"chosen": same, "rejected": same}) == PairRow((user("q"),), QA[1:], QA[1:])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"en": "a", "ko": "b"}, "cannot tell the format of a row with the fields en, ko"),
        ({}, "with the fields -"),
        ({"messages": []}, "'messages' is not a list of turns"),
        ({"messages": ["hi"]}, r"messages\[0\] is not an object"),
        ({"messages": [{"role": "tool", "content": "x"}]}, r"messages\[0\] has the role 'tool'"),
        ({"conversations": [{"from": "observation", "value": "x"}]}, "role 'observation'"),
        ({"messages": [user("q"), assistant(" ")]}, r"messages\[1\] \(assistant\) is empty"),
        ({"messages": [user(None)]}, r"messages\[0\] \(user\) has no text but NoneType"),
        ({"instruction": "q", "output": ""}, "'output' is empty"),
        ({"instruction": "q", "input": 3, "output": "a"}, "'input' is int, not a string"),
        ({"question": "q", "response": " "}, "'response' is empty"),
        ({"prompt": "q", "chosen": "", "rejected": "b"}, "'chosen' is empty"),
        ({"chosen": "a", "rejected": "b"}, "no prompt that both answers share"),
        ({"prompt": [user("q"), assistant("a")], "chosen": "a", "rejected": "b"}, "prompt ends"),
        ({"prompt": "q", "chosen": [user("x")], "rejected": "b"}, "not an assistant's answer"),
    ],
)
def test_malformed_rows_are_named(fields, said):
    with pytest.raises(DataError, match=said) as caught:
        parse(fields)
    assert caught.value.where == "f.jsonl:7"
    assert caught.value.mend


def test_a_stated_format_that_does_not_fit_names_the_fields():
    with pytest.raises(DataError, match=r"no field 'text' \(fields: prompt\)"):
        parse({"prompt": "q"}, "text")
    with pytest.raises(DataError, match="no field messages or conversations"):
        parse({"text": "q"}, "messages")


SHARED_ROWS = {
    "sft/dev/en_alpaca_demo.jsonl.gz": ("alpaca", 517),
    "dpo/dev/en_dpo_demo.jsonl.gz": ("preference", 157),
    "dpo/dev/en_hh_harmless.jsonl.gz": ("preference", 1144),
    "dpo/dev/ko_square.jsonl": ("preference", 110),
    "cpt/ko/debian_faq_ko.jsonl": ("text", 14),
}


@pytest.mark.parametrize("name", SHARED_ROWS)
def test_real_files_are_read_whole(shared, name):
    rows = list(read_rows(parse_source(str(shared / "data" / name))))
    assert (rows[0].format, len(rows)) == SHARED_ROWS[name]
