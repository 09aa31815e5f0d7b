"""Record files, comparison and its warnings, and the commands."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from solarmini.errors import EvaluateError, OutputError
from solarmini.evaluate.compare import compare_models, difference, load_models
from solarmini.evaluate.evaluate import EvaluateSettings, evaluate_model, parse_data_task
from solarmini.evaluate.records import RecordSet, read_records, write_records
from solarmini.evaluate.statistics import Item
from tests.evaluate.records_maker import record
from tests.helpers import solar

A: list[Item] = [(30.0, 10.0), (42.0, 12.0), (20.0, 9.0), (33.0, 11.0)]
B: list[Item] = [(28.0, 10.0), (39.0, 12.0), (19.0, 9.0), (31.5, 11.0)]


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    records = [record(A), record(A, metric="perplexity")]
    path = tmp_path / "deep" / "records.json"
    write_records(path, records)
    assert read_records(path).records == tuple(records)
    assert not list(path.parent.glob(".*"))
    with pytest.raises(OutputError, match="exists already"):
        write_records(path, records)
    write_records(path, records[:1], overwrite=True)
    assert len(read_records(path).records) == 1


def test_unknown_keys_and_damage_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_records(path, [record(A)])
    data = json.loads(path.read_text())
    data["records"][0]["colour"] = "red"
    path.write_text(json.dumps(data))
    with pytest.raises(EvaluateError, match=r"records\.0\.colour"):
        read_records(path)
    path.write_text("{")
    with pytest.raises(EvaluateError, match="not a record file"):
        read_records(path)
    path.write_text('{"schema_version": 7, "records": []}')
    with pytest.raises(EvaluateError, match="schema 7"):
        read_records(path)
    with pytest.raises(EvaluateError, match="no such record file"):
        read_records(tmp_path / "none.json")


def test_compare_pairs_items_and_marks_the_best() -> None:
    first, second = record(A), record(B, model="other")
    found = compare_models(
        [("tiny", RecordSet(records=(first,))), ("other", RecordSet(records=(second,)))]
    )
    assert found.warnings == ()
    (line,) = found.lines
    assert [cell.best for cell in line.cells] == [False, True]
    change = line.cells[1].difference
    assert line.cells[1].paired
    assert change is not None
    assert change.value == pytest.approx(second.value - first.value)
    assert change.ci_high is not None
    assert change.ci_high < 0
    unpaired, paired = difference(first, second.model_copy(update={"items": None}))
    assert not paired
    assert unpaired.ci_high is not None
    assert unpaired.ci_high > change.ci_high
    ratio, _ = difference(record(A, metric="perplexity"), record(B, metric="perplexity"))
    assert ratio.value == pytest.approx(2.718281828 ** (second.value - first.value))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("data_sha256", "e" * 64, "were measured on different data"),
        ("template_sha256", "e" * 64, "used different chat templates"),
        ("shots", 5, "different numbers of shots"),
        ("n", 3, "different numbers of items"),
        ("precision", "bf16", "different precisions"),
        ("total", 40.0, "different tokens"),
    ],
)
def test_compare_warns_of_what_is_unlike(field: str, value: Any, message: str) -> None:
    other = record(B, model="other", **{field: value})
    found = compare_models(
        [("tiny", RecordSet(records=(record(A),))), ("other", RecordSet(records=(other,)))]
    )
    assert len(found.warnings) == 1
    assert message in found.warnings[0]
    assert "tiny and other" in found.warnings[0]
    assert found.lines[0].cells[1].paired == (field != "data_sha256")


def test_compare_reads_files_and_folders(tmp_path: Path) -> None:
    write_records(tmp_path / "a" / "records.json", [record(A)])
    write_records(tmp_path / "run" / "records" / "b.json", [record(B, model="b")])
    write_records(tmp_path / "run" / "records" / "c.json", [record(B)])
    found = load_models([tmp_path / "a", tmp_path / "run"])
    assert [name for name, _ in found] == ["tiny (1)", "b", "tiny (3)"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(EvaluateError, match="holds no records"):
        load_models([tmp_path / "empty"])


def test_commands_measure_and_compare(model: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.jsonl"
    text.write_text(
        "".join(json.dumps({"text": f"A model is grown {k}."}) + "\n" for k in range(6))
    )
    output = tmp_path / "one.json"
    done = solar(
        "evaluate", model, "--text", f"docs={text}", "-o", output, "--name", "one",
        "--precision", "fp32",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "perplexity" in done.out
    assert "tiny" not in done.out.splitlines()[0]
    assert done.out.splitlines()[0].startswith("one base")
    again = solar("evaluate", model, "--text", f"docs={text}", "-o", output)
    assert again.code == 2
    assert "exists already" in again.err
    plain = solar("evaluate", model, "--text", f"docs={text}", "--precision", "fp32", "--json")
    values = [r["value"] for r in json.loads(plain.out)["records"]]
    assert values == [r.value for r in read_records(output).records]
    table = solar("compare", output, output)
    assert table.code == 0
    assert "x1.000" in table.out
    assert "not comparable" not in table.err
    other = tmp_path / "two.json"
    limited = f"docs={text}@3"
    assert solar("evaluate", model, "--text", limited, "-o", other).code == 0
    unlike = solar("compare", output, other)
    assert "measured on different data" in unlike.err
    machine = json.loads(solar("compare", output, other, "--json").out)
    assert machine["measures"][0]["values"][0]["n"] == 6


def test_evaluate_takes_any_reference(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub id that is in the local cache gives its name to the records."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "hub" / "models--someone--tiny"
    shutil.copytree(model, cached / "snapshots" / commit)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "text.txt").write_text("A model is grown.")
    arguments = ["--text", tmp_path / "text.txt", "--precision", "fp32", "--json"]
    done = solar("evaluate", "someone/tiny", *arguments)
    assert done.code == 0, done.err
    assert json.loads(done.out)["records"][0]["model"] == "someone/tiny"
    missing = solar("evaluate", tmp_path / "none", *arguments)
    assert (missing.code, "no model named" in missing.err) == (2, True)


def test_bad_input_is_named(model: Path, tmp_path: Path) -> None:
    empty, chat = tmp_path / "empty.txt", tmp_path / "chat.jsonl"
    empty.write_text(" \n")
    chat.write_text(json.dumps({"instruction": "Say", "output": "Said"}) + "\n")
    cases = (
        (["--text", empty], "empty"),
        (["--text", chat], "a row of text was expected, this is alpaca"),
        (["--preference", chat], "a row of preference pairs was expected"),
        (["--text", f"a={chat}", "--chat", f"a={chat}"], "two tasks are called 'a'"),
        ([], "nothing to measure"),
        (["--task", "arc_easy=none.jsonl:shots=0"], "no such file"),
    )
    for arguments, message in cases:
        done = solar("evaluate", model, *arguments)
        assert done.code == 2
        assert message in " ".join(done.err.split())
    with pytest.raises(EvaluateError) as caught:
        evaluate_model(model, EvaluateSettings(text=(parse_data_task(str(chat)),)))
    assert str(caught.value.where).endswith("chat.jsonl:1")


def test_data_tasks_are_named_after_their_file() -> None:
    assert parse_data_task("python-docs#heldout@12").name == "python-docs"
    assert parse_data_task("docs=python-docs").name == "docs"
    assert parse_data_task("a/b=c/held.out.jsonl.gz").name == "held"
