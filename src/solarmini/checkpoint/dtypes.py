"""Element types of safetensors and their conversion to and from float32."""

import numpy as np

ITEMSIZE = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U64": 8,
    "U32": 4,
    "U16": 2,
    "U8": 1,
    "BOOL": 1,
}
_NUMPY = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}
FLOATING = frozenset({"F64", "F32", "F16", "BF16"})


def itemsize(dtype: str) -> int:
    """Bytes of one element of a safetensors dtype name; KeyError for an unknown one."""
    return ITEMSIZE[dtype]


def decode(raw: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Decode little-endian bytes: floats become float32 (BF16 and F16 exactly), others stay."""
    if dtype == "BF16":
        wide = np.frombuffer(raw, dtype="<u2").astype(np.uint32) << 16
        return wide.view(np.float32).reshape(shape)
    if dtype not in _NUMPY:
        raise ValueError(f"dtype {dtype} has no numpy form")
    array = np.frombuffer(raw, dtype=_NUMPY[dtype]).reshape(shape)
    return array.astype(np.float32) if dtype in FLOATING else array


def to_float32(raw: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Decode a floating dtype to float32; ValueError for anything else."""
    if dtype not in FLOATING:
        raise ValueError(f"dtype {dtype} is not a floating type that can be widened")
    return decode(raw, dtype, shape)


def from_float32(array: np.ndarray, dtype: str) -> bytes:
    """Encode float32 as `dtype`, rounding to nearest, ties to even (IEEE 754)."""
    array = np.ascontiguousarray(array, dtype=np.float32)
    if dtype == "BF16":
        bits = array.view(np.uint32)
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
        # rounding may carry a NaN's payload into infinity: keep NaNs as quiet NaNs
        rounded = np.where(np.isnan(array), (bits >> 16) | 0x0040, rounded)
        return rounded.astype("<u2").tobytes()
    if dtype not in FLOATING:
        raise ValueError(f"dtype {dtype} is not a floating type")
    return array.astype(_NUMPY[dtype]).tobytes()
