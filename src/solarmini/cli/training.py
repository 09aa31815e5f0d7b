"""The flags that `solar pretrain`, `solar instruct` and `solar align` share."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from solarmini.train.settings import TrainSettings

_LENGTH = Group("How long", sort_key=10)
_LEARN = Group("How it learns", sort_key=11)
_MACHINE = Group("Machine and files", sort_key=12)

S = TypeVar("S", bound="TrainSettings")
_NOT_SETTINGS = ("config", "lora_rank", "lora_alpha", "restart", "as_json")


@Parameter(name="*")
@dataclass(frozen=True)
class TrainFlags:
    """Flags shared by the training commands; a flag that is not given keeps its default.

    Parameters
    ----------
    output
        Folder of the trained model. Beside it OUTPUT.run holds the state while the run lasts.
    data
        Training data, again and again: path[#train|#heldout][@rows], hf:owner/name, python-docs.
    eval
        Held-out data, measured at the start and the end.
    eval_every
        Also measure every so many steps.
    config
        TOML file with any setting by its name; flags win over it.
    train
        full: all weights. lora: adapters, merged at the end. seam: the layers around the growth's
        seams. new: the layers that growth added.
    seam_width
        For --train seam: layers on each side of a seam.
    lora_rank
        For --train lora: rank of the adapters.
    lora_alpha
        For --train lora: an adapter counts alpha / rank times.
    epochs
        Passes over the data (1 if nothing else limits the run).
    max_steps
        Optimizer steps at most.
    max_tokens
        Tokens at most.
    seq_len
        Longest text in tokens.
    batch_size
        Rows of one optimizer step.
    micro_batch_size
        Rows of one forward pass at most: memory, not results.
    micro_batch_tokens
        Tokens of one forward pass at most.
    lr
        Peak learning rate.
    schedule
        How the rate falls after the warm-up: cosine, linear, constant, wsd.
    warmup
        Share of all steps (below 1) or number of steps.
    min_lr_ratio
        The last rate over the peak rate.
    weight_decay
        AdamW's decay, on matrices only.
    max_grad_norm
        Gradient clipping; 0 switches it off.
    gradient_checkpointing
        Less memory, about a third slower.
    seed
        Decides the order of the data and every random choice.
    device
        Where to train.
    precision
        Format of matrix products; auto takes what the device does fast.
    save_dtype
        Format of the saved weights.
    save_minutes
        Minutes between two states to resume from.
    save_steps
        Steps between two states to resume from.
    tracker
        Also log to tensorboard, wandb, mlflow, …
    name
        Name in the manifest.
    restart
        Forget a run that was begun for this output.
    as_json
        Print the result as JSON.
    """

    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None
    data: Annotated[list[str], Parameter(negative="")] = field(default_factory=list)
    eval: Annotated[list[str], Parameter(negative="")] = field(default_factory=list)
    config: Path | None = None
    train: Annotated[Literal["full", "lora", "seam", "new"] | None, Parameter(group=_LEARN)] = None
    seam_width: Annotated[int | None, Parameter(group=_LEARN)] = None
    lora_rank: Annotated[int | None, Parameter(group=_LEARN)] = None
    lora_alpha: Annotated[float | None, Parameter(group=_LEARN)] = None
    epochs: Annotated[float | None, Parameter(group=_LENGTH)] = None
    max_steps: Annotated[int | None, Parameter(group=_LENGTH)] = None
    max_tokens: Annotated[int | None, Parameter(group=_LENGTH)] = None
    seq_len: Annotated[int | None, Parameter(group=_LENGTH)] = None
    batch_size: Annotated[int | None, Parameter(group=_LEARN)] = None
    lr: Annotated[float | None, Parameter(group=_LEARN)] = None
    schedule: Annotated[
        Literal["cosine", "linear", "constant", "wsd"] | None, Parameter(group=_LEARN)
    ] = None
    warmup: Annotated[float | None, Parameter(group=_LEARN)] = None
    min_lr_ratio: Annotated[float | None, Parameter(group=_LEARN)] = None
    weight_decay: Annotated[float | None, Parameter(group=_LEARN)] = None
    max_grad_norm: Annotated[float | None, Parameter(group=_LEARN)] = None
    seed: Annotated[int | None, Parameter(group=_LEARN)] = None
    eval_every: Annotated[int | None, Parameter(group=_MACHINE)] = None
    micro_batch_size: Annotated[int | None, Parameter(group=_MACHINE)] = None
    micro_batch_tokens: Annotated[int | None, Parameter(group=_MACHINE)] = None
    gradient_checkpointing: Annotated[bool | None, Parameter(group=_MACHINE, negative="")] = None
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"] | None, Parameter(group=_MACHINE)] = (
        None
    )
    precision: Annotated[Literal["auto", "fp32", "bf16"] | None, Parameter(group=_MACHINE)] = None
    save_dtype: Annotated[
        Literal["source", "fp32", "bf16", "fp16"] | None, Parameter(group=_MACHINE)
    ] = None
    save_minutes: Annotated[float | None, Parameter(group=_MACHINE)] = None
    save_steps: Annotated[int | None, Parameter(group=_MACHINE)] = None
    tracker: Annotated[str | None, Parameter(group=_MACHINE)] = None
    name: Annotated[str | None, Parameter(group=_MACHINE)] = None
    restart: Annotated[bool, Parameter(group=_MACHINE, negative="")] = False
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False


def read_settings(cls: type[S], model: str, flags: TrainFlags, own: Mapping[str, Any]) -> S:
    """Make settings of the config file, the shared flags and a command's `own` flags."""
    from solarmini.checkpoint.resolve import resolve
    from solarmini.config import parse_settings, read_toml
    from solarmini.errors import ConfigError

    values = read_toml(flags.config) if flags.config else {}
    given = {
        part.name: getattr(flags, part.name)
        for part in fields(flags)
        if part.name not in _NOT_SETTINGS
    }
    given |= own
    values |= {key: value for key, value in given.items() if value not in (None, [])}
    adapters = {"rank": flags.lora_rank, "alpha": flags.lora_alpha}
    adapters = {key: value for key, value in adapters.items() if value is not None}
    if adapters:
        values["lora"] = {**values.get("lora", {}), **adapters}
    if "output" not in values:
        raise ConfigError("where should the model go?", mend="give -o FOLDER")
    if not values.get("data") and not values.get("steps"):
        raise ConfigError("there is no data to train on", mend="give --data PATH")
    values["model"] = resolve(model)
    return parse_settings(cls, values, flags.config or "flags")


def print_result(output: Path, as_json: bool) -> None:
    """Print where the model is and what its log says."""
    from solarmini.artifact import read_manifest
    from solarmini.console import out

    manifest = read_manifest(output)
    assert manifest is not None
    metrics = manifest.metrics
    if as_json:
        facts = {"output": str(output), "fingerprint": manifest.fingerprint, **metrics}
        print(json.dumps(facts, ensure_ascii=False))
        return
    out().print(
        f"[bold]{output}[/]: {metrics['steps']:,} steps, {metrics['tokens']:,} tokens in "
        f"{metrics['seconds']:.0f} s, loss {metrics['loss_first']:.4f} → "
        f"{metrics['loss_last']:.4f}",
        soft_wrap=True,
    )
    if "eval_loss_last" in metrics:
        out().print(
            f"held-out loss {metrics['eval_loss_first']:.4f} → {metrics['eval_loss_last']:.4f}"
        )
