"""What each kind of stage does: the same functions that the commands call."""

import gc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from solarmini.config import Settings, parse_settings
from solarmini.recipe.schema import Stage

_SOMEWHERE = {"model": "base", "output": "stage"}  # stands in while settings are only checked


class PullStage(Settings):
    """Settings of a "pull" stage."""

    model: str = Field(description="Hub id, folder, GGUF file or packaged model.")


class UpscaleStage(Settings):
    """Settings of an "upscale" stage, as the options of `solar upscale`."""

    drop: int | None = Field(
        None,
        description="m, the layers dropped from each copy; left out: a quarter of them, "
        "rounded up.",
    )
    layers: int | None = Field(
        None, description="Total number of layers wanted, instead of `drop`."
    )
    method: Literal["dus", "identity", "interpose", "llama-pro", "stack"] = Field(
        "dus", description="How the layers are repeated, as `solar upscale --method`."
    )
    plan: str | None = Field(
        None, description='Any layer map, as inclusive ranges of base layers: `"0-23,8-31"`.'
    )
    attenuate: bool = Field(
        False, description="Scale what both copies of a doubled layer add, by 0.7071."
    )
    as_llama: bool = Field(
        False, description="Write a Mistral as a Llama, as SOLAR 10.7B was published."
    )
    max_shard_size: str = Field("5GB", description="Largest weight file.")


class MergeStage(Settings):
    """Settings of a "merge" stage, as the options of `solar merge`."""

    method: Literal["linear", "slerp", "task_arithmetic", "ties"] | None = Field(
        None,
        description="How to merge; left out: slerp for two models without weights, else linear.",
    )
    t: tuple[float, ...] | None = Field(
        None,
        description="slerp: 0 is the first model, 1 the second; several are spread over the "
        "layers.",
    )
    weights: tuple[float, ...] | None = Field(None, description="One weight for each model.")
    density: tuple[float, ...] | None = Field(
        None, description="ties: share of each task vector that is kept."
    )
    scale: float | None = Field(
        None, alias="lambda", description="task_arithmetic, ties: factor of the merged task vector."
    )
    normalize: bool | None = Field(
        None, description="Divide by the sum of the weights; left out: yes for linear and ties."
    )
    base: str | None = Field(None, description="Stage that is the models' common ancestor.")
    dtype: Literal["float32", "bfloat16", "float16"] | None = Field(
        None, description="Number format of the output; left out: the first model's."
    )


class Measures(Settings):
    """The recipe's `[evaluate]` table: the options of `solar evaluate`."""

    text: tuple[str, ...] = Field(
        (), description="Text for perplexity: `[NAME=]PATH[#split][@rows]`."
    )
    chat: tuple[str, ...] = Field(
        (), description="Conversations for the loss on answers, written like `text`."
    )
    preference: tuple[str, ...] = Field((), description="Preference pairs, written like `text`.")
    task: tuple[str, ...] = Field(
        (), description="Choice tasks: `[NAME@]TASK=FILE[:fewshot=FILE][:shots=N]`."
    )
    template: str = Field(
        "model", description="Chat template: `model`, `solar`, `chatml` or a .jinja file."
    )
    seq_len: int = Field(512, description="Tokens of a window over long text.")
    stride: int | None = Field(
        None, description="Tokens by which a window moves on; left out: half of `seq_len`."
    )
    limit: int | None = Field(
        None, description="First rows of each choice task to ask (of each subject for MMLU)."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Format of matrix products; `auto` takes what the device does fast."
    )


def check_settings(stage: Stage) -> None:
    """Raise ConfigError when the settings of `stage` are not those of its kind."""
    _settings(stage, Path(_SOMEWHERE["model"]), Path(_SOMEWHERE["output"]))


def check_measures(raw: Mapping[str, Any]) -> None:
    """Raise ConfigError when the `[evaluate]` table has a wrong key."""
    parse_settings(Measures, raw, "evaluate")


def run_stage(stage: Stage, inputs: Sequence[Path], output: Path) -> None:
    """Make the model folder `output` of the model folders `inputs`."""
    settings = _settings(stage, inputs[0] if inputs else output, output)
    match settings:
        case PullStage():
            _pull(settings, output)
        case UpscaleStage():
            _upscale(settings, inputs[0], output)
        case MergeStage():
            _merge(settings, inputs, output)
        case _:
            _train(settings)
    gc.collect()  # the next stage needs the memory that this one's model held


