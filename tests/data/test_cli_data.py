"""`solar data show` and `solar data check`."""

import json

import pytest
from helpers import solar, tiny_model

ROWS = [
    {"instruction": "여행은?", "input": "", "output": "언제나 좋죠."},
    {"instruction": "Say hi", "input": "", "output": "hi"},
    {"instruction": "Say hi", "input": "", "output": "hi"},
    {"instruction": "Say hi", "input": "", "output": "hello <|im_end|>"},
    {"instruction": "", "input": "", "output": "x"},
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model("llama", tmp_path_factory.mktemp("model") / "tiny", layers=1)


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS))
    return path


def test_show_marks_what_is_learned(model, rows):
    done = solar("data", "show", rows, "--model", model)
    assert done.code == 0
    assert "<|im_start|>user\n여행은?<|im_end|>\n" in done.out
    assert "<|im_start|>assistant\n[언제나 좋죠.<|im_end|>]\n" in done.out
    assert "tokens supervised (" in done.out


def test_show_as_json_gives_ids_and_mask(model, rows):
    done = solar(
        "data", "show", rows, "--model", model, "--row", 2, "--template", "solar", "--json"
    )
    (sequence,) = json.loads(done.out)["sequences"]
    assert sequence["tokens"] == len(sequence["ids"]) == len(sequence["mask"])
    learned = "".join(piece["text"] for piece in sequence["pieces"] if piece["supervised"])
    assert learned == "hi<|im_end|>"


def test_show_of_a_pair_shows_both_sides_and_of_text_all(model, tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"prompt": "Q", "chosen": "good", "rejected": "bad"}\n')
    done = solar("data", "show", pairs, "--model", model)
    assert "chosen:" in done.out
    assert "[good<|im_end|>]" in done.out
    assert "[bad<|im_end|>]" in done.out
    text = tmp_path / "a.txt"
    text.write_text("Q")
    assert "Q[<|endoftext|>]" in solar("data", "show", text, "--model", model).out


def test_show_names_a_row_that_is_not_there(model, rows):
    done = solar("data", "show", f"{rows}@2", "--model", model, "--row", 9)
    assert done.code == 2
    assert "there is no row 9" in done.err
    assert "the source gives 2 rows" in done.err


def test_check_counts_everything_and_goes_on_behind_bad_rows(model, rows):
    done = solar("data", "check", rows, "--model", model, "--seq-len", 30, "--json")
    assert done.code == 1
    facts = json.loads(done.out)
    assert (facts["rows"], facts["formats"], facts["bad_rows"]) == (4, {"alpaca": 4}, 1)
    assert (facts["duplicates"], facts["same_prompt"], facts["control_tokens"]) == (1, 1, 1)
    assert facts["problems"][0]["where"] == f"{rows}:5"
    assert sum(item["sequences"] for item in facts["histogram"]) == 4
    assert 0 < facts["supervised_share"] < 1


@pytest.mark.parametrize(("seq_len", "too_long"), [(1, 4), (10_000, 0)])
def test_check_counts_what_is_too_long(model, rows, seq_len, too_long):
    done = solar("data", "check", f"{rows}@4", "--model", model, "--seq-len", seq_len, "--json")
    assert json.loads(done.out)["too_long"] == too_long


def test_check_prints_a_table_and_passes_good_data(model, rows):
    done = solar("data", "check", f"{rows}@4", "--model", model)
    assert done.code == 0
    assert "alpaca (4)" in done.out
    assert "█" in done.out


def test_a_wrong_template_is_one_error(model, rows):
    done = solar("data", "check", rows, "--model", model, "--template", "solr")
    assert done.code == 2
    assert "did you mean 'solar'?" in done.err
