"""`solar align`."""

from typing import Annotated, Literal

from cyclopts import Parameter

from solarmini.cli.training import TrainFlags, print_result, read_settings


def align(
    model: str,
    /,
    *,
    flags: TrainFlags | None = None,
    step: Annotated[list[str] | None, Parameter(negative="")] = None,
    beta: float | None = None,
    label_smoothing: float | None = None,
    template: str | None = None,
    too_long: Literal["error", "drop", "truncate"] | None = None,
) -> None:
    """Align on preferences: DPO, or sDPO in steps.

    With --data one round of DPO; with several --step, stepwise DPO: every step starts from the
    model of the step before it and takes that model as its reference, so give easy data first.
    The reference is the model in memory; at each step's first batch the loss must be ln 2.

    Parameters
    ----------
    model
        A model folder, GGUF file, packaged model or hub id.
    step
        Preference data of one step; again for every further step.
    beta
        How strongly the model is held to its reference (default 0.1).
    label_smoothing
        Share of preferences taken to be the wrong way round (default 0).
    template
        Chat template: model (its own), solar, chatml, or a .jinja file. Written into the output.
    too_long
        What to do with a pair longer than --seq-len (default: error).
    """
    from solarmini.train.align import run_align
    from solarmini.train.settings import AlignSettings

    flags = flags or TrainFlags()
    own = {
        "steps": step,
        "beta": beta,
        "label_smoothing": label_smoothing,
        "template": template,
        "too_long": too_long,
    }
    settings = read_settings(AlignSettings, model, flags, own)
    print_result(run_align(settings, restart=flags.restart), flags.as_json)
