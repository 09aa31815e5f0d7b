"""A model folder in another precision, for vLLM and everything else that reads safetensors."""

import json
from collections.abc import Callable
from pathlib import Path

from solarmini.artifact import Manifest, describe_parent, finish_artifact, read_manifest
from solarmini.checkpoint.atomic import staged_output
from solarmini.checkpoint.companions import companion_files, copy_companions
from solarmini.checkpoint.dtypes import FLOATING, from_float32, to_float32
from solarmini.checkpoint.reader import Checkpoint, read_tensor
from solarmini.checkpoint.safetensors import TensorInfo
from solarmini.checkpoint.writer import OutTensor, write_checkpoint
from solarmini.errors import ConfigError, ExportError

DTYPES = {"f32": ("F32", "float32"), "f16": ("F16", "float16"), "bf16": ("BF16", "bfloat16")}


def export_safetensors(folder: Path, dst: Path, precision: str) -> Manifest:
    """Write the model of `folder` in `precision` (f32, f16 or bf16) to the new folder `dst`.

    Tensors that have that type already are copied byte by byte. Returns the manifest. Raises
    ConfigError for another precision, ExportError for values too large for f16, OutputError and
    ResourceError as `staged_output` does.
    """
    if precision not in DTYPES:
        raise ConfigError(
            f"safetensors are not written as '{precision}'",
            where="--quant",
            mend=f"known: {', '.join(DTYPES)}",
        )
    dtype, name = DTYPES[precision]
    checkpoint = Checkpoint.open(folder)
    tensors = [_out(tensor, dtype) for tensor in checkpoint.tensors.values()]
    config = {key: value for key, value in checkpoint.config.items() if key != "torch_dtype"}
    config["dtype"] = name
    beside = sum(path.stat().st_size for path in companion_files(folder))
    with staged_output(dst, need_bytes=sum(t.nbytes for t in tensors) + beside) as staging:
        hashes = write_checkpoint(staging, tensors, label="exporting")
        (staging / "config.json").write_text(
            json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        copy_companions(folder, staging)
        manifest = read_manifest(folder)
        parent = describe_parent(folder)
        licence = f"license: {parent.licence}\n" if parent.licence else ""
        (staging / "README.md").write_text(
            f"---\n{licence}library_name: transformers\n---\n# {dst.name}\n\n"
            f"{parent.name} in {name}; where it comes from is in `solar.json`.\n",
            encoding="utf-8",
        )
        return finish_artifact(
            staging,
            name=dst.name,
            stage="export",
            parents=[parent],
            settings={"to": "safetensors", "precision": precision},
            growth=manifest.growth if manifest else None,
            template_name=manifest.template_name if manifest else None,
            known_sha256=hashes,
        )


def _out(tensor: TensorInfo, dtype: str) -> OutTensor:
    if tensor.dtype == dtype or tensor.dtype not in FLOATING:
        return OutTensor(tensor.name, tensor.dtype, tensor.shape, tensor)
    return OutTensor(tensor.name, dtype, tensor.shape, _converter(tensor, dtype))


def _converter(tensor: TensorInfo, dtype: str) -> Callable[[], bytes]:
    def make() -> bytes:
        import numpy as np

        values = to_float32(read_tensor(tensor), tensor.dtype, tensor.shape)
        if dtype == "F16" and np.abs(values).max(initial=0.0) > np.finfo(np.float16).max:
            raise ExportError(
                "a value is too large for 16-bit floats",
                where=tensor.name,
                mend="use --quant bf16",
            )
        return from_float32(values, dtype)

    return make
