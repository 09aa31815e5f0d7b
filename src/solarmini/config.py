"""Strict, frozen settings: an unknown key is an error that suggests the right one."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from solarmini.errors import ConfigError


class Settings(BaseModel):
    """Base of every settings class: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=Settings)


def parse_settings(cls: type[S], mapping: Mapping[str, Any], where: str | Path) -> S:
    """Make a `cls` of `mapping`; raise ConfigError naming a wrong key, unknown first."""
    try:
        return cls.model_validate(dict(mapping))
    except ValidationError as error:
        # a mistyped key is also a missing one: name the typing error, which can be mended
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise _unknown_key(cls, first["loc"], where) from None
        if first["type"] == "missing":
            raise ConfigError(f"the key '{key}' is missing", where=where) from None
        raise ConfigError(
            f"'{key}' is {first.get('input')!r}: {first['msg']}", where=where
        ) from None


def _unknown_key(cls: type[Settings], loc: tuple[int | str, ...], where: str | Path) -> ConfigError:
    owner: Any = cls
    for part in loc[:-1]:
        field = getattr(owner, "model_fields", {}).get(str(part))
        owner = _settings_inside(field.annotation) if field else owner
    known = list(getattr(owner, "model_fields", {}))
    near = difflib.get_close_matches(str(loc[-1]), known, n=1)
    mend = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
    return ConfigError(
        f"unknown key '{'.'.join(str(part) for part in loc)}'", where=where, mend=mend
    )


def _settings_inside(annotation: Any) -> Any:
    """Return the Settings class that an annotation such as `list[X] | None` holds, if any."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    for argument in get_args(annotation):
        found = _settings_inside(argument)
        if found is not None:
            return found
    return None


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; ConfigError says where it is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("no such file", where=path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not a valid TOML file: {error}", where=path) from None
