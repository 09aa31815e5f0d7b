"""What every stage does before and after its loop."""

import hashlib
import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solarmini.artifact import DataRecord, read_manifest
from solarmini.checkpoint.atomic import check_disk
from solarmini.checkpoint.reader import Checkpoint
from solarmini.console import err
from solarmini.data.examples import ExampleSource, ExampleStore
from solarmini.data.sources import DataSource
from solarmini.errors import OutputError, TokenizerMismatchError, TrainError
from solarmini.growth.training_memory import Widths, linear_sizes, predict_memory
from solarmini.text.chat import ChatFormat
from solarmini.train.artifact import save_artifact
from solarmini.train.loop import Evaluate, Phase, Trainer
from solarmini.train.memory import available_memory, check_memory
from solarmini.train.model import Policy, check_architecture, check_positions, load_model
from solarmini.train.precision import choose_device, choose_precision
from solarmini.train.runfolder import RunFolder
from solarmini.train.select import select_weights, trained_parameters
from solarmini.train.settings import FREE_ON_RESUME, TrainSettings


@dataclass(slots=True)
class Session:
    """A run that is set up: devices, folder, model, and what was resolved."""

    settings: TrainSettings
    accelerator: Any
    folder: RunFolder
    precision: str
    policy: Policy
    peft: Any | None
    identity: dict[str, Any]

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files."""
        return bool(self.accelerator.is_main_process)


def open_session(
    settings: TrainSettings,
    stores: Mapping[str, ExampleStore],
    folder: RunFolder,
    accelerator: Any,
    *,
    stage: str,
) -> Session:
    """Check everything that can be checked, load the model, choose what learns."""
    device = accelerator.device
    precision = choose_precision(settings.precision, device)
    identity = {
        "stage": stage,
        **settings.model_dump(mode="json", exclude=set(FREE_ON_RESUME)),
        "base_fingerprint": source_fingerprint(settings.model),
        "data_fingerprints": {name: store.fingerprint for name, store in stores.items()},
        "precision": precision,
        "device": device.type,
        "processes": accelerator.num_processes,
    }
    if accelerator.is_main_process:
        folder.begin(identity)
    accelerator.wait_for_everyone()
    source = Checkpoint.open(settings.model)
    _check_ids(stores, source, settings.model)
    _check_room(settings, source, stores, precision, device)
    torch.manual_seed(settings.seed)
    model = load_model(settings.model, device)
    check_positions(model, settings.seq_len)
    check_architecture(model)
    manifest = read_manifest(settings.model)
    peft = select_weights(model, settings, manifest.growth if manifest else None)
    if settings.gradient_checkpointing:
        _recompute_activations(model)
    policy = Policy(model, precision)
    policy.train()
    return Session(settings, accelerator, folder, precision, policy, peft, identity)


def make_accelerator(settings: TrainSettings, folder: RunFolder, *, restart: bool) -> Any:
    """Make accelerate's Accelerator; our own autocast decides the precision, not it.

    With `restart` what an earlier start left in the run folder is removed.
    """
    from accelerate import Accelerator, DistributedDataParallelKwargs
    from accelerate.state import AcceleratorState, GradientState, PartialState

    device = choose_device(settings.device)
    _check_tracker(settings.tracker)
    if not torch.distributed.is_initialized():
        # accelerate keeps one global state; a stage must not inherit the last one's
        AcceleratorState._reset_state(reset_partial_state=True)
        GradientState._reset_state()
        PartialState._reset_state()
    plain = DistributedDataParallelKwargs(broadcast_buffers=False)
    try:
        accelerator = Accelerator(
            cpu=device.type == "cpu",
            mixed_precision="no",
            kwargs_handlers=[plain],
            log_with=settings.tracker,
            project_dir=str(folder.path / "tracker") if settings.tracker else None,
        )
    except (ValueError, ImportError) as error:
        raise TrainError(f"accelerate cannot start: {error}") from error
    if restart and accelerator.is_main_process:
        folder.remove()
    accelerator.wait_for_everyone()
    return accelerator


def _check_tracker(name: str | None) -> None:
    """Refuse a tracker whose package is missing: accelerate would warn and go on without it."""
    if name is None:
        return
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

    present = {str(kind) for kind in get_available_trackers()}
    if name in present or (name == "all" and present):
        return
    if name in LOGGER_TYPE_TO_CLASS:
        raise TrainError(
            f"the tracker '{name}' needs the package '{name}', which is not installed",
            where="tracker",
            mend=f"pip install {name}",
        )
    raise TrainError(
        f"there is no tracker '{name}'",
        where="tracker",
        mend=f"name one of {', '.join(map(str, LOGGER_TYPE_TO_CLASS))}",
    )


def train_and_save(
    session: Session,
    phases: Sequence[Phase],
    evaluate: Evaluate | None,
    *,
    stage: str,
    data: Sequence[DataRecord],
    chat_format: ChatFormat | None,
) -> Path:
    """Run the loop, merge adapters, write the artifact, tidy up; return the output folder."""
    settings, accelerator = session.settings, session.accelerator
    if settings.tracker:
        config = {k: v for k, v in session.identity.items() if isinstance(v, (int, float, str))}
        accelerator.init_trackers(stage, config)
    trainer = Trainer(session.policy, settings, accelerator, session.folder, evaluate)
    rows = trainer.train(phases)
    if settings.tracker:
        accelerator.end_training()
    if session.is_main:
        model = session.policy.model
        if session.peft is not None:
            model = session.peft.merge_and_unload()
        resolved = {
            "precision": session.precision,
            "device": accelerator.device.type,
            "trained_parameters": sum(p.numel() for p in trainer.parameters.values()),
            "torch": torch.__version__.split("+")[0],
            "threads": torch.get_num_threads(),
            "machine": platform.machine(),
        }
        save_artifact(
            model,
            settings,
            stage=stage,
            data=data,
            rows=rows,
            metrics=summary(rows),
            resolved=resolved,
            chat_format=chat_format,
        )
        session.folder.finish(keep_logs=settings.tracker is not None)
    accelerator.wait_for_everyone()
    return settings.output


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the manifest keeps of the log: first and last measures, tokens, time."""
    steps = [row for row in rows if row["step"] > 0]
    if not steps:
        return {}
    found: dict[str, Any] = {
        "steps": steps[-1]["step"],
        "tokens": steps[-1]["tokens"],
        "seconds": steps[-1]["seconds"],
        "loss_first": steps[0]["loss"],
        "loss_last": steps[-1]["loss"],
    }
    measured = [row for row in rows if any(key.startswith("eval_") for key in row)]
    if measured:
        for key in measured[-1]:
            if key.startswith("eval_"):
                found[f"{key}_first"] = measured[0].get(key)
                found[f"{key}_last"] = measured[-1][key]
    return found


