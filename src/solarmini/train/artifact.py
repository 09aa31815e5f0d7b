"""The trained model as an artifact: same names, same companions, weights from memory."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from solarmini.artifact import (
    DataRecord,
    Parent,
    describe_parent,
    finish_artifact,
    read_manifest,
)
from solarmini.checkpoint.atomic import staged_output
from solarmini.checkpoint.companions import copy_companions
from solarmini.checkpoint.reader import Checkpoint
from solarmini.checkpoint.writer import OutTensor, write_checkpoint
from solarmini.errors import CheckpointError
from solarmini.text.chat import ChatFormat
from solarmini.train.settings import TrainSettings

_NAMES = {"fp32": "F32", "bf16": "BF16", "fp16": "F16"}
_TORCH = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
_CONFIG = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}


def save_artifact(
    model: Any,
    settings: TrainSettings,
    *,
    stage: str,
    data: Sequence[DataRecord],
    rows: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, Any],
    resolved: Mapping[str, Any],
    chat_format: ChatFormat | None,
) -> None:
    """Write weights, config, companions, the log and the manifest to `settings.output`."""
    source = Checkpoint.open(settings.model)
    tensors = out_tensors(model, source, settings.save_dtype)
    need = sum(tensor.nbytes for tensor in tensors)
    with staged_output(settings.output, need) as staging:
        copy_companions(settings.model, staging)
        hashes = write_checkpoint(staging, tensors, label="saving")
        config = dict(source.config)
        kinds = {tensor.dtype for tensor in tensors}
        if settings.save_dtype != "source" and len(kinds) == 1:
            config.pop("torch_dtype", None)
            config["dtype"] = _CONFIG[kinds.pop()]
        (staging / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        if chat_format is not None and chat_format.name != "model":
            write_template(staging, chat_format.source)
        log = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (staging / "training_log.jsonl").write_text(log, encoding="utf-8")
        manifest = read_manifest(settings.model)
        name = settings.name or settings.output.absolute().name
        parent = describe_parent(settings.model)
        _write_card(staging, name, stage, parent, metrics)
        finish_artifact(
            staging,
            name=name,
            stage=stage,
            parents=[parent],
            settings={
                **settings.model_dump(mode="json", exclude={"output"}),
                "model": settings.model.name,
                "resolved": dict(resolved),
            },
            data=data,
            growth=manifest.growth if manifest else None,
            metrics=metrics,
            template_name=_template_name(chat_format, manifest),
            known_sha256=hashes,
        )


def out_tensors(model: Any, source: Checkpoint, save_dtype: str) -> list[OutTensor]:
    """Return the model's weights under the names, and in the order, of the source checkpoint.

    CheckpointError when a name of the source has no weight or the other way round.
    """
    from transformers.core_model_loading import revert_weight_conversion

    state = dict(revert_weight_conversion(model, dict(model.state_dict())))
    missing = sorted(set(source.tensors) - set(state))
    seen = {state[name].data_ptr() for name in source.tensors if name in state}
    # a tied weight appears under a second name, which the source does not store
    extra = sorted(
        name for name in set(state) - set(source.tensors) if state[name].data_ptr() not in seen
    )
    if missing or extra:
        raise CheckpointError(
            f"the trained weights do not match the source's names: missing {missing[:3]}, "
            f"unknown {extra[:3]}",
            where=source.dir,
        )
    tensors = []
    for name, info in source.tensors.items():
        dtype = info.dtype if save_dtype == "source" else _NAMES[save_dtype]
        if dtype not in _TORCH:
            raise CheckpointError(
                f"tensor '{name}' is stored as {dtype}, which cannot be trained",
                where=source.dir,
                mend="give --save-dtype bf16",
            )
        if tuple(state[name].shape) != tuple(info.shape):
            raise CheckpointError(
                f"tensor '{name}' has shape {tuple(state[name].shape)}, the source has {info.shape}"
            )
        tensors.append(
            OutTensor(name, dtype, tuple(info.shape), _Bytes(state[name], _TORCH[dtype]))
        )
    return tensors


class _Bytes:
    """Makes a tensor's bytes when they are written, one tensor at a time."""

    def __init__(self, tensor: torch.Tensor, dtype: torch.dtype) -> None:
        self.tensor = tensor
        self.dtype = dtype

    def __call__(self) -> bytes:
        flat = self.tensor.detach().to(self.dtype).cpu().contiguous().reshape(-1)
        return flat.view(torch.uint8).numpy().tobytes()


def write_template(folder: Path, source: str) -> None:
    """Make `source` the folder's only chat template, so that serving uses what was trained."""
    (folder / "chat_template.jinja").write_text(source, encoding="utf-8")
    (folder / "chat_template.json").unlink(missing_ok=True)
    shutil.rmtree(folder / "additional_chat_templates", ignore_errors=True)
    path = folder / "tokenizer_config.json"
    if path.exists():
        config = json.loads(path.read_text(encoding="utf-8"))
        if config.pop("chat_template", None) is not None:
            path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")


def _template_name(chat_format: ChatFormat | None, manifest: Any) -> str | None:
    if chat_format is not None and chat_format.name != "model":
        return chat_format.name
    return manifest.template_name if manifest else None


def _write_card(
    staging: Path, name: str, stage: str, parent: Parent, metrics: Mapping[str, Any]
) -> None:
    front = ["---", f"license: {parent.licence}", "---"] if parent.licence else []
    lines = [*front, f"# {name}", "", f"Made by `solar {stage}` from `{parent.name}`.", ""]
    lines += [f"- {key}: {value}" for key, value in metrics.items()]
    (staging / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
