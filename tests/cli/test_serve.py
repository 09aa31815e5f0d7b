"""`solar serve`: what is refused before anything listens."""

from pathlib import Path

from helpers import solar


def test_it_does_not_listen_beyond_this_machine_without_a_key() -> None:
    done = solar("serve", "model.gguf", "--host", "0.0.0.0")
    assert done.code == 2
    assert "no API key" in done.err
    assert "--api-key-file" in done.err


def test_a_bad_key_file_is_named(tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("# none yet\n")
    done = solar("serve", "model.gguf", "--api-key-file", keys)
    assert done.code == 2
    assert "holds no key" in done.err
    assert "one key a line" in done.err


def test_settings_that_mean_nothing_are_refused() -> None:
    for option, value in (("--port", 70000), ("--parallel", 0), ("--queue", -1), ("--per-key", 0)):
        done = solar("serve", "model.gguf", option, value)
        assert done.code == 2
        assert str(value) in done.err


def test_a_model_that_is_not_there_ends_the_command(tmp_path: Path) -> None:
    done = solar("serve", tmp_path / "none.gguf", "--port", 0)
    assert done.code == 2
    assert "none.gguf" in done.err


def test_help_names_every_option() -> None:
    done = solar("serve", "--help")
    assert done.code == 0
    for option in ("--host", "--port", "--api-key-file", "--engine", "--context", "--parallel"):
        assert option in done.out
