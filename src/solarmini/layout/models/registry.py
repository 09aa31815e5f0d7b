"""Models by name: ours, and those other packages offer through entry points.

A package adds a layout model in its pyproject with

    [project.entry-points."solarmini.layout_models"]
    mine = "my_package:MyLayoutModel"

and a table model under "solarmini.table_models". The object is called without arguments and gives
what `solarmini.layout.models.base` describes.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

from solarmini.errors import ConfigError
from solarmini.layout.models.base import LayoutModel, TableModel

LAYOUT_GROUP = "solarmini.layout_models"
TABLE_GROUP = "solarmini.table_models"


def _picodet() -> LayoutModel:
    from solarmini.layout.models.picodet import PicoDetLayout

    return PicoDetLayout()


def _slanet() -> TableModel:
    from solarmini.layout.models.slanet import SlanetTable

    return SlanetTable()


_LAYOUT: dict[str, Callable[[], LayoutModel]] = {"picodet": _picodet}
_TABLE: dict[str, Callable[[], TableModel]] = {"slanet": _slanet}


def layout_models() -> list[str]:
    """Names of the layout models that can be asked for."""
    return sorted({*_LAYOUT, *(point.name for point in entry_points(group=LAYOUT_GROUP))})


def table_models() -> list[str]:
    """Names of the table models that can be asked for."""
    return sorted({*_TABLE, *(point.name for point in entry_points(group=TABLE_GROUP))})


@lru_cache(maxsize=8)
def layout_model(name: str = "picodet") -> LayoutModel:
    """Open the layout model `name`, once a process.

    Raises ConfigError for an unknown name, MissingExtraError when its packages are missing.
    """
    return _open(name, _LAYOUT, LAYOUT_GROUP, LayoutModel, "layout")


@lru_cache(maxsize=8)
def table_model(name: str = "slanet") -> TableModel:
    """Open the table model `name`, once a process; errors as `layout_model`."""
    return _open(name, _TABLE, TABLE_GROUP, TableModel, "table")


def _open(
    name: str, own: dict[str, Callable[[], Any]], group: str, kind: type[Any], word: str
) -> Any:
    if name in own:
        return own[name]()
    points = entry_points(group=group)
    if name not in points.names:
        known = ", ".join(sorted({*own, *points.names}))
        raise ConfigError(f"unknown {word} model '{name}'", mend=f"known models: {known}")
    model = points[name].load()()
    if not isinstance(model, kind):
        raise ConfigError(
            f"the {word} model '{name}' lacks what {kind.__name__} asks for",
            where=points[name].value,
            mend="see solarmini.layout.models.base",
        )
    return model
