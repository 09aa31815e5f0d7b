"""Write the reference pages out of the code: commands, settings, recipe and manifest.

python docs/generate.py           # write
python docs/generate.py --check   # fail when a page is not what the code says
"""

import inspect
import re
import sys
import types
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from solarmini import cli
from solarmini.artifact import DataRecord, FileRecord, Manifest, Parent
from solarmini.config import Settings
from solarmini.data.sources import DataSource
from solarmini.evaluate.records import Record, RecordSet
from solarmini.recipe.schema import Recipe, Stage
from solarmini.recipe.stages import Measures, MergeStage, PullStage, UpscaleStage
from solarmini.train.settings import (
    AlignSettings,
    InstructSettings,
    LoraSettings,
    PretrainSettings,
    TrainSettings,
)

FOLDER = Path(__file__).parent / "reference"
_MADE = "<!-- made by docs/generate.py: edit the code's docstrings instead -->\n\n"
# What a type is called by people who write TOML and JSON.
_KINDS = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Path: "path",
    Any: "anything",
    type(None): "null",
    DataSource: "[source](settings.md#a-data-source)",
    LoraSettings: "[table](settings.md#lora)",
    Stage: "[stage](#a-stage)",
    Parent: "[parent](#a-parent)",
    DataRecord: "[data](#a-data-source)",
    FileRecord: "[file](#a-file)",
    Record: "[record](#a-record)",
}
_BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}
# In the page that cyclopts makes: a list that the page's own navigation shows as well, and, of
# commands in a group, the defaults that say nothing (in --help our app leaves them out).
_CONTENTS = re.compile(r"## Table of Contents\n.*?(?=\*\*)", re.DOTALL)
_EMPTY_DEFAULT = re.compile(r" \*\[default: (False|\(\)|\[\]|None)\]\*")


def kind(annotation: Any) -> str:
    """Return a type in the words of TOML and JSON."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):  # Annotated
        return kind(inside[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inside)
    if origin in (Union, types.UnionType):
        return " or ".join(kind(part) for part in inside if part is not type(None))
    if origin is tuple:
        if inside[-1] is Ellipsis:
            return f"list of {kind(inside[0])}"
        return "[" + ", ".join(kind(part) for part in inside) + "]"
    if origin is dict:
        return "table" if inside[1] is Any else f"table of {kind(inside[1])}"
    return _KINDS[annotation]


def bounds(field: FieldInfo) -> str:
    """Return the limits of a number, as " ≥ 1"."""
    found = [
        _BOUNDS[key].format(value)
        for part in field.metadata
        for key in _BOUNDS
        if (value := getattr(part, key, None)) is not None
    ]
    return " " + ", ".join(found) if found else ""


def default(field: FieldInfo) -> str:
    """Return a field's default as one would write it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value == () or value == {} or isinstance(value, Settings):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return '`""`' if value == "" else f"`{value}`"


def meaning(owner: type[Settings], name: str, field: FieldInfo) -> str:
    """Return what a field means; SystemExit when nobody wrote it down."""
    if not field.description:
        sys.exit(f"{owner.__name__}.{name} has no description: give it one in the code")
    return field.description


def table(model: type[Settings], title: str, *, about: str = "", skip: Iterable[str] = ()) -> str:
    """Return a heading, what the class says of itself, and a table of its fields."""
    left_out = set(skip)
    rows = [
        _row(model, name, field)
        for name, field in model.model_fields.items()
        if name not in left_out
    ]
    text = about or _prose(model)
    head = ["| key | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {title}", "", *([text, ""] if text else []), *head, *rows]) + "\n"


def _prose(model: type[Settings]) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", inspect.cleandoc(model.__doc__ or ""))


