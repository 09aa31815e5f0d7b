"""Rows of float32 → the bytes of a ggml type.

The block formats are those of ggml (`ggml-quants.c`). libgguf, which carries ggml's reference
quantisers, makes them all; the official `gguf` package makes the simple ones where it is missing.
"""

import importlib.util
from functools import cache

import numpy as np

from solarmini.checkpoint.dtypes import from_float32
from solarmini.errors import ExportError, require

_SIMPLE = ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")


def row_bytes(kind: str, columns: int) -> int:
    """Return the bytes of one row of `columns` values; the row must be made of whole blocks."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    block, width = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    if columns % block:
        raise ValueError(f"{columns} columns are no whole blocks of {block}")
    return columns // block * width


def require_encoder(kind: str) -> None:
    """Raise MissingExtraError when the package that makes blocks of this type is missing."""
    if kind not in ("F32", "F16", "BF16", *_SIMPLE):
        require("libgguf", "export")


def encode_rows(rows: np.ndarray, kind: str, importance: np.ndarray | None = None) -> np.ndarray:
    """Return float32 `rows` [R, C] as `kind`: uint8 [R, row_bytes(kind, C)].

    `importance` [C] weighs the errors of each column; only libgguf heeds it.
    Raises ExportError when a value is not finite, or too large for the type.
    """
    if not np.isfinite(rows).all():
        raise ExportError("a value is not a finite number")
    rows = np.ascontiguousarray(rows, np.float32)
    width = row_bytes(kind, rows.shape[-1])
    if kind == "F32":
        return rows.view(np.uint8).reshape(len(rows), width)
    if kind == "F16":
        with np.errstate(over="ignore"):
            half = rows.astype("<f2")
        if not np.isfinite(half).all():
            raise ExportError("a value is too large for 16-bit floats", mend="use --quant bf16")
        return half.view(np.uint8).reshape(len(rows), width)
    if kind == "BF16":
        return np.frombuffer(from_float32(rows, "BF16"), np.uint8).reshape(len(rows), width)
    return _quantise(rows, kind, importance).reshape(len(rows), width)


def _quantise(rows: np.ndarray, kind: str, importance: np.ndarray | None) -> np.ndarray:
    from gguf.constants import GGMLQuantizationType

    number = GGMLQuantizationType[kind]
    if _has_libgguf():
        import libgguf

        return libgguf.quantize_rows(rows, int(number), imatrix=importance)
    require_encoder(kind)
    from gguf.quants import quantize

    return quantize(rows, number)


@cache
def _has_libgguf() -> bool:
    return importlib.util.find_spec("libgguf") is not None
