"""Continued pretraining: text, rows filled to seq_len, replay against forgetting."""

from collections.abc import Sequence
from pathlib import Path

from solarmini.data.builders import text_examples
from solarmini.data.examples import ExampleStore
from solarmini.data.sources import DataSource
from solarmini.text.tokenizer import load_tokenizer
from solarmini.train.evaluation import HeldOut
from solarmini.train.loop import Phase
from solarmini.train.objectives import Joined, TokenLoss
from solarmini.train.plan import Budget, Pool, count_tokens, plan_steps
from solarmini.train.runfolder import RunFolder
from solarmini.train.session import (
    check_output,
    ensure_store,
    make_accelerator,
    named,
    open_session,
    tell_start,
    train_and_save,
)
from solarmini.train.settings import PretrainSettings


def run_pretrain(settings: PretrainSettings, *, restart: bool = False) -> Path:
    """Train on text as `settings` say; resume when the same run was begun; return the output."""
    check_output(settings)
    folder = RunFolder(settings.output)
    accelerator = make_accelerator(settings, folder, restart=restart)
    tokenizer = load_tokenizer(settings.model)

    def store(sources: Sequence[DataSource], name: str) -> ExampleStore:
        made = text_examples(sources, tokenizer, settings.seq_len)
        return ensure_store(made, folder, name, accelerator)

    stores = {"data": store(settings.data, "data")}
    if settings.replay:
        stores["replay"] = store(settings.replay, "replay")
    training = list(stores.values())
    held_out = {
        name: store([source], f"eval-{index}")
        for index, (name, source) in enumerate(named(settings.eval).items())
    }
    session = open_session(
        settings,
        stores | {f"eval {name}": part for name, part in held_out.items()},
        folder,
        accelerator,
        stage="pretrain",
    )
    objective = TokenLoss(Joined(training))
    pools = [Pool(0, stores["data"].lengths)]
    if settings.replay:
        first = len(stores["data"])
        pools.append(Pool(first, stores["replay"].lengths, settings.replay_share))
    steps = plan_steps(
        pools,
        Budget(settings.passes, settings.max_steps, settings.max_tokens),
        batch_size=settings.batch_size,
        seed=settings.seed,
        capacity=settings.seq_len,
    )
    tell_start(session, len(steps), count_tokens(steps, objective.lengths))
    objectives = {name: TokenLoss(part) for name, part in held_out.items()}
    return train_and_save(
        session,
        [Phase("pretrain", steps, lambda _policy, _resumed: objective)],
        HeldOut(objectives, settings.micro_batch_tokens) if objectives else None,
        stage="pretrain",
        data=[record for part in training for record in part.records],
        chat_format=None,
    )
