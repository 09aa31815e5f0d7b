"""Carry out a growth plan: a base model in, a grown model out, streamed by byte ranges."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solarmini.artifact import describe_parent, finish_artifact, read_manifest, strictest_licence
from solarmini.checkpoint.atomic import staged_output
from solarmini.checkpoint.companions import companion_files, copy_companions
from solarmini.checkpoint.layers import layer_count
from solarmini.checkpoint.reader import Checkpoint
from solarmini.checkpoint.writer import DEFAULT_SHARD_BYTES, OutTensor, write_checkpoint
from solarmini.errors import ConfigError
from solarmini.growth.card import model_card
from solarmini.growth.config_map import as_llama, grow_config
from solarmini.growth.methods import Method, build_plan
from solarmini.growth.plan import LayerPlan, parse_ranges
from solarmini.growth.tensors import grown_tensors

# Two copies of variance 1/2 together move the stream as one did. SmolLM2-135M's loss right after
# surgery: m=8 2.844 -> 2.717, the best of 0.4…1.0; m=4 6.134 -> 4.312 (best: 0.6, 4.034).
DEFAULT_ATTENUATION = 0.5**0.5
_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([KMGT]?i?B?)$", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True)
class Grown:
    """A growth ready to be written: everything is known, nothing has been read but headers."""

    bases: tuple[Checkpoint, ...]
    plan: LayerPlan
    config: dict[str, Any]
    tensors: list[OutTensor]

    @property
    def parameter_count(self) -> int:
        """Parameters of the grown model as stored (a tied head counts once)."""
        total = 0
        for tensor in self.tensors:
            count = 1
            for size in tensor.shape:
                count *= size
            total += count
        return total

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors of the grown model."""
        return sum(tensor.nbytes for tensor in self.tensors)


def plan_for(
    base_layers: int,
    *,
    method: Method = "dus",
    drop: int | None = None,
    layers: int | None = None,
    ranges: str | None = None,
    attenuate: float | None = None,
) -> LayerPlan:
    """Make the plan that the options of `solar upscale` ask for; PlanError when they clash."""
    if ranges is not None:
        if drop is not None or layers is not None or method != "dus":
            raise ConfigError(
                "--plan says everything about the layers",
                where=f'--plan "{ranges}"',
                mend="leave --method, --drop and --layers out",
            )
        plan = parse_ranges(ranges, base_layers)
    else:
        plan = build_plan(base_layers, method, drop=drop, layers=layers)
    return plan if attenuate is None else plan.attenuated(attenuate)


def prepare(bases: Sequence[Checkpoint], plan: LayerPlan, *, to_llama: bool = False) -> Grown:
    """Work out config and tensors of the grown model; PlanError or CheckpointError if impossible.

    The config is the first base's; `to_llama` restates a Mistral as the Llama SOLAR 10.7B is.
    """
    config = grow_config(bases[0].config, plan)
    if to_llama:
        config = as_llama(config)
    return Grown(tuple(bases), plan, config, grown_tensors(bases, plan))


def run_upscale(
    source: Path | Sequence[Path],
    dst: Path,
    *,
    plan: LayerPlan | None = None,
    to_llama: bool = False,
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
    name: str | None = None,
    base_name: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Write the model that `plan` makes of `source` to the new folder `dst`; return `dst`.

    Without a plan: depth up-scaling with m = n/4. `base_name` names a base that has no manifest (a
    hub id says more than the folder it was fetched to). Never loads a tensor it does not change,
    checks the disk first, and leaves no `dst` behind unless it is whole. Raises PlanError,
    CheckpointError, OutputError or ResourceError.
    """
    folders = [source] if isinstance(source, Path) else list(source)
    bases = [Checkpoint.open(folder) for folder in folders]
    plan = plan or build_plan(layer_count(bases[0].config))
    grown = prepare(bases, plan, to_llama=to_llama)
    beside = sum(path.stat().st_size for path in companion_files(folders[0]))
    with staged_output(dst, need_bytes=grown.nbytes + beside) as staging:
        hashes = write_checkpoint(
            staging, grown.tensors, max_shard_bytes=max_shard_bytes, label="growing"
        )
        _write_json(staging / "config.json", grown.config)
        copy_companions(folders[0], staging)
        used = sorted({slot.model for slot in plan.slots})
        parents = [describe_parent(folders[index]) for index in used]
        if base_name and len(parents) == 1 and parents[0].stage == "base":
            parents = [parents[0].model_copy(update={"name": base_name})]
        licence = strictest_licence([parent.licence for parent in parents])
        name = name or dst.name
        (staging / "README.md").write_text(
            model_card(name, [parent.name for parent in parents], licence, plan, grown.config),
            encoding="utf-8",
        )
        manifest = read_manifest(folders[0])
        finish_artifact(
            staging,
            name=name,
            stage="upscale",
            parents=parents,
            settings={**(settings or {}), "method": plan.method, "as_llama": to_llama},
            growth=plan.to_dict(),
            template_name=manifest.template_name if manifest else None,
            known_sha256=hashes,
        )
    return dst


def parse_size(text: str) -> int:
    """Read a size such as "5GB", "500 MB" or "1.5GiB" as bytes; ConfigError for anything else."""
    match = _SIZE.match(text.strip())
    unit = match[2].upper().rstrip("B") if match else ""
    if not match or unit == "I":
        raise ConfigError(f"'{text}' is not a size", where="--max-shard-size", mend="write 5GB")
    base = _UNITS[unit.rstrip("I")]
    if unit.endswith("I"):
        base = 1024 ** (len(str(base)) // 3)
    size = int(float(match[1]) * base)
    if size < 1:
        raise ConfigError("a shard has to hold at least one byte", where="--max-shard-size")
    return size


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
