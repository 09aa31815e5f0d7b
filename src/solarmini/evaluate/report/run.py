"""Everything a report is made of, read from a build folder and checked."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from solarmini.artifact import Manifest, read_manifest
from solarmini.errors import EvaluateError
from solarmini.evaluate.records import Record, RecordSet, read_records
from solarmini.evaluate.samples import SampleSet, read_samples

BUILD_NAME = "build.json"
LOG_NAME = "training_log.jsonl"
TRAINED = ("pretrain", "instruct", "align")


class BuildStage(BaseModel):
    """One stage as the recipe runner notes it; keys of later versions are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    name: str
    kind: str
    parents: tuple[str, ...] = Field(default=(), alias="from")
    path: str
    records: str | None = None
    samples: str | None = None
    seconds: float | None = None
    role: str = "main"


class Build(BaseModel):
    """The build file of a run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    recipe: str
    name: str
    started: str | None = None
    finished: str | None = None
    machine: str | None = None
    stages: tuple[BuildStage, ...]


@dataclass(frozen=True)
class Stage:
    """One stage with all its evidence. `log` holds the rows of its training log."""

    build: BuildStage
    manifest: Manifest | None
    log: tuple[dict[str, Any], ...]
    records: RecordSet | None
    samples: SampleSet | None
    layers: int | None
    parameters: int | None

    @property
    def name(self) -> str:
        """The stage's name in the recipe."""
        return self.build.name

    @property
    def kind(self) -> str:
        """What was done, such as upscale or pretrain."""
        return self.build.kind

    @property
    def role(self) -> str:
        """Main line, control or naive comparison."""
        return self.build.role

    @property
    def tokens(self) -> int:
        """Training tokens of this stage."""
        return int(max((row.get("tokens") or 0 for row in self.log), default=0))

    def record(self, task: str, metric: str) -> Record | None:
        """Return one record of this stage."""
        return self.records.get(task, metric) if self.records else None


@dataclass(frozen=True)
class Run:
    """A build with its stages in order."""

    build: Build
    stages: tuple[Stage, ...]

    def stage(self, name: str) -> Stage | None:
        """Return a stage by its name."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def parents(self, stage: Stage) -> list[Stage]:
        """Return the stages a stage was made from."""
        found = (self.stage(name) for name in stage.build.parents)
        return [parent for parent in found if parent is not None]

    @property
    def main(self) -> list[Stage]:
        """The stages of the main line, in order."""
        return [stage for stage in self.stages if stage.role == "main"]

    @property
    def base(self) -> Stage | None:
        """The model everything grew from."""
        return next((stage for stage in self.stages if not stage.build.parents), None)

    def first(self, kind: str, role: str = "main") -> Stage | None:
        """Return the first stage of a kind and role."""
        return next((s for s in self.stages if s.kind == kind and s.role == role), None)


def read_run(folder: Path) -> Run:
    """Read RUN/build.json and what it names; EvaluateError says which file is missing or wrong."""
    path = folder / BUILD_NAME
    try:
        build = Build.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EvaluateError(
            f"the folder holds no {BUILD_NAME}",
            where=folder,
            mend="name the folder that `solar build` wrote",
        ) from None
    except (UnicodeDecodeError, ValidationError) as error:
        raise EvaluateError(f"damaged build file: {error}", where=path) from None
    if not build.stages:
        raise EvaluateError("the build has no stages", where=path)
    names = [stage.name for stage in build.stages]
    for stage in build.stages:
        for parent in stage.parents:
            if parent not in names[: names.index(stage.name)]:
                raise EvaluateError(
                    f"stage '{stage.name}' comes from '{parent}', which is no earlier stage",
                    where=path,
                )
    return Run(build, tuple(_read_stage(folder, stage) for stage in build.stages))


def _read_stage(folder: Path, build: BuildStage) -> Stage:
    from solarmini.checkpoint.layers import layer_count
    from solarmini.checkpoint.reader import Checkpoint

    model = folder / build.path
    layers = parameters = None
    if (model / "config.json").exists():
        checkpoint = Checkpoint.open(model)
        layers, parameters = layer_count(checkpoint.config), checkpoint.parameter_count
    return Stage(
        build=build,
        manifest=read_manifest(model),
        # A copied model brings the log of its own training along: not this run's.
        log=_read_log(model / LOG_NAME) if build.kind in TRAINED else (),
        records=read_records(folder / build.records) if build.records else None,
        samples=read_samples(folder / build.samples) if build.samples else None,
        layers=layers,
        parameters=parameters,
    )


def _read_log(path: Path) -> tuple[dict[str, Any], ...]:
    if not path.exists():
        return ()
    rows = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(text)
        except ValueError as error:
            raise EvaluateError(
                f"damaged training log: {error}", where=f"{path}:{number}"
            ) from None
        rows.append(row)
    return tuple(rows)
