"""Encoded rows decode to what was put in, as nearly as the type allows."""

import gguf
import numpy as np
import pytest

from solarmini.errors import ExportError
from solarmini.export.blocks import encode_rows, row_bytes

# relative error of normal values, root mean square: a wrong layout gives about 1
WORST = {
    "F32": 0.0,
    "F16": 3e-4,
    "BF16": 2e-3,
    "Q8_0": 0.006,
    "Q6_K": 0.02,
    "Q5_K": 0.04,
    "Q5_1": 0.05,
    "Q5_0": 0.06,
    "Q4_K": 0.08,
    "Q4_1": 0.09,
    "Q4_0": 0.11,
    "Q3_K": 0.17,
    "Q2_K": 0.32,
}


def decoded(raw: np.ndarray, kind: str) -> np.ndarray:
    return gguf.quants.dequantize(raw, gguf.GGMLQuantizationType[kind]).astype(np.float32)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(5).standard_normal((64, 512)).astype(np.float32)


@pytest.mark.parametrize("kind", WORST)
def test_round_trip(kind: str, rows: np.ndarray) -> None:
    raw = encode_rows(rows, kind)
    assert raw.dtype == np.uint8
    assert raw.shape == (64, row_bytes(kind, 512))
    back = decoded(raw, kind).reshape(rows.shape)
    error = np.sqrt(np.mean((back - rows) ** 2) / np.mean(rows**2))
    assert error <= WORST[kind]


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_equal_to_the_official_package(kind: str, rows: np.ndarray) -> None:
    expected = gguf.quants.quantize(rows, gguf.GGMLQuantizationType[kind])
    assert np.array_equal(encode_rows(rows, kind), expected)


@pytest.mark.parametrize("kind", ["Q4_0", "Q5_0", "Q4_K", "Q6_K"])
def test_importance_moves_the_error_to_what_matters_less(kind: str, rows: np.ndarray) -> None:
    importance = np.ones(512, np.float32)
    importance[::4] = 100.0
    plain = (decoded(encode_rows(rows, kind), kind) - rows) ** 2
    weighed = (decoded(encode_rows(rows, kind, importance), kind) - rows) ** 2
    assert (weighed * importance).sum() < 0.97 * (plain * importance).sum()


def test_values_that_do_not_fit_are_refused(rows: np.ndarray) -> None:
    large = rows.copy()
    large[3, 7] = 1e6
    with pytest.raises(ExportError, match="16-bit"):
        encode_rows(large, "F16")
    assert np.isfinite(decoded(encode_rows(large, "BF16"), "BF16")).all()
    for bad in (np.nan, np.inf):
        large[3, 7] = bad
        with pytest.raises(ExportError, match="finite"):
            encode_rows(large, "Q8_0")
    with pytest.raises(ValueError, match="whole blocks"):
        row_bytes("Q4_K", 576)
