"""`solar instruct`."""

from typing import Literal

from solarmini.cli.training import TrainFlags, print_result, read_settings


def instruct(
    model: str,
    /,
    *,
    flags: TrainFlags | None = None,
    template: str | None = None,
    too_long: Literal["error", "drop", "truncate"] | None = None,
) -> None:
    """Tune on instructions: conversations, of which only the answers are learned.

    The loss of a step is the mean over its answers' tokens, however the step is split. Started
    again after a stop or a kill, the same command goes on where it was and ends with the same
    weights, bit for bit.

    Parameters
    ----------
    model
        A model folder, GGUF file, packaged model or hub id.
    template
        Chat template: model (its own), solar, chatml, or a .jinja file. Written into the output.
    too_long
        What to do with a conversation longer than --seq-len (default: error).
    """
    from solarmini.train.instruct import run_instruct
    from solarmini.train.settings import InstructSettings

    flags = flags or TrainFlags()
    own = {"template": template, "too_long": too_long}
    settings = read_settings(InstructSettings, model, flags, own)
    print_result(run_instruct(settings, restart=flags.restart), flags.as_json)
