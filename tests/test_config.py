"""Settings are strict and say what is meant."""

from pathlib import Path

import pytest

from solarmini.config import Settings, parse_settings, read_toml
from solarmini.errors import ConfigError


class Inner(Settings):
    learning_rate: float = 1.0


class Outer(Settings):
    name: str
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()


def test_unknown_key_suggests_the_right_one() -> None:
    with pytest.raises(ConfigError, match="unknown key 'nam'") as caught:
        parse_settings(Outer, {"name": "x", "nam": 1}, "file.toml")
    assert caught.value.mend == "did you mean 'name'?"
    assert caught.value.where == "file.toml"


@pytest.mark.parametrize("value", [{"inner": {"learning_rat": 1}}, {"many": [{"learning_rat": 1}]}])
def test_unknown_nested_key(value: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="learning_rat") as caught:
        parse_settings(Outer, {"name": "x", **value}, "f")
    assert caught.value.mend == "did you mean 'learning_rate'?"


def test_a_mistyped_key_is_named_before_the_one_it_leaves_missing() -> None:
    with pytest.raises(ConfigError, match="unknown key 'nme'") as caught:
        parse_settings(Outer, {"nme": "x"}, "f")
    assert caught.value.mend == "did you mean 'name'?"


def test_missing_and_wrong_values() -> None:
    with pytest.raises(ConfigError, match="key 'name' is missing"):
        parse_settings(Outer, {}, "f")
    with pytest.raises(ConfigError, match=r"'inner.learning_rate' is 'fast'"):
        parse_settings(Outer, {"name": "x", "inner": {"learning_rate": "fast"}}, "f")


def test_toml_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_toml(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = ")
    with pytest.raises(ConfigError, match="not a valid TOML"):
        read_toml(tmp_path / "bad.toml")
