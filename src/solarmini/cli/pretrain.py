"""`solar pretrain`."""

from typing import Annotated

from cyclopts import Parameter

from solarmini.cli.training import TrainFlags, print_result, read_settings


def pretrain(
    model: str,
    /,
    *,
    flags: TrainFlags | None = None,
    replay: Annotated[list[str] | None, Parameter(negative="")] = None,
    replay_share: float | None = None,
) -> None:
    """Continue pretraining on text.

    Documents fill rows of --seq-len tokens and do not see each other. The learning rate is warmed
    up again; --replay mixes in text of the kind that the base has seen, against forgetting.
    Started again after a stop or a kill, the same command goes on where it was and ends with the
    same weights, bit for bit.

    Parameters
    ----------
    model
        A model folder, GGUF file, packaged model or hub id.
    replay
        Text to replay, written like --data.
    replay_share
        Share of all tokens that is replay (default 0.1).
    """
    from solarmini.train.pretrain import run_pretrain
    from solarmini.train.settings import PretrainSettings

    flags = flags or TrainFlags()
    own = {"replay": replay, "replay_share": replay_share}
    settings = read_settings(PretrainSettings, model, flags, own)
    print_result(run_pretrain(settings, restart=flags.restart), flags.as_json)
