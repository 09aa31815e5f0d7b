"""Everything that can be set for the three training stages."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from solarmini.config import Settings
from solarmini.data.sources import DataSource, parse_source
from solarmini.errors import ConfigError

Trained = Literal["full", "lora", "seam", "new"]


def _source(value: Any) -> Any:
    return parse_source(value) if isinstance(value, str) else value


def _sources(value: Any) -> Any:
    if isinstance(value, (str, dict, DataSource)):
        value = [value]
    return [_source(part) for part in value] if isinstance(value, (list, tuple)) else value


def _steps(value: Any) -> Any:
    return [_sources(part) for part in value] if isinstance(value, (list, tuple)) else value


Sources = Annotated[tuple[DataSource, ...], BeforeValidator(_sources)]


class LoraSettings(Settings):
    """Low-rank adapters (Hu et al. 2021, arXiv:2106.09685); merged into the saved weights."""

    rank: int = Field(16, ge=1, description="Rank of the adapters.")
    alpha: float = Field(32.0, gt=0, description="Scale: the adapter counts alpha / rank times.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout in front of the adapters.")
    targets: str | tuple[str, ...] = Field(
        "all-linear", description="Names of the layers that get one, or 'all-linear'."
    )


class TrainSettings(Settings):
    """What the three stages share."""

    model: Path = Field(description="Folder of the model to start from; it is not changed.")
    output: Path = Field(description="Folder of the trained model; must not exist yet.")
    data: Sources = Field((), description="Training data: path[#train|#heldout][@rows] or tables.")
    eval: Sources = Field((), description="Held-out data, measured at start, end and in between.")
    eval_every: int | None = Field(None, ge=1, description="Steps between two measurements.")
    train: Trained = Field(
        "full",
        description="full: all weights; lora: adapters; seam: the layers around the growth's "
        "seams; new: the layers that growth added.",
    )
    seam_width: int = Field(2, ge=1, description="For train=seam: layers on each side of a seam.")
    lora: LoraSettings = Field(LoraSettings(), description="For train=lora.")
    seq_len: int = Field(1024, ge=8, description="Longest text in tokens.")
    batch_size: int = Field(8, ge=1, description="Rows (texts, pairs) of one optimizer step.")
    micro_batch_size: int | None = Field(
        None, ge=1, description="Rows of one forward pass at most; changes memory, not results."
    )
    micro_batch_tokens: int = Field(
        768, ge=8, description="Tokens of one forward pass at most (one row may be longer)."
    )
    epochs: float | None = Field(None, gt=0, description="Passes over the data.")
    max_steps: int | None = Field(None, ge=1, description="Optimizer steps at most.")
    max_tokens: int | None = Field(None, ge=1, description="Tokens at most.")
    lr: float = Field(1e-4, ge=0, description="Peak learning rate.")
    schedule: Literal["cosine", "linear", "constant", "wsd"] = Field(
        "cosine", description="How the rate falls after the warm-up."
    )
    warmup: float = Field(
        0.03, ge=0, description="Warm-up: a share of all steps (below 1) or a number of steps."
    )
    min_lr_ratio: float = Field(0.0, ge=0, le=1, description="The last rate over the peak rate.")
    decay_share: float = Field(0.2, gt=0, le=1, description="For wsd: share of steps that decay.")
    weight_decay: float = Field(0.0, ge=0, description="AdamW's decay, on matrices only.")
    beta1: float = Field(0.9, ge=0, lt=1, description="AdamW's first decay rate.")
    beta2: float = Field(0.999, ge=0, lt=1, description="AdamW's second decay rate.")
    adam_eps: float = Field(1e-8, gt=0, description="AdamW's epsilon.")
    max_grad_norm: float = Field(1.0, ge=0, description="Gradient clipping; 0 switches it off.")
    gradient_checkpointing: bool = Field(
        False, description="Compute activations again in the backward pass: less memory, slower."
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where to train.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Format of matrix products; auto takes what the device does fast."
    )
    save_dtype: Literal["source", "fp32", "bf16", "fp16"] = Field(
        "source", description="Format of the saved weights; source: as in the model started from."
    )
    seed: int = Field(0, ge=0, description="Decides the order of the data and every random choice.")
    save_minutes: float | None = Field(
        5.0, gt=0, description="Minutes between two saved states to resume from."
    )
    save_steps: int | None = Field(None, ge=1, description="Steps between two saved states.")
    tracker: str | None = Field(
        None, description="Also log to: tensorboard, wandb, mlflow, … (through accelerate)."
    )
    name: str | None = Field(None, description="Name in the manifest; default: the output's.")

    @property
    def passes(self) -> float | None:
        """Passes over the data: one when nothing else limits the run."""
        unlimited = self.max_steps is None and self.max_tokens is None
        return 1.0 if self.epochs is None and unlimited else self.epochs


class PretrainSettings(TrainSettings):
    """Continued pretraining on text."""

    replay: Sources = Field(
        (), description="Text of the kind that the base has seen, mixed in against forgetting."
    )
    replay_share: float = Field(0.1, gt=0, lt=1, description="Share of tokens that is replay.")
    weight_decay: float = Field(0.1, ge=0, description="AdamW's decay, on matrices only.")
    beta2: float = Field(0.95, ge=0, lt=1, description="AdamW's second decay rate.")
    min_lr_ratio: float = Field(0.1, ge=0, le=1, description="The last rate over the peak rate.")


class InstructSettings(TrainSettings):
    """Tuning on instructions: only the answers are learned."""

    lr: float = Field(2e-5, ge=0, description="Peak learning rate.")
    template: str = Field(
        "model", description="Chat template: model, solar, chatml or a .jinja file."
    )
    too_long: Literal["error", "drop", "truncate"] = Field(
        "error", description="What to do with a conversation longer than seq_len."
    )


class AlignSettings(TrainSettings):
    """Preference tuning: DPO, or sDPO when `steps` names several sets of data."""

    steps: Annotated[tuple[Sources, ...], BeforeValidator(_steps)] = Field(
        (), description="sDPO: one set of data per step, easy first; instead of `data`."
    )
    lr: float = Field(5e-7, ge=0, description="Peak learning rate of every step.")
    schedule: Literal["cosine", "linear", "constant", "wsd"] = Field(
        "linear", description="How the rate falls after the warm-up."
    )
    warmup: float = Field(
        0.1, ge=0, description="Warm-up: a share of all steps (below 1) or a number of steps."
    )
    beta: float = Field(0.1, gt=0, description="How strongly the policy is held to its reference.")
    label_smoothing: float = Field(
        0.0, ge=0, lt=0.5, description="Share of preferences taken to be the wrong way round."
    )
    template: str = Field(
        "model", description="Chat template: model, solar, chatml or a .jinja file."
    )
    too_long: Literal["error", "drop", "truncate"] = Field(
        "error", description="What to do with a pair longer than seq_len."
    )

    @model_validator(mode="after")
    def _one_kind_of_data(self) -> Self:
        if self.data and self.steps:
            raise ConfigError(
                "both 'data' and 'steps' are given", mend="sDPO takes 'steps', DPO takes 'data'"
            )
        return self

    @property
    def all_steps(self) -> tuple[tuple[DataSource, ...], ...]:
        """The data of every step; plain DPO is one step."""
        return self.steps or (self.data,)


# Changing these between two starts changes when and where things are written, not the weights.
# micro_batch_* are not among them: another grouping adds the same numbers in another order.
FREE_ON_RESUME = frozenset({"save_minutes", "save_steps", "tracker", "name", "output"})
