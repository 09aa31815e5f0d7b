"""Preference tuning: DPO, and sDPO, whose step t starts from and refers to the model of step t-1.

sDPO: Kim et al. 2024 (arXiv:2403.19270). Every step has its own data (easy first, in the order
given), reference, optimizer and schedule. Held-out pairs are always measured against the model
that the whole run starts from, so that their curve goes through all steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solarmini.data.builders import preference_examples
from solarmini.data.examples import ExampleStore, PairStore
from solarmini.data.sources import DataSource
from solarmini.data.streams import PairsAsExamples
from solarmini.errors import TrainError
from solarmini.text.chat import ChatFormat
from solarmini.train.evaluation import HeldOut
from solarmini.train.loop import Phase
from solarmini.train.model import Policy
from solarmini.train.objectives import Objective, PreferenceObjective
from solarmini.train.plan import Budget, Pool, count_tokens, plan_steps
from solarmini.train.reference import check_ln2, read_cached, reference_logprobs
from solarmini.train.runfolder import RunFolder
from solarmini.train.session import (
    Session,
    check_output,
    ensure_store,
    make_accelerator,
    named,
    open_session,
    tell_start,
    train_and_save,
)
from solarmini.train.settings import AlignSettings


def run_align(settings: AlignSettings, *, restart: bool = False) -> Path:
    """Align on preferences as `settings` say; resume a run that was begun; return the output."""
    check_output(settings)
    folder = RunFolder(settings.output)
    accelerator = make_accelerator(settings, folder, restart=restart)
    chat_format = ChatFormat.load(settings.model, settings.template)

    def store(sources: Sequence[DataSource], name: str) -> ExampleStore:
        made = preference_examples(sources, chat_format, settings.seq_len, settings.too_long)
        return ensure_store(PairsAsExamples(made), folder, name, accelerator)

    training = [store(part, f"step-{t}") for t, part in enumerate(settings.all_steps, start=1)]
    held_out = {
        name: store([source], f"eval-{index}")
        for index, (name, source) in enumerate(named(settings.eval).items())
    }
    stores = {f"step {t}": part for t, part in enumerate(training, start=1)}
    stores |= {f"eval {name}": part for name, part in held_out.items()}
    session = open_session(settings, stores, folder, accelerator, stage="align")
    source = _References(session, settings)
    phases = [
        _phase(source, settings, part, number, len(training))
        for number, part in enumerate(training, start=1)
    ]
    lengths = [PairSet(part).lengths for part in training]
    tokens = sum(
        count_tokens(phase.steps, part) for phase, part in zip(phases, lengths, strict=True)
    )
    tell_start(session, sum(len(phase.steps) for phase in phases), tokens)
    # before any training: the policy still is the model that the run starts from
    objectives = {name: source.of_start(part, name) for name, part in held_out.items()}
    return train_and_save(
        session,
        phases,
        HeldOut(objectives, settings.micro_batch_tokens) if objectives else None,
        stage="align",
        data=[record for part in training for record in part.records],
        chat_format=chat_format,
    )


class PairSet(PairStore):
    """Pairs of a store, with the tokens of each pair (both texts)."""

    def __init__(self, store: ExampleStore) -> None:
        super().__init__(store)
        self.fingerprint = store.fingerprint
        self.lengths = store.lengths.reshape(-1, 2).sum(axis=1)


@dataclass(slots=True)
class _References:
    """Makes objectives whose reference is the policy as it is when they are made."""

    session: Session
    settings: AlignSettings

    def of_start(self, store: ExampleStore, name: str) -> Objective:
        """Reference for held-out pairs: the model that the run starts from."""
        return self.of_policy(self.session.policy, store, f"eval-{name}")

    def of_policy(self, policy: Policy, store: ExampleStore, name: str) -> Objective:
        pairs = PairSet(store)
        session = self.session
        cache = session.folder.path / "reference" / f"{name}.f32"
        if session.is_main:
            self._compute(policy, pairs, cache)
        session.accelerator.wait_for_everyone()
        return self.cached(store, name)

    def _compute(self, policy: Policy, pairs: PairSet, cache: Path) -> None:
        reference_logprobs(
            policy,
            pairs,
            cache=cache,
            data_fingerprint=pairs.fingerprint,
            precision=self.session.precision,
            micro_batch_tokens=self.settings.micro_batch_tokens,
        )

    def cached(self, store: ExampleStore, name: str) -> Objective:
        """Reference computed earlier: the policy has moved on since."""
        cache = self.session.folder.path / "reference" / f"{name}.f32"
        pairs = PairSet(store)
        table = read_cached(cache)
        if table is None or len(table) != len(pairs):
            raise TrainError(
                "the reference log-probs of a step that was begun are gone",
                where=cache,
                mend="start again with --restart",
            )
        return PreferenceObjective(
            pairs,
            table,
            beta=self.settings.beta,
            label_smoothing=self.settings.label_smoothing,
        )


def _phase(
    references: _References, settings: AlignSettings, store: ExampleStore, number: int, count: int
) -> Phase:
    name = "align" if count == 1 else f"align-{number}"
    pairs = PairSet(store)
    steps = plan_steps(
        [Pool(0, pairs.lengths)],
        Budget(settings.passes, settings.max_steps, settings.max_tokens),
        batch_size=settings.batch_size,
        seed=settings.seed + number - 1,
    )

    def prepare(policy: Policy, resumed: bool) -> Objective:
        if resumed:
            return references.cached(store, name)
        return references.of_policy(policy, store, name)

    def first_loss(loss: float) -> None:
        check_ln2(loss, references.session.precision, name)

    return Phase(name, steps, prepare, first_loss)
