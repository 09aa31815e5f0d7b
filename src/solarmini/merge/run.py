"""Carry out a merge: check, write beside, let the result speak, then call it done."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from solarmini.artifact import describe_parent, finish_artifact, read_manifest
from solarmini.checkpoint.atomic import staged_output
from solarmini.checkpoint.companions import copy_companions
from solarmini.checkpoint.probe import probe_generates
from solarmini.checkpoint.reader import Checkpoint
from solarmini.checkpoint.resolve import resolve
from solarmini.checkpoint.writer import DEFAULT_SHARD_BYTES, write_checkpoint
from solarmini.errors import MergeError
from solarmini.growth.config_map import grow_config
from solarmini.growth.plan import LayerPlan
from solarmini.licences import strictest_licence
from solarmini.merge.compatible import check_compatible
from solarmini.merge.spec import METHODS, MergeSpec, Slice, plain
from solarmini.merge.tensors import check_methods, merged_tensors

_DTYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}
_NAMES = {value: key for key, value in _DTYPES.items()}


def run_merge(spec: MergeSpec, dst: Path, *, max_shard_bytes: int = DEFAULT_SHARD_BYTES) -> Path:
    """Merge as `spec` says into the new artifact `dst`; return `dst`.

    Works in float32 on one tensor at a time, writes the dtype of the leading model (the base,
    else the first) unless the spec names one. Raises TokenizerMismatchError and MergeError for
    models that do not fit, values that are not finite, or a result that does not speak.
    """
    if spec.method not in METHODS:
        raise MergeError(f"no method '{spec.method}'", mend=f"methods: {', '.join(METHODS)}")
    check_methods(spec)
    models = [Checkpoint.open(resolve(name)) for name in spec.models]
    check_compatible(models)
    tensors, plan = merged_tensors(spec, models, _DTYPES[spec.dtype] if spec.dtype else None)
    lead = models[plan.slots[0].model]
    config = _config(lead, plan, spec)
    with staged_output(dst, need_bytes=sum(tensor.nbytes for tensor in tensors)) as staging:
        copy_companions(lead.dir, staging)
        text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
        (staging / "config.json").write_text(text, encoding="utf-8")
        hashes = write_checkpoint(
            staging, tensors, max_shard_bytes=max_shard_bytes, label=f"merging ({spec.method})"
        )
        spoken = probe_generates(staging)
        parents = [
            describe_parent(model.dir, "base" if index == spec.base else "merged")
            for index, model in enumerate(models)
        ]
        licence = strictest_licence([parent.licence for parent in parents])
        names = [parent.name for parent in parents]
        (staging / "README.md").write_text(_card(dst.name, spec, names, licence), "utf-8")
        finish_artifact(
            staging,
            name=dst.name,
            stage="merged",
            parents=parents,
            settings=describe(spec, names),
            growth=_growth(models, plan),
            metrics={"probe_text": spoken},
            template_name=_template_name(lead),
            known_sha256=hashes,
        )
    return dst


def describe(spec: MergeSpec, names: Sequence[str]) -> dict[str, Any]:
    """Return the spec as JSON-ready data, models by their names."""

    def settings(values: Any) -> dict[str, Any]:
        return {key: plain(value) for key, value in values.items()}

    def part(piece: Slice) -> dict[str, Any]:
        return {
            "sources": [
                {
                    "model": names[source.model],
                    "layer_range": None if source.end is None else [source.start, source.end],
                    "parameters": settings(source.parameters),
                }
                for source in piece.sources
            ],
            "parameters": settings(piece.parameters),
            "base": None if piece.base is None else names[piece.base],
        }

    return {
        "method": spec.method,
        "base": None if spec.base is None else names[spec.base],
        "parameters": settings(spec.parameters),
        "slices": [part(piece) for piece in spec.slices],
        "dtype": spec.dtype,
    }


def _config(lead: Checkpoint, plan: LayerPlan, spec: MergeSpec) -> dict[str, Any]:
    same = plan.sources == tuple(range(plan.base_layers))
    config = dict(lead.config) if same else grow_config(lead.config, plan)
    config.pop("_name_or_path", None)
    if spec.dtype:
        key = "torch_dtype" if "torch_dtype" in config else "dtype"
        config[key] = spec.dtype
    return config


def _growth(models: Sequence[Checkpoint], plan: LayerPlan) -> dict[str, Any] | None:
    """Keep the parents' layer map while all share it; a new stacking is a map of its own."""
    if plan.method == "passthrough" or plan.sources != tuple(range(plan.base_layers)):
        return plan.to_dict()
    manifests = [read_manifest(model.dir) for model in models]
    maps = [manifest.growth if manifest else None for manifest in manifests]
    return maps[0] if all(growth == maps[0] for growth in maps) else None


def _template_name(lead: Checkpoint) -> str | None:
    manifest = read_manifest(lead.dir)
    return manifest.template_name if manifest else None


def _card(name: str, spec: MergeSpec, parents: Sequence[str], licence: str | None) -> str:
    front = f"license: {licence}\n" if licence else ""
    listed = "\n".join(f"- {parent}" for parent in parents)
    return (
        f"---\n{front}library_name: transformers\ntags:\n- merge\n---\n# {name}\n\n"
        f"Merged with the method `{spec.method}` from\n\n{listed}\n\n"
        "The settings and the whole family tree are in `solar.json`.\n"
    )
