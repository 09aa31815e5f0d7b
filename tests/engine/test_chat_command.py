"""`solar chat` in process, fed through a pipe."""

import io
import json
from pathlib import Path

import pytest
from helpers import Finished, solar

from solarmini.cli.chat import Conversation
from solarmini.engine.interface import GenerationSettings
from solarmini.engine.local import TransformersEngine


def piped(monkeypatch: pytest.MonkeyPatch, text: str, *arguments: object) -> Finished:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return solar("chat", *arguments, "--max-tokens", 12)


def test_one_shot_equals_the_engine(tiny: Path, engine: TransformersEngine) -> None:
    done = solar("chat", tiny, "--prompt", "The fox", "--max-tokens", 12)
    assert done.code == 0, done.err
    settings = GenerationSettings(max_tokens=12)
    expected = "".join(engine.generate([{"role": "user", "content": "The fox"}], settings))
    assert done.out == expected + "\n"
    assert "tokens/s" in done.err
    assert "tokens/s" not in done.out  # facts do not mix with the answer


def test_history_reset_and_system(
    tiny: Path, engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_question = "two foxes jump"
    typed = ["one", second_question, "/reset", second_question, "/system Be brief."]
    lines = "\n".join([*typed, second_question, "", "/quit", "never", ""])
    done = piped(monkeypatch, lines, tiny, "--json")
    assert done.code == 0, done.err
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert len(rows) == 4
    settings = GenerationSettings(max_tokens=12)

    def ask(*turns: tuple[str, str]) -> tuple[str, int]:
        messages = [{"role": role, "content": text} for role, text in turns]
        generation = engine.generate(messages, settings)
        return "".join(generation), generation.prompt_tokens

    first = ask(("user", "one"))
    second = ask(("user", "one"), ("assistant", first[0]), ("user", "two foxes jump"))
    alone = ask(("user", "two foxes jump"))
    briefly = ask(("system", "Be brief."), ("user", "two foxes jump"))
    made = [(row["content"], row["prompt_tokens"]) for row in rows]
    assert made == [first, second, alone, briefly]
    assert len({count for _, count in made}) == 4


def test_save_writes_training_data(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "talk.jsonl"
    lines = f"/save\none\n/save {saved}\n/save {tmp_path}/no/such/folder\n/help\n/nonsense\n"
    done = piped(monkeypatch, lines, tiny, "--system", "Be kind.")
    assert done.code == 0, done.err
    row = json.loads(saved.read_text())
    assert [turn["role"] for turn in row["messages"]] == ["system", "user", "assistant"]
    assert row["messages"][2]["content"] == done.out.removesuffix("\n")
    assert "once there is a conversation" in done.err
    assert "not saved" in done.err
    assert "/reset" in done.err
    assert "no command /nonsense" in done.err


def test_a_nearly_full_context_shortens_the_answer(tiny: Path) -> None:
    done = solar("chat", tiny, "--prompt", "fox " * 80, "--max-tokens", 250, "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["prompt_tokens"] + facts["completion_tokens"] <= 256
    done = solar("chat", tiny, "--prompt", "fox " * 400)
    assert done.code == 2
    assert "context holds 256" in done.err


def test_ctrl_c_stops_the_answer_and_not_the_program(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = Conversation(engine, GenerationSettings(max_tokens=100), None, False)
    talk.interactive = True
    lines = iter(["The fox", "again", "/quit"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    written: list[str] = []

    def interrupted(text: str = "", end: str = "\n", flush: bool = False) -> None:
        written.append(text)
        if len(written) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("builtins.print", interrupted)
    talk.run()
    monkeypatch.undo()
    assert len(talk.turns) == 4  # both questions, the first with what had been said
    assert 0 < len(talk.turns[1]["content"]) < len(talk.turns[3]["content"])
    said = capsys.readouterr().err
    assert "(stopped)" in said
    assert "cancelled" in said


def test_end_of_input_leaves(engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation(engine, GenerationSettings(max_tokens=5), None, False)
    talk.interactive = True

    def closed(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    talk.run()
    assert talk.turns == []


def test_a_model_without_template_says_so(tiny: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "bare"
    shutil.copytree(tiny, folder)
    (folder / "chat_template.jinja").unlink()
    done = solar("chat", folder, "--prompt", "x")
    assert done.code == 2
    assert "--template" in done.err
    done = solar("chat", folder, "--prompt", "x", "--template", "chatml", "--max-tokens", 3)
    assert done.code == 0, done.err
