"""GGUF tensors → transformers tensors: names, layout and dequantised values, one at a time."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from solarmini.checkpoint.dtypes import from_float32
from solarmini.checkpoint.gguf_file import GgufFile, GgufTensor
from solarmini.checkpoint.writer import OutTensor
from solarmini.errors import CheckpointError

_SUFFIXES = (".weight", ".bias")
_CHUNK_ELEMENTS = 4 * 2**20
# tensors that restate what the config says
_IN_CONFIG = {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"}
_ROTARY = re.compile(r"\.attn_(q|k)\.(weight|bias)$")

Transform = Callable[[np.ndarray], np.ndarray]


def out_tensors(file: GgufFile, config: Any, dtype: str) -> list[OutTensor]:
    """Return the tensors of the transformers model, in its own order, made on demand.

    `config` is the transformers config; the model is laid out without memory to learn its names
    and shapes. Raises CheckpointError when a tensor is missing, has another shape, or is left over.
    """
    wanted = dict(_model_shapes(config))
    names = _gguf_names(file, list(wanted))
    left = set(file.tensors) - set(names.values()) - _IN_CONFIG
    if left:
        raise CheckpointError(
            f"the file has {len(left)} tensors that the model has no place for, "
            f"such as '{min(left)}'",
            where=file.path,
        )
    tensors = []
    for name, shape in wanted.items():
        tensor = file.tensors[names[name]]
        if tensor.shape != shape:
            raise CheckpointError(
                f"'{tensor.name}' has shape {tensor.shape}, the model's '{name}' has {shape}",
                where=file.path,
            )
        tensors.append(
            OutTensor(name, dtype, shape, _maker(file, tensor, _transform(file, tensor), dtype))
        )
    return tensors


def dequantised(
    file: GgufFile, tensor: GgufTensor, transform: Transform | None = None
) -> np.ndarray:
    """Return a tensor's values as float32, made in row chunks so that only the result is large."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    kind = GGMLQuantizationType(tensor.ggml_type)
    block, width = GGML_QUANT_SIZES[kind]
    columns = tensor.shape[-1]
    rows = int(np.prod(tensor.shape[:-1], dtype=np.int64))
    stored = np.memmap(file.path, np.uint8, "r", tensor.offset, (rows, columns // block * width))
    out = np.empty((rows, columns), np.float32)
    step = max(1, _CHUNK_ELEMENTS // columns)
    for start in range(0, rows, step):
        piece = np.asarray(stored[start : start + step])
        if kind is GGMLQuantizationType.F32:
            out[start : start + step] = piece.view("<f4")
        elif kind is GGMLQuantizationType.F16:
            out[start : start + step] = piece.view("<f2")
        else:
            out[start : start + step] = dequantize(piece, kind)
    result = out.reshape(tensor.shape)
    return transform(result) if transform else result


def unpermute(heads: int) -> Transform:
    """Undo llama.cpp's rotary layout: pairs (2i, 2i+1) of a head go back to (i, i + half)."""

    def apply(values: np.ndarray) -> np.ndarray:
        half = values.shape[0] // heads // 2
        paired = values.reshape(heads, half, 2, *values.shape[1:])
        return np.ascontiguousarray(paired.swapaxes(1, 2)).reshape(values.shape)

    return apply


def _maker(
    file: GgufFile, tensor: GgufTensor, transform: Transform | None, dtype: str
) -> Callable[[], bytes | memoryview]:
    def make() -> bytes | memoryview:
        values = dequantised(file, tensor, transform)
        if dtype == "F32":  # no second copy of the largest table
            return np.ascontiguousarray(values).data.cast("B")
        return from_float32(values, dtype)

    return make


def _transform(file: GgufFile, tensor: GgufTensor) -> Transform | None:
    rotary = _ROTARY.search(tensor.name)
    if file.architecture == "llama" and rotary:
        heads = int(file.need("attention.head_count"))
        if rotary[1] == "k":
            heads = int(file.get("attention.head_count_kv", heads))
        return unpermute(heads)
    if file.architecture in ("gemma2", "gemma3") and tensor.name.endswith("norm.weight"):
        return _minus_one
    return None


def _minus_one(values: np.ndarray) -> np.ndarray:
    """Gemma's norms multiply by 1 + w; GGUF stores the sum."""
    return values - np.float32(1)


def _model_shapes(config: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    tied = set(model._tied_weights_keys or ()) if config.tie_word_embeddings else set()
    for name, value in model.state_dict().items():
        if name not in tied:
            yield name, tuple(value.shape)


def _gguf_names(file: GgufFile, wanted: list[str]) -> dict[str, str]:
    from gguf.constants import MODEL_ARCH, MODEL_ARCH_NAMES
    from gguf.tensor_mapping import get_tensor_name_map

    architectures = {name: key for key, name in MODEL_ARCH_NAMES.items()}
    architecture: MODEL_ARCH = architectures[file.architecture]
    table = get_tensor_name_map(architecture, int(file.need("block_count")))
    names = {}
    for name in wanted:
        found = table.get_name(name, try_suffixes=_SUFFIXES)
        if found is None or found not in file.tensors:
            raise CheckpointError(
                f"the model's '{name}' is not in the file (looked for '{found}')", where=file.path
            )
        names[name] = found
    return names
