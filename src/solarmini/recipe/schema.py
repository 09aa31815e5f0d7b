"""The recipe file: stages in order, each made of models that earlier stages made."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from solarmini.config import Settings, parse_settings, read_toml
from solarmini.errors import ConfigError

Kind = Literal["pull", "upscale", "pretrain", "instruct", "align", "merge"]
_PLACES = (Path(__file__).parents[1] / "recipes", Path(__file__).parents[3] / "recipes")


class Stage(Settings):
    """One step of a recipe.

    `from` names the stages whose models it starts from: none for "pull", two or more for "merge",
    one otherwise. `role` says how the report draws it: "main" is the product, "control" a model
    that shows what would have happened otherwise, "naive" the growth without the paper's cut.
    `settings` are those of the command of the same name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]*$",
        description="Name of the stage and of its model's folder: lower case, digits, `.`, "
        "`_`, `-`.",
    )
    kind: Kind = Field(description="What the stage does: the command of the same name.")
    parents: tuple[str, ...] = Field(
        default=(), alias="from", description="Names of earlier stages."
    )
    role: Literal["main", "control", "naive"] = Field(
        "main", description="How the report draws it."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="Settings of the kind: see below."
    )
    evaluate: bool = Field(True, description="Whether the model is measured.")
    samples: bool = Field(False, description="Whether the model answers the recipe's prompts.")


class Recipe(Settings):
    """A chain of stages, how each is measured, and the questions every sampled model is asked."""

    name: str = Field(
        description="Name of the recipe and, unless `--run` is given, of its folder under `runs/`."
    )
    title: str = Field("", description="Headline of the report.")
    description: str = Field("", description="One sentence for people.")
    stage: tuple[Stage, ...] = Field(description="The stages in order, each as `[[stage]]`.")
    evaluate: dict[str, Any] = Field(
        default_factory=dict,
        description="What every stage is measured on: the options of `solar evaluate`.",
    )
    prompts: tuple[str, ...] = Field(
        (),
        description="What every stage with `samples` is asked; left out: six prompts of our own.",
    )
    answer_tokens: int = Field(64, description="Longest answer to a prompt, in tokens.")


def find_recipe(name: str) -> Path:
    """Return the file of a recipe: a path, or the name of one that ships with the package."""
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return path
    known: dict[str, Path] = {}
    for place in reversed(_PLACES):
        known |= {found.stem: found for found in sorted(place.glob("*.toml"))}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    raise ConfigError(
        f"no recipe '{name}'",
        where=path.absolute() if path.suffix == ".toml" else None,
        mend=f"did you mean '{near[0]}'?" if near else f"name a file, or one of {', '.join(known)}",
    )


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe; ConfigError names the stage that does not fit.

    The text `{here}` in any string stands for the recipe's own folder.
    """
    raw = _fill_in(read_toml(path), str(path.parent.absolute()))
    recipe = parse_settings(Recipe, raw, path)
    _check_chain(recipe, path)
    return recipe


def _fill_in(value: Any, here: str) -> Any:
    if isinstance(value, str):
        return value.replace("{here}", here)
    if isinstance(value, Mapping):
        return {key: _fill_in(inner, here) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill_in(inner, here) for inner in value]
    return value


def _check_chain(recipe: Recipe, path: Path) -> None:
    seen: set[str] = set()
    for stage in recipe.stage:
        if stage.name in seen:
            raise ConfigError(f"two stages are named '{stage.name}'", where=path)
        for parent in stage.parents:
            if parent not in seen:
                near = difflib.get_close_matches(parent, seen, n=1)
                raise ConfigError(
                    f"stage '{stage.name}' starts from '{parent}', which no earlier stage makes",
                    where=path,
                    mend=f"did you mean '{near[0]}'?" if near else None,
                )
        count = len(stage.parents)
        if (
            (stage.kind == "pull" and count)
            or (stage.kind == "merge" and count < 2)
            or (stage.kind not in ("pull", "merge") and count != 1)
        ):
            raise ConfigError(
                f"stage '{stage.name}' ({stage.kind}) starts from {count} models",
                where=path,
                mend="pull starts from none, merge from two or more, the others from one",
            )
        seen.add(stage.name)
    if not seen:
        raise ConfigError("the recipe has no stages", where=path)
