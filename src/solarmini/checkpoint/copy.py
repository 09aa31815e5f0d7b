"""Copy a model into an artifact of its own, in another number format if asked."""

import json
from functools import partial
from pathlib import Path

from solarmini.artifact import describe_parent, finish_artifact, read_manifest
from solarmini.checkpoint.atomic import staged_output, write_file_atomic
from solarmini.checkpoint.companions import copy_companions
from solarmini.checkpoint.dtypes import FLOATING, from_float32, to_float32
from solarmini.checkpoint.reader import Checkpoint, read_tensor
from solarmini.checkpoint.safetensors import TensorInfo
from solarmini.checkpoint.writer import OutTensor, write_checkpoint

DTYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}


def copy_model(src: Path, dst: Path, *, source: str, dtype: str | None = None) -> Path:
    """Write the model folder `src` as artifact `dst`; return `dst`.

    Weights are copied byte by byte, or rounded to `dtype` ("float32", "bfloat16", "float16") one
    tensor at a time. A manifest of `src` is carried over (stage, parents, settings, licence);
    a plain folder becomes stage "base" with the licence it states. `source` is the name the model
    was asked for by.
    """
    checkpoint, manifest = Checkpoint.open(src), read_manifest(src)
    target = DTYPES[dtype] if dtype else None
    tensors = [_out(info, target) for info in checkpoint.tensors.values()]
    config = dict(checkpoint.config)
    if dtype:
        config["torch_dtype" if "torch_dtype" in config else "dtype"] = dtype
    origin = describe_parent(src)
    settings = dict(manifest.settings) if manifest else {"source": {"name": source}}
    if dtype:
        settings["dtype"] = dtype
    with staged_output(dst, need_bytes=sum(tensor.nbytes for tensor in tensors)) as staging:
        copy_companions(src, staging)
        card = src / "README.md"
        if card.is_file():
            (staging / card.name).write_bytes(card.read_bytes())
        write_file_atomic(staging / "config.json", json.dumps(config, indent=2) + "\n")
        hashes = write_checkpoint(staging, tensors, label=f"copying {origin.name}")
        finish_artifact(
            staging,
            name=manifest.name if manifest else source,
            stage=origin.stage,
            parents=manifest.parents if manifest else (),
            settings=settings,
            data=manifest.data if manifest else (),
            growth=manifest.growth if manifest else None,
            metrics=manifest.metrics if manifest else None,
            template_name=manifest.template_name if manifest else None,
            licence=origin.licence,
            known_sha256=hashes,
        )
    return dst


def _out(info: TensorInfo, dtype: str | None) -> OutTensor:
    if dtype is None or info.dtype == dtype or info.dtype not in FLOATING:
        return OutTensor(info.name, info.dtype, info.shape, info)
    return OutTensor(info.name, dtype, info.shape, partial(_converted, info, dtype))


def _converted(info: TensorInfo, dtype: str) -> bytes:
    return from_float32(to_float32(read_tensor(info), info.dtype, info.shape), dtype)
