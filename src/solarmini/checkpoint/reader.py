"""A model folder as transformers writes it: config.json and safetensors, whole or in shards."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solarmini.checkpoint.dtypes import decode
from solarmini.checkpoint.safetensors import TensorInfo, read_header
from solarmini.errors import CheckpointError, UnsafeFormatError

INDEX_NAME = "model.safetensors.index.json"
SINGLE_NAME = "model.safetensors"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Headers of a checkpoint; tensors are read only when asked for."""

    dir: Path
    config: dict[str, Any]
    tensors: dict[str, TensorInfo]

    @classmethod
    def open(cls, folder: Path) -> "Checkpoint":
        """Read config and headers of `folder`.

        Raises CheckpointError for a missing or damaged config, index or shard and
        UnsafeFormatError for a folder that holds pickled weights only.
        """
        config = read_json(folder / "config.json")
        return cls.of_headers(folder, config, [read_header(path) for path in _weight_files(folder)])

    @classmethod
    def of_headers(
        cls,
        folder: Path,
        config: dict[str, Any],
        headers: Iterable[Mapping[str, TensorInfo]],
    ) -> "Checkpoint":
        """Make one of the headers of all shards; CheckpointError where they and the index differ.

        `folder` holds the index, if there is one, and need not hold the weights.
        """
        tensors: dict[str, TensorInfo] = {}
        for header in headers:
            for name, tensor in header.items():
                if name in tensors:
                    raise CheckpointError(f"tensor '{name}' is in two shards", where=folder)
                tensors[name] = tensor
        _check_index(folder, tensors)
        return cls(folder, config, tensors)

    @property
    def parameter_count(self) -> int:
        """Number of stored parameters (a tied head that is not stored counts once)."""
        return sum(tensor.count for tensor in self.tensors.values())

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def raw(self, name: str) -> bytes:
        """Read the bytes of one tensor."""
        return read_tensor(self.tensors[name])

    def numpy(self, name: str) -> np.ndarray:
        """Read one tensor; floating types come as float32."""
        tensor = self.tensors[name]
        return decode(read_tensor(tensor), tensor.dtype, tensor.shape)


def read_tensor(tensor: TensorInfo) -> bytes:
    """Read the byte range of one tensor; CheckpointError if the file became shorter."""
    with tensor.path.open("rb") as file:
        file.seek(tensor.offset)
        raw = file.read(tensor.nbytes)
    if len(raw) != tensor.nbytes:
        raise CheckpointError("the file changed while it was read", where=tensor.path)
    return raw


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; CheckpointError when it is missing or is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointError(
            f"there is no {path.name}", where=path.parent, mend="name a folder that holds a model"
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CheckpointError(f"not valid JSON: {error}", where=path) from None
    if not isinstance(value, dict):
        raise CheckpointError("not a JSON object", where=path)
    return value


def shard_names(folder: Path) -> list[str]:
    """Return the weight files that the index of `folder` names; CheckpointError if it is wrong."""
    index = folder / INDEX_NAME
    names = sorted(set(_weight_map(index).values()))
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise CheckpointError(
                f"the index names {name!r}, which is not a safetensors file of this folder",
                where=index,
            )
    return names


def _weight_files(folder: Path) -> list[Path]:
    if (folder / INDEX_NAME).exists():
        names = shard_names(folder)
        for name in names:
            if not (folder / name).exists():
                raise CheckpointError(
                    f"the shard {name} is missing", where=folder, mend="fetch the model again"
                )
        return [folder / name for name in names]
    single = folder / SINGLE_NAME
    if single.exists():
        return [single]
    pickles = [path.name for pattern in _PICKLES for path in sorted(folder.glob(pattern))]
    if pickles:
        raise UnsafeFormatError(
            f"the weights are pickled ({pickles[0]}); reading them can run any code",
            where=folder,
            mend="use a safetensors version of the model, or convert it on a machine that you "
            "can lose with transformers' save_pretrained",
        )
    raise CheckpointError(
        f"no weights: neither {SINGLE_NAME} nor {INDEX_NAME} is there", where=folder
    )


def _weight_map(index: Path) -> dict[str, str]:
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError("the index has no weight_map", where=index)
    if not all(isinstance(name, str) for name in weight_map.values()):
        raise CheckpointError("the index names a file that is no text", where=index)
    return weight_map


def _check_index(folder: Path, tensors: dict[str, TensorInfo]) -> None:
    index = folder / INDEX_NAME
    if not index.exists():
        return
    for name, shard in _weight_map(index).items():
        if name not in tensors:
            raise CheckpointError(
                f"the index puts tensor '{name}' into {shard}, which does not hold it", where=index
            )
