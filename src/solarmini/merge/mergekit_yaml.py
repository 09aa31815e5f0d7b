"""Read a merge written for mergekit: passthrough, linear, slerp, task_arithmetic, ties.

Whatever is not understood is an error that names the key; nothing is left out silently.
`layer_range` ends are exclusive, parameters nearest to the tensor win (source, slice, whole file).
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from solarmini.errors import MergeError
from solarmini.merge.spec import METHODS, Filtered, MergeSpec, Setting, Slice, Source

_TOP = ("merge_method", "slices", "models", "base_model", "parameters", "dtype", "out_dtype")
_PARAMETERS = {
    "passthrough": {"scale"},
    "linear": {"weight", "normalize"},
    "slerp": {"t"},
    "task_arithmetic": {"weight", "normalize", "lambda"},
    "ties": {"weight", "density", "normalize", "lambda"},
}
_DTYPES = ("float32", "bfloat16", "float16")


class _StrictLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which also refuses a key that is written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key: Any = self.construct_object(key_node, deep=True)
            if isinstance(key, str | int | float) and key in seen:
                raise MergeError(
                    f"the key '{key}' is written twice",
                    where=f"line {key_node.start_mark.line + 1}",
                )
            if isinstance(key, str | int | float):
                seen.add(key)
        return super().construct_mapping(node, deep)


def read_mergekit(path: Path) -> MergeSpec:
    """Read the mergekit configuration `path`; MergeError for all that is not supported."""
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except FileNotFoundError:
        raise MergeError("no such file", where=path) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MergeError(f"not valid YAML: {error}", where=path) from None
    except MergeError as error:
        raise MergeError(error.what, where=f"{path}: {error.where}") from None
    return _Reader(path).read(loaded)


class _Reader:
    """Turns the loaded YAML into a spec, collecting the models' names on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.models: list[str] = []
        self.method = ""

    def read(self, top: Any) -> MergeSpec:
        table = self.mapping(top, "the file")
        if table.get("tokenizer_source") == "base":  # all tokenizers have to be equal anyway
            table = {key: value for key, value in table.items() if key != "tokenizer_source"}
        self.known(table, _TOP, "")
        self.method = str(table.get("merge_method"))
        if self.method not in METHODS:
            near = difflib.get_close_matches(self.method, METHODS, n=1)
            raise self.error(
                f"merge_method '{self.method}' is not supported",
                "merge_method",
                f"did you mean '{near[0]}'?" if near else f"supported: {', '.join(METHODS)}",
            )
        if ("slices" in table) == ("models" in table):
            raise self.error("exactly one of 'models' and 'slices' is needed", "slices")
        base = self.model(table["base_model"], "base_model") if "base_model" in table else None
        if "slices" in table:
            slices = self.each(table["slices"], "slices", self.slice)
        else:
            slices = (self.whole(table["models"], base),)
        if self.method == "slerp" and base is None and any(s.base is None for s in slices):
            raise self.error("slerp needs 'base_model'", "base_model")
        return MergeSpec(
            self.method,
            tuple(self.models),
            slices,
            base,
            self.parameters(table.get("parameters"), "parameters"),
            self.dtype(table),
        )

    def whole(self, models: Any, base: int | None) -> Slice:
        sources = list(self.each(models, "models", self.whole_model))
        if base is not None and base not in {source.model for source in sources}:
            sources.append(Source(base))
        return Slice(tuple(sources))

    def whole_model(self, item: Any, where: str) -> Source:
        table = self.mapping(item, where)
        self.known(table, ("model", "parameters"), where)
        parameters = self.parameters(table.get("parameters"), f"{where}.parameters")
        return Source(self.model(table.get("model"), f"{where}.model"), parameters=parameters)

    def slice(self, item: Any, where: str) -> Slice:
        table = self.mapping(item, where)
        self.known(table, ("sources", "parameters", "base_model"), where)
        sources = self.each(table.get("sources"), f"{where}.sources", self.source)
        parameters = self.parameters(table.get("parameters"), f"{where}.parameters")
        named = table.get("base_model")
        base = None if named is None else self.model(named, f"{where}.base_model")
        return Slice(sources, parameters, base)

    def source(self, item: Any, where: str) -> Source:
        table = self.mapping(item, where)
        self.known(table, ("model", "layer_range", "parameters"), where)
        limits = table.get("layer_range")
        if not (
            isinstance(limits, list)
            and len(limits) == 2
            and all(isinstance(limit, int) and not isinstance(limit, bool) for limit in limits)
        ):
            raise self.error(
                "two numbers are needed: [first, end), end exclusive", f"{where}.layer_range"
            )
        parameters = self.parameters(table.get("parameters"), f"{where}.parameters")
        return Source(self.model(table.get("model"), f"{where}.model"), *limits, parameters)

    def parameters(self, value: Any, where: str) -> dict[str, Setting]:
        if value is None:
            return {}
        table = self.mapping(value, where)
        self.known(table, sorted(_PARAMETERS[self.method]), where)
        return {key: self.setting(item, f"{where}.{key}") for key, item in table.items()}

    def setting(self, value: Any, where: str) -> Setting:
        if isinstance(value, bool | int | float):
            return float(value)
        if isinstance(value, list) and value:
            if all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
                return tuple(float(item) for item in value)
            cases = []
            for number, item in enumerate(value):
                case = self.mapping(item, f"{where}[{number}]")
                self.known(case, ("filter", "value"), f"{where}[{number}]")
                name = case.get("filter")
                cases.append(
                    (
                        None if name is None else str(name),
                        self.setting(case.get("value"), f"{where}[{number}].value"),
                    )
                )
            return Filtered(tuple(cases))
        raise self.error(f"{value!r} is no number, list of numbers or list of filters", where)

    def model(self, value: Any, where: str) -> int:
        """Return the number of the named model, a new one for a new name."""
        if not isinstance(value, str) or not value:
            raise self.error(f"{value!r} names no model", where)
        if "+" in value or "@" in value:
            raise self.error(
                f"'{value}': adapters (+) and revisions (@) are not supported",
                where,
                "merge the adapter into its model first and name the folder",
            )
        if value not in self.models:
            self.models.append(value)
        return self.models.index(value)

    def dtype(self, table: Mapping[str, Any]) -> str | None:
        named = table.get("out_dtype", table.get("dtype"))
        if named is not None and named not in _DTYPES:
            raise self.error(
                f"dtype '{named}' is not supported", "dtype", f"supported: {', '.join(_DTYPES)}"
            )
        return named

    def each(self, value: Any, where: str, read: "Callable[[Any, str], Any]") -> tuple[Any, ...]:
        if not isinstance(value, list) or not value:
            raise self.error("a list is needed", where)
        return tuple(read(item, f"{where}[{number}]") for number, item in enumerate(value))

    def mapping(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(f"keys and values are needed, not {type(value).__name__}", where)
        return value

    def known(self, table: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
        for key in table:
            if key not in keys:
                near = difflib.get_close_matches(str(key), keys, n=1)
                mend = f"did you mean '{near[0]}'?" if near else f"supported: {', '.join(keys)}"
                raise self.error(
                    f"the key '{key}' is not supported", f"{where}.{key}".strip("."), mend
                )

    def error(self, what: str, key: str, mend: str | None = None) -> MergeError:
        return MergeError(what, where=f"{self.path}: {key}", mend=mend)