def _settings(stage: Stage, model: Path, output: Path) -> Settings:
    where = f"stage '{stage.name}'"
    simple = {"pull": PullStage, "upscale": UpscaleStage, "merge": MergeStage}
    if stage.kind in simple:
        return parse_settings(simple[stage.kind], stage.settings, where)
    from solarmini.train import settings as training

    kinds = {
        "pretrain": training.PretrainSettings,
        "instruct": training.InstructSettings,
        "align": training.AlignSettings,
    }
    own = {"name": stage.name, **stage.settings, "model": model, "output": output}
    return parse_settings(kinds[stage.kind], own, where)


def _pull(settings: PullStage, output: Path) -> None:
    from solarmini.checkpoint.copy import copy_model
    from solarmini.checkpoint.resolve import resolve

    copy_model(resolve(settings.model), output, source=settings.model)


def _upscale(settings: UpscaleStage, base: Path, output: Path) -> None:
    from solarmini.checkpoint.layers import layer_count
    from solarmini.checkpoint.reader import Checkpoint
    from solarmini.growth import upscale as growth

    plan = growth.plan_for(
        layer_count(Checkpoint.open(base).config),
        method=settings.method,
        drop=settings.drop,
        layers=settings.layers,
        ranges=settings.plan,
        attenuate=growth.DEFAULT_ATTENUATION if settings.attenuate else None,
    )
    limit = growth.parse_size(settings.max_shard_size)
    growth.run_upscale(base, output, plan=plan, to_llama=settings.as_llama, max_shard_bytes=limit)


def _train(settings: Settings) -> None:
    from solarmini.train.align import run_align
    from solarmini.train.instruct import run_instruct
    from solarmini.train.pretrain import run_pretrain
    from solarmini.train.settings import AlignSettings, InstructSettings, PretrainSettings

    match settings:
        case AlignSettings():
            run_align(settings)
        case InstructSettings():
            run_instruct(settings)
        case PretrainSettings():
            run_pretrain(settings)


def _merge(settings: MergeStage, inputs: Sequence[Path], output: Path) -> None:
    from solarmini.merge.options import spec_from_options
    from solarmini.merge.run import run_merge

    options = settings.model_dump(exclude={"base"})
    base = str(output.parent / settings.base) if settings.base else None
    run_merge(spec_from_options([str(path) for path in inputs], base=base, **options), output)


def measure(model: Path, raw: Mapping[str, Any], output: Path) -> None:
    """Evaluate `model` as the recipe says; replace the record file `output`."""
    from solarmini.evaluate.evaluate import EvaluateSettings, evaluate_model, parse_data_task
    from solarmini.evaluate.records import write_records
    from solarmini.evaluate.suites import parse_choice_task

    asked = parse_settings(Measures, raw, "evaluate")
    records = evaluate_model(
        model,
        EvaluateSettings(
            text=tuple(parse_data_task(spec) for spec in asked.text),
            chat=tuple(parse_data_task(spec) for spec in asked.chat),
            preference=tuple(parse_data_task(spec) for spec in asked.preference),
            choices=tuple(parse_choice_task(spec) for spec in asked.task),
            template=asked.template,
            seq_len=asked.seq_len,
            stride=asked.stride,
            limit=asked.limit,
            precision=asked.precision,
            name=model.name,
        ),
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    write_records(output, records.records, overwrite=True)
    gc.collect()


def sample(model: Path, prompts: Sequence[str], tokens: int, output: Path) -> None:
    """Let `model` answer the recipe's prompts; replace the sample file `output`."""
    from solarmini.evaluate.samples import SampleSettings, make_samples, write_samples

    settings = SampleSettings(max_tokens=tokens)
    if prompts:
        settings = settings.model_copy(update={"prompts": tuple(prompts)})
    write_samples(output, make_samples(model, settings), overwrite=True)
    gc.collect()


def write_report(run: Path) -> Path:
    """Write the report of a finished run; return its path."""
    from solarmini.evaluate.report import write_report as write

    return write(run, overwrite=True)
