"""Rows of the multiple-choice and question sets, checked before any harness sees them.

Each checker takes one JSON object and returns the columns its task reads, or raises ValueError
with what is wrong. Unlike columns of a file would otherwise fail far away, without a line number.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from solarmini.errors import EvaluateError

Row = dict[str, Any]
Check = Callable[[Row], Row]


def read_rows(path: Path, check: Check, limit: int | None = None) -> list[Row]:
    """Read a JSONL file (.gz too) and check every row; EvaluateError names file and line."""
    rows: list[Row] = []
    for number, line in _lines(path):
        if limit is not None and len(rows) >= limit:
            break
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("a row is a JSON object")
            rows.append(check(row))
        except ValueError as error:
            raise EvaluateError(f"wrong row: {error}", where=f"{path}:{number}") from None
    if not rows:
        raise EvaluateError("the file holds no rows", where=path)
    return rows


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8") as file:
                yield from enumerate(file, start=1)
        else:
            with path.open(encoding="utf-8") as file:
                yield from enumerate(file, start=1)
    except FileNotFoundError:
        raise EvaluateError("there is no such file", where=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluateError(f"the file cannot be read: {error}", where=path) from None


def rows_sha256(*groups: list[Row]) -> str:
    """Return the sha256 of checked rows: the same rows give the same hash from any file."""
    digest = hashlib.sha256()
    for rows in groups:
        for row in rows:
            digest.update(json.dumps(row, sort_keys=True, ensure_ascii=False).encode() + b"\n")
        digest.update(b"\x00")
    return digest.hexdigest()


def _text(row: Row, key: str, owner: str = "") -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"'{owner}{key}' must be text that is not empty")
    return value


def _texts(row: Row, key: str, at_least: int = 2, owner: str = "") -> list[str]:
    value = row.get(key)
    if not isinstance(value, list) or len(value) < at_least:
        raise ValueError(f"'{owner}{key}' must be a list of at least {at_least} texts")
    if not all(isinstance(text, str) and text.strip() for text in value):
        raise ValueError(f"'{owner}{key}' must hold texts that are not empty")
    return value


def _index(row: Row, key: str, count: int) -> int:
    value = row.get(key)
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < count:
        raise ValueError(f"'{key}' must be a number from 0 to {count - 1}")
    return value


def arc(row: Row) -> Row:
    """ARC: question, choices {text, label}, answerKey."""
    choices = row.get("choices")
    if not isinstance(choices, dict):
        raise ValueError("'choices' must be an object with 'text' and 'label'")
    texts = _texts(choices, "text", owner="choices.")
    labels = _texts(choices, "label", owner="choices.")
    if len(texts) != len(labels) or len(set(labels)) != len(labels):
        raise ValueError("'choices.label' must name each of 'choices.text' once")
    if row.get("answerKey") not in labels:
        raise ValueError(f"'answerKey' is {row.get('answerKey')!r}, not one of {labels}")
    return {
        "question": _text(row, "question"),
        "choices": {"text": texts, "label": labels},
        "answerKey": row["answerKey"],
    }


def hellaswag(row: Row) -> Row:
    """HellaSwag: activity_label, ctx_a, ctx_b, endings, label."""
    endings = _texts(row, "endings")
    kept = {"activity_label": _text(row, "activity_label"), "ctx_a": _text(row, "ctx_a")}
    kept["ctx_b"] = row.get("ctx_b") if isinstance(row.get("ctx_b"), str) else ""
    return {**kept, "endings": endings, "label": str(_index(row, "label", len(endings)))}


def mmlu(row: Row) -> Row:
    """MMLU: subject, question, four choices, answer 0..3."""
    choices = _texts(row, "choices", at_least=4)
    if len(choices) != 4:
        raise ValueError("'choices' must hold four texts")
    return {
        "subject": _text(row, "subject"),
        "question": _text(row, "question"),
        "choices": choices,
        "answer": _index(row, "answer", 4),
    }


def truthfulqa(row: Row) -> Row:
    """TruthfulQA multiple choice: question, mc1_targets and mc2_targets {choices, labels}."""
    kept: Row = {"question": _text(row, "question")}
    for key in ("mc1_targets", "mc2_targets"):
        targets = row.get(key)
        if not isinstance(targets, dict):
            raise ValueError(f"'{key}' must be an object with 'choices' and 'labels'")
        choices = _texts(targets, "choices", at_least=1, owner=f"{key}.")
        labels = targets.get("labels")
        if not isinstance(labels, list) or len(labels) != len(choices):
            raise ValueError(f"'{key}.labels' must hold one 0 or 1 for each choice")
        # lm-eval splits the choices at the first 0: right answers must come first.
        if not set(labels) <= {0, 1} or sorted(labels, reverse=True) != labels or not labels[0]:
            raise ValueError(f"'{key}.labels' must be ones, then zeros")
        kept[key] = {"choices": choices, "labels": labels}
    return kept


def winogrande(row: Row) -> Row:
    """Winogrande: sentence with one gap `_`, option1, option2, answer "1" or "2"."""
    sentence = _text(row, "sentence")
    if "_" not in sentence:
        raise ValueError("'sentence' has no gap '_'")
    if str(row.get("answer")) not in ("1", "2"):
        raise ValueError('\'answer\' must be "1" or "2"')
    options = {key: _text(row, key) for key in ("option1", "option2")}
    return {"sentence": sentence, **options, "answer": str(row["answer"])}


def gsm8k(row: Row) -> Row:
    """GSM8K: question, answer whose last line is `#### number`."""
    answer = _text(row, "answer")
    if "####" not in answer:
        raise ValueError("'answer' must end in '#### number'")
    return {"question": _text(row, "question"), "answer": answer}


def kobest_copa(row: Row) -> Row:
    """KoBEST COPA: premise, question 원인 or 결과, two alternatives, label."""
    if str(row.get("question", "")).strip() not in ("원인", "결과"):
        raise ValueError("'question' must be 원인 or 결과")
    keys = ("premise", "question", "alternative_1", "alternative_2")
    return {**{key: _text(row, key) for key in keys}, "label": _index(row, "label", 2)}


def kobest_boolq(row: Row) -> Row:
    """KoBEST BoolQ: paragraph, question, label."""
    kept = {key: _text(row, key) for key in ("paragraph", "question")}
    return {**kept, "label": _index(row, "label", 2)}


def kobest_hellaswag(row: Row) -> Row:
    """KoBEST HellaSwag: context, four endings, label."""
    keys = ("context", "ending_1", "ending_2", "ending_3", "ending_4")
    return {**{key: _text(row, key) for key in keys}, "label": _index(row, "label", 4)}


def kobest_sentineg(row: Row) -> Row:
    """KoBEST SentiNeg: sentence, label."""
    return {"sentence": _text(row, "sentence"), "label": _index(row, "label", 2)}


def kobest_wic(row: Row) -> Row:
    """KoBEST WiC: word, two contexts, label."""
    kept = {key: _text(row, key) for key in ("word", "context_1", "context_2")}
    return {**kept, "label": _index(row, "label", 2)}
