"""`--help` teaches: one line a command in the list, the whole docstring for the one asked about."""

import subprocess
import sys

import pytest
from helpers import solar

from solarmini.cli import _COMMANDS

NAMES = [name for group in _COMMANDS.values() for name, _, _ in group]
LINES = {name: line for group in _COMMANDS.values() for name, _, line in group}


def test_root_help_lists_every_command_and_imports_none() -> None:
    code = (
        "import sys; from solarmini.cli import run; run(['--help']); "
        "print([m for m in sys.modules if m.startswith('solarmini.cli.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")
    words = " ".join(done.stdout.replace("│", " ").split())
    assert all(f"{name} {line}" in words for name, line in LINES.items())


def test_help_of_a_command_is_its_docstring() -> None:
    said = " ".join(solar("upscale", "--help").out.split())
    assert "two copies of a model of n layers on top of each other" in said
    assert "solar evaluate grown --text" in solar("evaluate", "--help").out  # an example


@pytest.mark.parametrize("name", [*NAMES, "data show", "data check"])
def test_help_has_no_defaults_that_say_nothing(name: str) -> None:
    done = solar(*name.split(), "--help")
    assert done.code == 0
    said = " ".join(done.out.replace("│", " ").split())
    assert "Usage: solar" in said
    assert not any(f"[default: {value}]" in said for value in ("False", "()", "[]", "None"))
