"""A Llama-shaped bf16 checkpoint of random bytes, in shards."""

import ctypes
import json
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

_SHARD = 1_000_000_000
_BLOCK = 16 * 2**20


@dataclass(frozen=True)
class Shape:
    """A Llama of `layers` layers, 2048 wide."""

    layers: int
    hidden: int = 2048
    inner: int = 5632
    vocabulary: int = 32000

    @classmethod
    def of(cls, gigabytes: float) -> "Shape":
        """Choose the number of layers that comes nearest to `gigabytes`."""
        one, none = cls(1).nbytes, cls(0).nbytes
        return cls(max(4, round((gigabytes * 1e9 - none) / (one - none))))

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        total = 0
        for shape in self.tensors().values():
            count = 2
            for size in shape:
                count *= size
            total += count
        return total

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes, in the order of computation."""
        h, f = self.hidden, self.inner
        layer = {
            "input_layernorm": (h,),
            "mlp.down_proj": (h, f),
            "mlp.gate_proj": (f, h),
            "mlp.up_proj": (f, h),
            "post_attention_layernorm": (h,),
            "self_attn.k_proj": (h // 8, h),
            "self_attn.o_proj": (h, h),
            "self_attn.q_proj": (h, h),
            "self_attn.v_proj": (h // 8, h),
        }
        shapes: dict[str, tuple[int, ...]] = {
            "lm_head.weight": (self.vocabulary, h),
            "model.embed_tokens.weight": (self.vocabulary, h),
        }
        for index in range(self.layers):
            shapes |= {f"model.layers.{index}.{k}.weight": v for k, v in layer.items()}
        return shapes | {"model.norm.weight": (h,)}


def make_base(folder: Path, shape: Shape) -> Path:
    """Write the checkpoint once; a folder that holds one of the same shape is used again."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": 32,
        "num_key_value_heads": 4,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-05,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "torch_dtype": "bfloat16",
    }
    text = json.dumps(config, indent=2)
    if (folder / "config.json").exists() and (folder / "config.json").read_text() == text:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    groups: list[dict[str, tuple[int, ...]]] = [{}]
    size = 0
    for name, dimensions in shape.tensors().items():
        nbytes = 2 * dimensions[0] * (dimensions[1] if len(dimensions) > 1 else 1)
        if size + nbytes > _SHARD and groups[-1]:
            groups.append({})
            size = 0
        groups[-1][name] = dimensions
        size += nbytes
    weight_map = {}
    for number, group in enumerate(groups, start=1):
        name = f"model-{number:05d}-of-{len(groups):05d}.safetensors"
        _write(folder / name, group)
        weight_map.update(dict.fromkeys(group, name))
    index = {"metadata": {"total_size": shape.nbytes}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text(text)  # last: it says that the folder is whole
    return folder


def _write(path: Path, tensors: dict[str, tuple[int, ...]]) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, shape in tensors.items():
        nbytes = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {
            "dtype": "BF16",
            "shape": list(shape),
            "data_offsets": [position, position + nbytes],
        }
        position += nbytes
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        left = position
        while left:
            block = os.urandom(min(left, _BLOCK))
            file.write(block)
            left -= len(block)
        file.flush()
        os.fsync(file.fileno())


def dropped_cache(folder: Path) -> float:
    """Drop the weights' pages from the page cache; return the share that stayed (mincore)."""
    stayed = total = 0
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            pages = -(-path.stat().st_size // mmap.PAGESIZE)
            stayed += _resident_pages(file.fileno(), path.stat().st_size, pages)
            total += pages
    return stayed / total


def _resident_pages(handle: int, size: int, pages: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    arguments = (None, ctypes.c_size_t(size), 1, 1, handle, ctypes.c_long(0))  # read, shared
    address = ctypes.c_void_p(libc.mmap(*arguments))
    vector = (ctypes.c_ubyte * pages)()
    if libc.mincore(address, ctypes.c_size_t(size), vector):
        raise OSError(ctypes.get_errno(), "mincore")
    libc.munmap(address, ctypes.c_size_t(size))
    return sum(page & 1 for page in vector)