def check_output(settings: TrainSettings) -> None:
    """Refuse an output that exists or cannot be written, before any work is done."""
    output = settings.output.absolute()
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise OutputError(
            "the output exists already", where=output, mend="name another folder or remove it"
        )
    parent = output.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder: {error.strerror}", where=parent) from error
    if not os.access(parent, os.W_OK):
        raise OutputError(
            "cannot write the output: the folder is read-only",
            where=parent,
            mend="choose a folder that you may write to",
        )


def ensure_store(
    source: ExampleSource, folder: RunFolder, name: str, accelerator: Any
) -> ExampleStore:
    """Build a store in the run folder on the first process, open it on the others."""
    place = folder.path / "data" / f"{name}-{source.fingerprint[:16]}"
    if accelerator.is_main_process:
        ExampleStore.ensure(source, place)
    accelerator.wait_for_everyone()
    return ExampleStore.open(place)


def source_fingerprint(folder: Path) -> str:
    """Tell one source model from another: the manifest's fingerprint, else its files' facts."""
    manifest = read_manifest(folder)
    if manifest is not None:
        return manifest.fingerprint
    facts = [
        f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}"
        for path in sorted(folder.glob("*.safetensors"))
    ]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _check_ids(stores: Mapping[str, ExampleStore], source: Checkpoint, folder: Path) -> None:
    """Refuse token ids that the embedding has no row for."""
    text = source.config.get("text_config") or source.config
    rows = int(text["vocab_size"])
    for name, store in stores.items():
        top = max((int(example.ids.max()) for example in store if len(example)), default=0)
        if top >= rows:
            raise TokenizerMismatchError(
                f"the data '{name}' holds token {top}, but the model knows {rows} tokens",
                where=folder,
                mend="use the tokenizer that belongs to the model",
            )


def _check_room(
    settings: TrainSettings,
    source: Checkpoint,
    stores: Mapping[str, ExampleStore],
    precision: str,
    device: torch.device,
) -> None:
    """Refuse a run that memory or disk cannot hold."""
    from transformers import AutoConfig

    longest = max(
        (int(np.max(store.lengths)) for store in stores.values() if len(store)), default=0
    )
    parameters = source.parameter_count
    trained = _count_trained(settings, source)
    config = AutoConfig.from_pretrained(settings.model).get_text_config()
    need = predict_memory(
        parameters=parameters,
        trained=trained,
        widths=Widths.of(config.to_dict()),
        tokens=max(settings.micro_batch_tokens, longest),
        layers_with_gradient=int(config.num_hidden_layers),
        checkpointing=settings.gradient_checkpointing,
        precision=precision,
    )
    check_memory(need, available_memory(device))
    # two states of weights and two moments at once, and the result
    check_disk(settings.output.absolute().parent, trained * 12 * 2 + source.nbytes)


def _count_trained(settings: TrainSettings, source: Checkpoint) -> int:
    """Estimate the number of weights that learn, from headers alone."""
    if settings.train == "full":
        return source.parameter_count
    if settings.train == "lora":
        shapes = ((tensor.name, tensor.shape) for tensor in source.tensors.values())
        return settings.lora.rank * linear_sizes(shapes, source.config)
    return source.parameter_count // 2


def _recompute_activations(model: Any) -> None:
    # renamed in transformers 5.2x
    name = "activation_checkpointing_enable"
    enable = getattr(model, name, None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def tell_start(session: Session, steps: int, tokens: int) -> None:
    """Print what is about to happen."""
    if not session.is_main:
        return
    trained = sum(p.numel() for p in trained_parameters(session.policy).values())
    everything = sum(p.numel() for p in session.policy.parameters())
    err().print(
        f"training {trained:,} of {everything:,} weights ({session.settings.train}), "
        f"{steps:,} steps, {tokens:,} tokens, {session.precision} on "
        f"{session.accelerator.device.type}",
        soft_wrap=True,
    )


def named(sources: Sequence[DataSource]) -> dict[str, DataSource]:
    """Give every held-out source a name of its own, from its file."""
    names = [Path(source.name).name.split(".")[0] for source in sources]
    uses = Counter(names)
    return {
        name if uses[name] == 1 else f"{name}_{index}": source
        for index, (name, source) in enumerate(zip(names, sources, strict=True))
    }
