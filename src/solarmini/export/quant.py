"""Which ggml type each tensor of a GGUF file gets.

The named mixtures are llama.cpp's (`llama_tensor_get_type_impl` in `src/llama-quant.cpp`), so that
a `q4_k_m` of ours is what everyone calls a Q4_K_M: values of the attention, the down projection
and the output keep more bits where it pays. A row that is not made of whole blocks falls back to
a type with smaller blocks, as there, and the export says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from solarmini.errors import ConfigError

_LAYER = re.compile(r"^blk\.(\d+)\.")
# type -> what a row takes that is not a multiple of its block
_FALLBACK = {"Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
_BLOCK = {"F32": 1, "F16": 1, "BF16": 1} | dict.fromkeys(
    ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"), 32
)
_SUPER_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Quant:
    """A named mixture: the type most matrices get, and llama.cpp's number of the mixture."""

    name: str
    base: str
    file_type: int

    @property
    def floating(self) -> bool:
        """Whether values are only rounded, not quantised in blocks."""
        return self.base in ("F32", "F16", "BF16")

    @property
    def weighs(self) -> bool:
        """Whether the type's rounding heeds the importance of a weight's input."""
        return not self.floating and self.name != "q8_0"


QUANTS = {
    quant.name: quant
    for quant in (
        Quant("f32", "F32", 0),
        Quant("f16", "F16", 1),
        Quant("bf16", "BF16", 32),
        Quant("q8_0", "Q8_0", 7),
        Quant("q6_k", "Q6_K", 18),
        Quant("q5_k_m", "Q5_K", 17),
        Quant("q5_k_s", "Q5_K", 16),
        Quant("q5_1", "Q5_1", 9),
        Quant("q5_0", "Q5_0", 8),
        Quant("q4_k_m", "Q4_K", 15),
        Quant("q4_k_s", "Q4_K", 14),
        Quant("q4_1", "Q4_1", 3),
        Quant("q4_0", "Q4_0", 2),
        Quant("q3_k_m", "Q3_K", 12),
        Quant("q2_k", "Q2_K", 10),
    )
}


def find_quant(name: str) -> Quant:
    """Return the mixture called `name`, whatever its case; ConfigError lists those there are."""
    found = QUANTS.get(name.lower())
    if found is None:
        raise ConfigError(
            f"no quantisation is called '{name}'",
            where="--quant",
            mend=f"known: {', '.join(QUANTS)}",
        )
    return found


@dataclass(frozen=True, slots=True)
class Shape:
    """What the choice of types depends on: layers, tied embeddings, query heads per key head."""

    layers: int
    tied: bool
    groups: int


def tensor_type(quant: Quant, name: str, shape: Sequence[int], model: Shape) -> tuple[str, str]:
    """Return the type that tensor `name` gets, and the type it would have had with whole blocks.

    The two differ only where a fallback was needed. Vectors and norms stay F32.
    """
    if len(shape) < 2 or name.endswith("_norm.weight") or not name.endswith(".weight"):
        return "F32", "F32"
    if quant.floating:
        return quant.base, quant.base
    columns = shape[-1]
    wanted = _wanted(quant, name, columns, model)
    found = wanted
    if columns % block_size(found):
        found = _FALLBACK.get(found, "F16")
    if columns % block_size(found):
        found = "F16"
    return found, wanted


def block_size(kind: str) -> int:
    """Return how many values a block of the type holds."""
    return _BLOCK.get(kind, _SUPER_BLOCK)


def _wanted(quant: Quant, name: str, columns: int, model: Shape) -> str:
    if name == "output.weight" or (name == "token_embd.weight" and model.tied):
        if columns % block_size(quant.base):
            return "Q8_0"
        return quant.base if quant.base == "Q8_0" else "Q6_K"
    match = _LAYER.match(name)
    layer = int(match[1]) if match else 0
    if ".attn_v." in name:
        return _value(quant, layer, model)
    if ".ffn_down." in name:
        return _down(quant, layer, model.layers)
    if ".attn_output." in name:
        return {"q2_k": "Q3_K", "q3_k_m": "Q4_K"}.get(quant.name, quant.base)
    return quant.base


def _value(quant: Quant, layer: int, model: Shape) -> str:
    match quant.name:
        case "q2_k":
            return "Q4_K" if model.groups >= 4 else "Q3_K"
        case "q3_k_m":
            return "Q5_K" if layer < 2 else "Q4_K"
        case "q4_k_s" if layer < 4:
            return "Q5_K"
        case "q4_k_m" | "q5_k_m" if _more_bits(layer, model.layers):
            return "Q6_K"
    return quant.base


def _down(quant: Quant, layer: int, layers: int) -> str:
    match quant.name:
        case "q2_k":
            return "Q3_K"
        case "q3_k_m":
            return "Q5_K" if layer < layers // 16 else "Q4_K"
        case "q4_k_s" if layer < layers // 8:
            return "Q5_K"
        case "q4_k_m" | "q5_k_m" if _more_bits(layer, layers):
            return "Q6_K"
    return quant.base


def _more_bits(layer: int, layers: int) -> bool:
    """The first and last eighth of the layers, and every third between."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2
