"""Headers are trusted only after every claim was checked against the file."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from solarmini.checkpoint.dtypes import from_float32, to_float32
from solarmini.checkpoint.safetensors import read_header
from solarmini.errors import CheckpointError


def craft(path: Path, header: object, data: bytes = b"") -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return path


def entry(begin: int, end: int, shape: list[int], dtype: str = "U8") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_reads_what_the_reference_implementation_wrote(tmp_path: Path) -> None:
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.ones(4, dtype=np.int64)}
    path = tmp_path / "x.safetensors"
    save_file(arrays, path)
    header = read_header(path)
    assert set(header) == {"a", "b"}
    for name, array in arrays.items():
        info = header[name]
        raw = path.read_bytes()[info.offset : info.offset + info.nbytes]
        assert raw == array.tobytes()
        assert info.shape == array.shape


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        ({"a": entry(0, 4, [4])}, b"123", "truncated: .* declared"),
        ({"a": entry(0, 4, [4]), "b": entry(2, 6, [4])}, b"123456", "'b' overlaps"),
        ({"a": entry(0, 2, [2]), "b": entry(4, 6, [2])}, b"123456", "gap before tensor 'b'"),
        ({"a": entry(0, 4, [4])}, b"12345", "belong to none"),
        ({"a": entry(0, 4, [2, 3])}, b"1234", "needs 6 bytes but its offsets hold 4"),
        ({"a": entry(0, 4, [1], "PICKLE")}, b"1234", "unknown dtype 'PICKLE'"),
        ({"a": entry(4, 0, [4])}, b"1234", "impossible shape or offset"),
        ({"a": entry(0, 4, [-4])}, b"1234", "impossible shape or offset"),
        ({"a": {"dtype": "U8"}}, b"", "incomplete"),
        (b"[1, 2]", b"", "not a JSON object"),
        (b"{nonsense", b"", "not JSON"),
        (b'{"a": 1, "a": 2}', b"", "names a tensor twice"),
    ],
)
def test_damaged_headers_are_named(
    tmp_path: Path, header: object, data: bytes, message: str
) -> None:
    path = craft(tmp_path / "x.safetensors", header, data)
    with pytest.raises(CheckpointError, match=message) as caught:
        read_header(path)
    assert caught.value.where == str(path)
    assert caught.value.mend


def test_header_longer_than_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes((10**6).to_bytes(8, "little") + b"{}")
    with pytest.raises(CheckpointError, match="header claims 1,000,000 bytes but the file has 10"):
        read_header(path)
    path.write_bytes(b"123")
    with pytest.raises(CheckpointError, match="shorter than a safetensors header"):
        read_header(path)


@given(st.binary(max_size=200))
def test_random_bytes_never_crash(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "x.safetensors"
    path.write_bytes(raw)
    try:
        read_header(path)
    except CheckpointError:
        return
    assert set(read_header(path)) == set(load_file(path))


@given(st.lists(st.floats(width=32), min_size=1, max_size=50))
def test_bf16_and_f16_round_like_torch(values: list[float]) -> None:
    import torch

    array = np.array(values, dtype=np.float32)
    for name, dtype in (("BF16", torch.bfloat16), ("F16", torch.float16)):
        with np.errstate(over="ignore"):
            raw = from_float32(array, name)
        expected = torch.from_numpy(array).to(dtype).float().numpy()
        np.testing.assert_array_equal(to_float32(raw, name, array.shape), expected)
