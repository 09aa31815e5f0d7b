"""Training data: sources, rows, token examples on disk, packing.

The names below are loaded when they are first used, so that importing the room costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solarmini.data.builders import chat_examples, preference_examples, text_examples
    from solarmini.data.examples import Example, ExampleStore, PairStore
    from solarmini.data.mixing import mix
    from solarmini.data.packing import Packed, pack, packing_efficiency, plan_rows
    from solarmini.data.sources import DataSource, parse_source
    from solarmini.data.streams import PairsAsExamples

_HOMES = {
    "DataSource": "sources",
    "Example": "examples",
    "ExampleStore": "examples",
    "Packed": "packing",
    "PairStore": "examples",
    "PairsAsExamples": "streams",
    "chat_examples": "builders",
    "mix": "mixing",
    "pack": "packing",
    "packing_efficiency": "packing",
    "parse_source": "sources",
    "plan_rows": "packing",
    "preference_examples": "builders",
    "text_examples": "builders",
}
__all__ = [
    "DataSource",
    "Example",
    "ExampleStore",
    "Packed",
    "PairStore",
    "PairsAsExamples",
    "chat_examples",
    "mix",
    "pack",
    "packing_efficiency",
    "parse_source",
    "plan_rows",
    "preference_examples",
    "text_examples",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
