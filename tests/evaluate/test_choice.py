"""Choice tasks: lm-eval's answers are those of our own log-probabilities; rows are checked."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solarmini.errors import EvaluateError
from solarmini.evaluate.choice import _macro_f1, evaluate_choices
from solarmini.evaluate.records import Record
from solarmini.evaluate.scoring import Row, Scorer
from solarmini.evaluate.suites import H6, TASKS, ChoiceTask, parse_choice_task
from solarmini.text.tokenizer import load_tokenizer
from tests.evaluate.records_maker import context

ARC: list[dict[str, Any]] = [
    {
        "question": f"Which is number {k}?",
        "choices": {"text": ["a fox", "the lazy dog", f"number {k}", "7"], "label": list("ABCD")},
        "answerKey": "ABCD"[k % 4],
    }
    for k in range(12)
]
COPA: list[dict[str, Any]] = [
    {
        "premise": f"모델 {k}을 가르쳤다.",
        "question": "결과" if k % 2 else "원인",
        "alternative_1": "문장을 배웁니다.",
        "alternative_2": f"정렬합니다 {k}.",
        "label": k % 2,
    }
    for k in range(8)
]
ROWS: dict[str, list[dict[str, Any]]] = {
    "arc_easy": ARC,
    "arc_challenge": ARC,
    "hellaswag": [
        {"activity_label": "Fox", "ctx_a": "The fox", "ctx_b": "it", "label": str(k % 4),
         "endings": ["jumps", "sleeps [title] now", "adds", "is a model"]}
        for k in range(6)
    ],
    "mmlu": [
        {"subject": subject, "question": f"{subject} {k}", "choices": ["a", "b", "c", "d"],
         "answer": k % 4}
        for subject in ("astronomy", "virology") for k in range(4)
    ],
    "truthfulqa_mc2": [
        {"question": f"Is it {k}?",
         "mc1_targets": {"choices": ["Yes", "No"], "labels": [1, 0]},
         "mc2_targets": {"choices": ["Yes", "It is", "No"], "labels": [1, 1, 0]}}
        for k in range(4)
    ],
    "winogrande": [
        {"sentence": "The fox saw the dog and _ jumped.", "option1": "the fox",
         "option2": "the dog", "answer": str(1 + k % 2)}
        for k in range(6)
    ],
    "gsm8k": [{"question": "1 + 1?", "answer": "1 + 1 = 2\n#### 2"}] * 3,
    "kobest_boolq": [{"paragraph": "모델", "question": "모델?", "label": k % 2} for k in range(4)],
    "kobest_copa": COPA,
    "kobest_hellaswag": [
        {"context": "모델", "ending_1": "가", "ending_2": "나다", "ending_3": "다",
         "ending_4": "라", "label": k} for k in range(4)
    ],
    "kobest_sentineg": [{"sentence": "문장", "label": k % 2} for k in range(4)],
    "kobest_wic": [
        {"word": "문장", "context_1": "[문장] 하나", "context_2": "[문장] 둘", "label": k % 2}
        for k in range(4)
    ],
}  # fmt: skip
ROWS |= {"choice_en": ARC, "choice_ko": COPA}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def run(model: Path, *tasks: ChoiceTask, limit: int | None = None) -> list[Record]:
    scorer = Scorer(model, precision="fp32")
    return evaluate_choices(scorer, load_tokenizer(model), tasks, context(), limit)


def best_choice(model: Path, prompt: str, choices: list[str], norm: bool) -> int:
    """Answer by our own scoring: the choice of the highest (per character) log-probability."""
    scorer, tokenizer = Scorer(model, precision="fp32"), load_tokenizer(model)
    before = len(tokenizer(prompt).input_ids)
    found = []
    for choice in choices:
        ids = np.asarray(tokenizer(f"{prompt} {choice}").input_ids)
        targets = np.arange(len(ids)) >= before
        (losses,) = scorer.losses([Row(ids, targets)])
        found.append(-losses.sum() / (len(choice) if norm else 1))
    return int(np.argmax(found))


def test_arc_is_answered_as_our_own_log_probabilities_say(model: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "arc.jsonl", ARC)
    records = run(model, ChoiceTask(name="school", task="arc_easy", file=file, shots=0))
    for record, norm in zip(records, (False, True), strict=True):
        expected = []
        for row in ARC:
            prompt = f"Question: {row['question']}\nAnswer:"
            answer = best_choice(model, prompt, row["choices"]["text"], norm)
            expected.append(float(row["choices"]["label"][answer] == row["answerKey"]))
        assert record.items is not None
        assert [value for value, _ in record.items] == expected
        assert record.value == pytest.approx(np.mean(expected))
    assert [record.metric for record in records] == ["acc", "acc_norm"]
    assert {record.task for record in records} == {"school"}


def test_copa_is_answered_as_our_own_log_probabilities_say(model: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "copa.jsonl", COPA)
    record, f1 = run(model, ChoiceTask(name="ko", task="choice_ko", file=file))
    expected = []
    for row in COPA:
        prompt = f"{row['premise']}  {'왜냐하면' if row['question'] == '원인' else '그래서'}"
        answer = best_choice(model, prompt, [row["alternative_1"], row["alternative_2"]], False)
        expected.append((row["label"], answer))
    assert record.items is not None
    assert [value for value, _ in record.items] == [float(a == b) for a, b in expected]
    assert f1.metric == "macro_f1"
    assert f1.value == pytest.approx(_macro_f1(expected))


def test_few_shot_prompts_hold_examples_and_are_the_same_each_time(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    tokenizer, score = load_tokenizer(model), Scorer.score

    def listen(self: Scorer, rows: list[Row], label: str = "") -> Any:
        asked.append([str(tokenizer.decode(row.ids)) for row in rows])
        return score(self, rows, label)

    monkeypatch.setattr(Scorer, "score", listen)
    file, pool = write(tmp_path / "a.jsonl", ARC[:4]), write(tmp_path / "b.jsonl", ARC[4:])
    none = run(model, ChoiceTask(name="t", task="arc_easy", file=file, shots=0))
    task = ChoiceTask(name="t", task="arc_easy", file=file, fewshot=pool, shots=2)
    two, _, _ = run(model, task), run(model, task), run(model, task)
    assert (two[0].shots, none[0].shots) == (2, 0)
    assert two[0].data_sha256 != none[0].data_sha256
    assert {text.count("Question:") for text in asked[0]} == {1}
    assert {text.count("Question:") for text in asked[1]} == {3}
    assert asked[1] == asked[2] == asked[3]


@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_known_task_runs_on_local_rows(task: str, model: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", ROWS[task])
    shots = 0 if task in ("truthfulqa_mc2", "choice_en", "choice_ko") else 1
    records = run(
        model, ChoiceTask(name=task, task=task, file=file, fewshot=file, shots=shots), limit=2
    )
    n = 4 if task == "mmlu" else 2  # two of each subject
    assert TASKS[task].primary in [record.metric for record in records]
    assert {record.n for record in records} == {n}
    assert all(0 <= record.value <= 1 for record in records)


def test_h6_is_the_paper_s(tmp_path: Path) -> None:
    assert [(TASKS[name].label, TASKS[name].shots) for name in H6] == [
        ("ARC", 25), ("HellaSwag", 10), ("MMLU", 5), ("TruthfulQA", 0), ("Winogrande", 5),
        ("GSM8K", 5),
    ]  # fmt: skip


def test_macro_f1_by_hand() -> None:
    # class 0: 2 hits of 3 gold, 2 predicted; class 1: 1 hit of 1 gold, 2 predicted
    assert _macro_f1([(0, 0), (0, 0), (0, 1), (1, 1)]) == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_task_specs() -> None:
    found = parse_choice_task("school@arc_easy=a:b.jsonl:fewshot=t.jsonl:shots=3")
    assert (found.name, found.task, found.shots) == ("school", "arc_easy", 3)
    assert (found.file, found.fewshot) == (Path("a:b.jsonl"), Path("t.jsonl"))
    assert parse_choice_task("choice_en=c.jsonl").shot_count == 0
    for spec, message in (
        ("arc_easy", "a task is"),
        ("arc_easy=", "a task is"),
        ("arc_easy=f:shots=many", "a task is"),
        ("arc_easy=f.jsonl", "asked with 25 examples and needs a file"),
        ("arc_eazy=f.jsonl", "unknown task 'arc_eazy'"),
    ):
        with pytest.raises(EvaluateError, match=message):
            parse_choice_task(spec)


@pytest.mark.parametrize(
    ("task", "change", "message"),
    [
        ("arc_easy", {"answerKey": "Z"}, "'answerKey' is 'Z'"),
        ("arc_easy", {"choices": {"text": ["a", "b"], "label": ["A"]}}, "at least 2 texts"),
        ("arc_easy", {"question": " "}, "'question' must be text"),
        ("hellaswag", {"label": "4"}, "'label' must be a number from 0 to 3"),
        ("mmlu", {"answer": True}, "'answer' must be a number"),
        (
            "truthfulqa_mc2",
            {"mc2_targets": {"choices": ["a", "b"], "labels": [0, 1]}},
            "ones, then",
        ),
        ("winogrande", {"sentence": "no gap"}, "no gap"),
        ("gsm8k", {"answer": "2"}, "#### number"),
        ("kobest_copa", {"question": "why"}, "원인 or 결과"),
        ("kobest_wic", {"label": 2}, "from 0 to 1"),
    ],
)
def test_wrong_rows_are_named(
    task: str, change: dict[str, Any], message: str, model: Path, tmp_path: Path
) -> None:
    rows = [ROWS[task][0], ROWS[task][1] | change]
    file = write(tmp_path / "rows.jsonl", rows)
    with pytest.raises(EvaluateError, match=message) as caught:
        run(model, ChoiceTask(name="t", task=task, file=file, fewshot=file, shots=0))
    assert caught.value.where == f"{file}:2"


def test_files_that_cannot_be_read(model: Path, tmp_path: Path) -> None:
    broken, empty = tmp_path / "broken.jsonl", tmp_path / "empty.jsonl"
    broken.write_text("{\n")
    empty.write_text("\n")
    for file, message in (
        (broken, "wrong row"), (empty, "holds no rows"), (tmp_path / "none.jsonl", "no such file"),
    ):  # fmt: skip
        with pytest.raises(EvaluateError, match=message):
            run(model, ChoiceTask(name="t", task="arc_easy", file=file, shots=0))
    with pytest.raises(EvaluateError, match="5 examples are asked for, the file holds 1"):
        few = write(tmp_path / "few.jsonl", ARC[:1])
        run(model, ChoiceTask(name="t", task="arc_easy", file=few, fewshot=few, shots=5))