def _row(model: type[Settings], name: str, field: FieldInfo) -> str:
    null = " or null" if field.is_required() and type(None) in get_args(field.annotation) else ""
    type_ = kind(field.annotation) + bounds(field) + null
    cells = [f"`{field.alias or name}`", type_, default(field), meaning(model, name, field)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _changed(stage: type[TrainSettings]) -> set[str]:
    """Return the shared fields that a stage leaves as they are."""
    return {
        name
        for name, field in TrainSettings.model_fields.items()
        if default(field) == default(stage.model_fields[name])
    }


def settings() -> str:
    """Return the page of everything that training and data can be told."""
    shared = (
        "These keys stand in the file of `--config`, in a stage's `settings` of a "
        "[recipe](recipes.md), and, for the common ones, on the [command line](commands.md). "
        "A flag wins over the file."
    )
    parts = [
        table(TrainSettings, "pretrain, instruct and align", about=shared),
        table(LoraSettings, "lora"),
    ]
    for stage, name in (
        (PretrainSettings, "pretrain"),
        (InstructSettings, "instruct"),
        (AlignSettings, "align"),
    ):
        about = f"{_prose(stage)} All keys above, with these defaults, and:"
        parts.append(table(stage, f"{name} only", about=about, skip=_changed(stage)))
    about = (
        "A source is a text, `path[#train|#heldout][@rows]`, or a table with these keys. "
        + _prose(DataSource).partition("\n\n")[2].replace("\n", " ")
    )
    parts.append(table(DataSource, "A data source", about=about))
    return _MADE + "# Settings\n\n" + "\n".join(parts)


def recipes() -> str:
    """Return the page of the recipe file."""
    intro = (
        "A recipe is a TOML file that `solar build` runs. The text `{here}` in any value stands "
        "for the recipe's own folder. An unknown key is an error that names the nearest one.\n"
    )
    trained = (
        "\n## Settings of pretrain, instruct and align\n\nSee [Settings](settings.md). `model` and "
        "`output` are filled in by the build, and `name` is the stage's unless given.\n"
    )
    parts = [
        intro,
        table(Recipe, "The recipe"),
        table(Stage, "A stage"),
        table(Measures, "The evaluate table"),
        table(PullStage, "Settings of pull"),
        table(UpscaleStage, "Settings of upscale"),
        table(MergeStage, "Settings of merge"),
    ]
    return _MADE + "# Recipe files\n\n" + "\n".join(parts) + trained


def manifest() -> str:
    """Return the page of solar.json and of record files."""
    parts = [
        table(Manifest, "solar.json"),
        table(Parent, "A parent"),
        table(DataRecord, "A data source"),
        table(FileRecord, "A file"),
        table(RecordSet, "A record file"),
        table(Record, "A record"),
    ]
    return _MADE + "# Manifest and records\n\n" + "\n".join(parts)


def commands() -> str:
    """Return the page of all commands: what --help prints, and the docstrings in full."""
    text = cli.make_app().generate_docs(recursive=True, heading_level=1)
    text = _EMPTY_DEFAULT.sub("", _CONTENTS.sub("", text))
    for group in cli._COMMANDS.values():
        for name, target, short in group:
            about = _docstring(target) or short
            head = f"## solar {name}\n"
            place = text.index(head)
            text = text[:place] + text[place:].replace(short, about, 1)
    return _MADE + text


def _docstring(target: str) -> str:
    """Return a command's docstring without the parameters; empty for a group of commands."""
    module, _, name = target.partition(":")
    function = getattr(import_module(f"solarmini.cli.{module}"), name)
    if not inspect.isfunction(function):
        return ""
    text = inspect.cleandoc(function.__doc__ or "").partition("\nParameters\n---")[0].strip()
    # indented examples are shell commands
    blocks = re.sub(
        r"(?m)(?:^    .*\n?)+", lambda m: f"```sh\n{inspect.cleandoc(m[0])}\n```\n", text
    )
    return blocks.strip()


def pages() -> dict[str, str]:
    """Return {file name: content} of all generated pages."""
    return {
        "commands.md": commands(),
        "settings.md": settings(),
        "recipes.md": recipes(),
        "manifest.md": manifest(),
    }


def main() -> None:
    """Write the pages, or with --check compare them."""
    stale = []
    for name, content in pages().items():
        path = FOLDER / name
        content = content.rstrip() + "\n"
        if "--check" in sys.argv:
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                stale.append(name)
        else:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
    if stale:
        sys.exit(f"stale: {', '.join(stale)}; run python docs/generate.py")


if __name__ == "__main__":
    main()
