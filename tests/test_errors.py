"""Errors say how to mend what is wrong."""

import tomllib
from pathlib import Path

import pytest

from solarmini.errors import MissingExtraError, require


def test_a_missing_package_names_an_extra_that_pip_knows() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    with pytest.raises(MissingExtraError, match="'no_such_package'") as caught:
        require("no_such_package", "train")
    assert caught.value.mend == f"pip install '{project['name']}[train]'"
    assert "train" in project["optional-dependencies"]
