"""Which data is meant, and the rows of every kind of file."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from solarmini.data.files import digest_files, find_files
from solarmini.data.formats import PairRow, TextRow
from solarmini.data.hub import parts
from solarmini.data.python_docs import python_docs
from solarmini.data.rows import digest_source, is_heldout, read_rows, row_hash
from solarmini.data.sources import DataSource, parse_source
from solarmini.errors import ConfigError, DataError


def said(row):
    assert isinstance(row.value, TextRow)
    return row.value.text


def texts(spec):
    return [said(row) for row in read_rows(parse_source(spec))]


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize(
    ("spec", "path", "split", "limit"),
    [
        ("a.jsonl", "a.jsonl", None, None),
        ("a.jsonl#train", "a.jsonl", "train", None),
        ("a.jsonl@20", "a.jsonl", None, 20),
        ("a.jsonl#heldout@20", "a.jsonl", "heldout", 20),
        ("hf:owner/name:validation#train@5", "hf:owner/name:validation", "train", 5),
        ("python-docs", "python-docs", None, None),
        ("me@home/a.jsonl", "me@home/a.jsonl", None, None),
    ],
)
def test_specs(spec, path, split, limit):
    source = parse_source(spec)
    assert (source.path, source.split, source.limit) == (path, split, limit)


def test_a_file_whose_name_looks_like_a_spec_is_a_file(tmp_path):
    path = tmp_path / "odd@3"
    path.write_text("x")
    assert parse_source(str(path)) == DataSource(path=str(path))


def test_wrong_specs_say_what_is_meant(tmp_path):
    with pytest.raises(DataError, match="unknown split '#trian'") as caught:
        parse_source("a.jsonl#trian")
    assert "#train" in str(caught.value.mend)
    with pytest.raises(ConfigError, match="weigth") as config:
        parse_source({"path": "a", "weigth": 2})
    assert "weight" in str(config.value.mend)
    with pytest.raises(ConfigError):
        parse_source({"path": "a", "weight": 0})
    with pytest.raises(DataError, match="no such file"):
        texts(str(tmp_path / "missing.jsonl"))
    (tmp_path / "a.csv").write_text("a,b")
    with pytest.raises(DataError, match=r"cannot be read: a\.csv"):
        texts(str(tmp_path / "a.csv"))


def test_every_kind_of_file_gives_its_rows(tmp_path):
    rows = [{"text": "하나"}, {"text": "two"}]
    write_lines(tmp_path / "a.jsonl", rows)
    with gzip.open(tmp_path / "b.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write('{"text": "three"}\n\n{"text": "four"}\n')
    pq.write_table(pa.table({"text": [f"p{i}" for i in range(3000)]}), tmp_path / "c.parquet")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "d.md").write_text("# five\n")
    (tmp_path / "e.png").write_bytes(b"no text")
    everything = texts(str(tmp_path))
    expected = ["하나", "two", "three", "four", *(f"p{i}" for i in range(3000)), "# five\n"]
    assert everything == expected
    assert texts(str(tmp_path / "*.jsonl")) == ["하나", "two"]
    assert texts(str(tmp_path / "**" / "*.md")) == ["# five\n"]
    assert texts(f"{tmp_path}@3") == ["하나", "two", "three"]


def test_line_numbers_count_blank_lines_too(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n\n{"text": 3}\n')
    with pytest.raises(DataError, match="'text' is int, not a string") as caught:
        texts(str(path))
    assert caught.value.where == f"{path}:3"


@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        (b'{"text": "a"}\n{"text": \n', "not JSON", 2),
        (b'{"text": "a"}\n["b"]\n', "this is list", 2),
        (b'[{"text": "a"}]\n', "one JSON list", 1),
        (b'{"text": "\xff"}\n', "not UTF-8", 1),
    ],
)
def test_lines_that_are_no_rows(tmp_path, content, message, line):
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        texts(str(path))
    assert caught.value.where == f"{path}:{line}"
    assert caught.value.mend


def test_reading_goes_on_behind_a_bad_row_when_asked(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\noops\n{"other": 1}\n{"text": "b"}\n')
    errors = []
    rows = list(read_rows(parse_source(str(path)), errors.append))
    assert [said(row) for row in rows] == ["a", "b"]
    assert [error.where for error in errors] == [f"{path}:2", f"{path}:3"]


def test_damaged_files(tmp_path):
    whole = gzip.compress(b'{"text": "a"}\n' * 1000)
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="gzip file is damaged"):
        texts(str(tmp_path / "cut.jsonl.gz"))
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match="not a whole Parquet file"):
        texts(str(tmp_path / "cut.parquet"))
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match="not UTF-8"):
        texts(str(tmp_path / "latin.txt"))


def test_split_is_one_tenth_disjoint_complete_and_stable(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", [{"text": f"row {i}"} for i in range(2000)])
    train, heldout = texts(f"{path}#train"), texts(f"{path}#heldout")
    assert sorted(train + heldout) == sorted(texts(path))
    assert 160 < len(heldout) < 240
    assert heldout[:3] == ["row 22", "row 24", "row 40"]  # the same on every machine and run
    assert texts(f"{path}#heldout@2") == heldout[:2]


def test_rows_that_share_a_prompt_stay_on_one_side(tmp_path):
    rows = [
        {"prompt": f"q{i}", "chosen": f"a{j}", "rejected": "c"} for i in range(50) for j in "ab"
    ]
    path = write_lines(tmp_path / "a.jsonl", rows)
    sides = {}
    for row in read_rows(parse_source(path)):
        assert isinstance(row.value, PairRow)
        sides.setdefault(row.value.prompt[0]["content"], set()).add(is_heldout(row.value))
    assert all(len(side) == 1 for side in sides.values())
    assert {True} in sides.values()


def test_digests_are_those_of_the_bytes(tmp_path):
    import hashlib

    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a"}\n')
    assert digest_source(parse_source(str(path))) == (
        hashlib.sha256(path.read_bytes()).hexdigest(),
        14,
    )
    folder = find_files(parse_source(str(tmp_path)))
    (tmp_path / "b.txt").write_text("b")
    assert digest_files(folder) != digest_source(parse_source(str(tmp_path)))


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("owner/name", ("owner/name", None, "train")),
        ("owner/name:train_prefs", ("owner/name", None, "train_prefs")),
        ("owner/name/sample-10BT", ("owner/name", "sample-10BT", "train")),
        ("owner/name/config:test", ("owner/name", "config", "test")),
    ],
)
def test_hub_references(reference, meant):
    assert parts(reference) == meant


def test_hugging_face_datasets_from_a_folder(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "set"
    folder.mkdir()
    write_lines(folder / "train.jsonl", [{"text": "a"}, {"text": "b"}])
    write_lines(folder / "test.jsonl", [{"text": "c"}])
    assert texts(f"hf:{folder}") == ["a", "b"]
    assert texts(f"hf:{folder}:test") == ["c"]
    before = digest_source(parse_source(f"hf:{folder}"))
    saved = tmp_path / "saved"
    datasets.Dataset.from_list([{"text": "a"}, {"text": "b"}]).save_to_disk(str(saved))
    assert texts(f"hf:{saved}") == ["a", "b"]
    assert digest_source(parse_source(f"hf:{saved}")) == before  # the rows, not the cache files
    with pytest.raises(DataError, match="cannot be loaded"):
        texts(f"hf:{folder}:nosuchsplit")


def test_python_docs_are_many_clean_deterministic_and_free():
    documents = python_docs()
    assert len(documents) > 300
    assert sum(map(len, documents)) > 1_000_000
    assert any("json.dumps(obj, *, skipkeys=False" in text for text in documents)
    assert documents == python_docs.__wrapped__()
    hashes = {row_hash(row.value) for row in read_rows(parse_source("python-docs"))}
    assert len(hashes) == len(documents)
