"""The tasks we know: how each is asked (lm-eval's registered prompt) and of which rows.

H6 is the suite of the SOLAR paper (arXiv:2312.15166, section 4.2 and Table 2): ARC-challenge 25
shots, HellaSwag 10, MMLU 5, TruthfulQA-mc2 0, Winogrande 5, GSM8K 5.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from solarmini.config import Settings
from solarmini.errors import EvaluateError
from solarmini.evaluate import rows
from solarmini.evaluate.rows import Check


@dataclass(frozen=True)
class Task:
    """One task: lm-eval's name and folder, the split its rows stand in, its defaults."""

    registered: str
    folder: str
    check: Check
    label: str
    shots: int
    primary: str
    split: str = "test"
    fewshot_split: str = "train"
    per_subject: bool = False


TASKS: dict[str, Task] = {
    "arc_easy": Task("arc_easy", "arc", rows.arc, "ARC-e", 25, "acc_norm"),
    "arc_challenge": Task("arc_challenge", "arc", rows.arc, "ARC", 25, "acc_norm"),
    "hellaswag": Task(
        "hellaswag", "hellaswag", rows.hellaswag, "HellaSwag", 10, "acc_norm", "validation"
    ),
    "mmlu": Task("mmlu", "mmlu", rows.mmlu, "MMLU", 5, "acc", "test", "dev", per_subject=True),
    "truthfulqa_mc2": Task(
        "truthfulqa_mc2", "truthfulqa", rows.truthfulqa, "TruthfulQA", 0, "acc", "validation"
    ),
    "winogrande": Task(
        "winogrande", "winogrande", rows.winogrande, "Winogrande", 5, "acc", "validation"
    ),
    "gsm8k": Task("gsm8k", "gsm8k", rows.gsm8k, "GSM8K", 5, "exact_match_strict"),
    "kobest_boolq": Task("kobest_boolq", "kobest", rows.kobest_boolq, "KB-BoolQ", 5, "acc"),
    "kobest_copa": Task("kobest_copa", "kobest", rows.kobest_copa, "KB-COPA", 5, "acc"),
    "kobest_hellaswag": Task(
        "kobest_hellaswag", "kobest", rows.kobest_hellaswag, "KB-HellaSwag", 5, "acc_norm"
    ),
    "kobest_sentineg": Task(
        "kobest_sentineg", "kobest", rows.kobest_sentineg, "KB-SentiNeg", 5, "acc"
    ),
    "kobest_wic": Task("kobest_wic", "kobest", rows.kobest_wic, "KB-WiC", 5, "acc"),
    # Our own small sets, asked with the prompts of ARC and of KoBEST COPA.
    "choice_en": Task("arc_easy", "arc", rows.arc, "Choice EN", 0, "acc_norm"),
    "choice_ko": Task("kobest_copa", "kobest", rows.kobest_copa, "Choice KO", 0, "acc"),
}
H6 = ("arc_challenge", "hellaswag", "mmlu", "truthfulqa_mc2", "winogrande", "gsm8k")


class ChoiceTask(Settings):
    """A task on local files: `name` labels the records, `task` is how it is asked."""

    name: str
    task: str
    file: Path
    fewshot: Path | None = None
    shots: int | None = None

    @property
    def spec(self) -> Task:
        """The definition of the task; EvaluateError when it is not known."""
        if self.task not in TASKS:
            raise EvaluateError(
                f"unknown task '{self.task}'", mend=f"one of: {', '.join(sorted(TASKS))}"
            )
        return TASKS[self.task]

    @property
    def shot_count(self) -> int:
        """Examples shown before each question."""
        if self.shots is not None:
            return self.shots
        return self.spec.shots


def parse_choice_task(text: str) -> ChoiceTask:
    """Read `[NAME@]TASK=FILE[:fewshot=FILE][:shots=N]`.

    `--task arc_easy=test.jsonl:shots=0` or, to give own rows their own name in the records,
    `--task school@arc_easy=school.jsonl:shots=0`.
    """
    name, equals, rest = text.partition("=")
    label, at, task = name.partition("@")
    pieces = re.split(r":(?=(?:fewshot|shots)=)", rest)
    options = dict(piece.split("=", 1) for piece in pieces[1:])
    shots = options.get("shots")
    wrong = not equals or not pieces[0] or not label or (at and not task)
    if wrong or (shots is not None and not shots.isdigit()):
        raise EvaluateError(
            "a task is [NAME@]TASK=FILE[:fewshot=FILE][:shots=N]",
            where=text,
            mend=f"known tasks: {', '.join(sorted(TASKS))}",
        )
    found = ChoiceTask(
        name=label,
        task=task if at else label,
        file=Path(pieces[0]),
        fewshot=Path(options["fewshot"]) if "fewshot" in options else None,
        shots=None if shots is None else int(shots),
    )
    if found.shot_count and found.fewshot is None:
        raise EvaluateError(
            f"{found.task} is asked with {found.shot_count} examples and needs a file of them",
            where=text,
            mend="add :fewshot=FILE, or :shots=0",
        )
    return found
