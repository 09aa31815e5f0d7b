"""Instruction tuning: conversations, of which only the answers are learned."""

from collections.abc import Sequence
from pathlib import Path

from solarmini.data.builders import chat_examples
from solarmini.data.examples import ExampleStore
from solarmini.data.sources import DataSource
from solarmini.text.chat import ChatFormat
from solarmini.train.evaluation import HeldOut
from solarmini.train.loop import Phase
from solarmini.train.objectives import TokenLoss
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
from solarmini.train.settings import InstructSettings


def run_instruct(settings: InstructSettings, *, restart: bool = False) -> Path:
    """Tune on conversations as `settings` say; resume a run that was begun; return the output."""
    check_output(settings)
    folder = RunFolder(settings.output)
    accelerator = make_accelerator(settings, folder, restart=restart)
    chat_format = ChatFormat.load(settings.model, settings.template)

    def store(sources: Sequence[DataSource], name: str) -> ExampleStore:
        made = chat_examples(sources, chat_format, settings.seq_len, settings.too_long)
        return ensure_store(made, folder, name, accelerator)

    training = store(settings.data, "data")
    held_out = {
        name: store([source], f"eval-{index}")
        for index, (name, source) in enumerate(named(settings.eval).items())
    }
    stores = {"data": training} | {f"eval {name}": part for name, part in held_out.items()}
    session = open_session(settings, stores, folder, accelerator, stage="instruct")
    objective = TokenLoss(training)
    steps = plan_steps(
        [Pool(0, training.lengths)],
        Budget(settings.passes, settings.max_steps, settings.max_tokens),
        batch_size=settings.batch_size,
        seed=settings.seed,
    )
    tell_start(session, len(steps), count_tokens(steps, training.lengths))
    objectives = {name: TokenLoss(part) for name, part in held_out.items()}
    return train_and_save(
        session,
        [Phase("instruct", steps, lambda _policy, _resumed: objective)],
        HeldOut(objectives, settings.micro_batch_tokens) if objectives else None,
        stage="instruct",
        data=training.records,
        chat_format=chat_format,
    )
