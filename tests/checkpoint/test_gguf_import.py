"""GGUF → safetensors on tiny models: weights, logits, tokenizer, and everything that is refused."""

import json
import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from gguf_writer import write_gguf
from helpers import tiny_config, tiny_tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from solarmini.artifact import read_manifest, verify_artifact
from solarmini.checkpoint.gguf_config import llama3_factors
from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.checkpoint.gguf_import import import_gguf
from solarmini.checkpoint.gguf_tensors import dequantised
from solarmini.checkpoint.reader import Checkpoint
from solarmini.errors import CheckpointError

Q = gguf.GGMLQuantizationType
IDS = torch.arange(3, 43)[None] * 7 % 380


def tiny(arch: str, **changes: Any) -> Any:
    """Return a seeded model whose weights survive Gemma's + 1 - 1 exactly."""
    torch.manual_seed(1)
    config = tiny_config(arch, 3, 384, None)
    for key, value in changes.items():
        setattr(config, key, value)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            noisy = parameter + torch.randn_like(parameter) * 0.05
            parameter.copy_((noisy * 2**14).round() / 2**14)
    return model


@pytest.fixture(scope="module")
def tokenizer_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    tiny_tokenizer(folder)
    return folder / "tokenizer.json"


def logits(folder: Path) -> torch.Tensor:
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.inference_mode():
        return model(IDS).logits


@pytest.mark.parametrize("arch", ["llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "phi3"])
def test_round_trip(arch: str, tokenizer_json: Path, tmp_path: Path) -> None:
    """Every weight comes back bit for bit, and the config makes the same logits of it."""
    changes: dict[str, Any] = {}
    if arch in ("mistral", "qwen2", "qwen3", "phi3"):  # llama.cpp does not store these windows
        changes = {"sliding_window": None, "layer_types": ["full_attention"] * 3}
    model = tiny(arch, **changes)
    write_gguf(model, tokenizer_json, tmp_path / "m.gguf", name=f"tiny {arch}")
    import_gguf(tmp_path / "m.gguf", tmp_path / "out")
    made = Checkpoint.open(tmp_path / "out")
    expected = model.state_dict()
    if model.config.tie_word_embeddings:
        del expected["lm_head.weight"]
    assert made.tensors.keys() == expected.keys()
    for name, value in expected.items():
        assert np.array_equal(made.numpy(name), value.numpy()), name
    with torch.inference_mode():
        torch.testing.assert_close(logits(tmp_path / "out"), model(IDS).logits, rtol=0, atol=0)
    assert made.config["architectures"] == [type(model).__name__]
    assert made.config["rms_norm_eps"] == model.config.rms_norm_eps  # 1e-06, not 9.99e-07
    assert verify_artifact(tmp_path / "out") == []
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None
    assert (manifest.stage, manifest.licence) == ("base", "apache-2.0")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_narrow_output(dtype: str, tokenizer_json: Path, tmp_path: Path) -> None:
    model = tiny("llama")
    write_gguf(model, tokenizer_json, tmp_path / "m.gguf")
    import_gguf(tmp_path / "m.gguf", tmp_path / "out", dtype=dtype)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="auto")
    assert loaded.dtype == getattr(torch, dtype)
    for name, value in model.to(getattr(torch, dtype)).state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


@pytest.mark.parametrize(
    "kind", [Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1], ids=lambda kind: kind.name
)
def test_dequantised_in_chunks(
    kind: Q, tokenizer_json: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row chunks give what the gguf package gives for the whole tensor."""
    monkeypatch.setattr("solarmini.checkpoint.gguf_tensors._CHUNK_ELEMENTS", 7 * 32)
    model = tiny("llama")
    write_gguf(model, tokenizer_json, tmp_path / "m.gguf", quantise=kind)
    file = GgufFile.open(tmp_path / "m.gguf")
    reader = gguf.GGUFReader(tmp_path / "m.gguf")
    for tensor in reader.tensors:
        expected = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        ours = dequantised(file, file.tensors[tensor.name])
        assert np.array_equal(ours, expected.reshape(ours.shape)), tensor.name
    import_gguf(tmp_path / "m.gguf", tmp_path / "out")  # its own q and k come back in order
    original = model.state_dict()["model.layers.0.self_attn.q_proj.weight"].numpy()
    made = Checkpoint.open(tmp_path / "out").numpy("model.layers.0.self_attn.q_proj.weight")
    assert np.abs(made - original).max() < 0.05 < np.abs(original).max()


def test_metadata_agrees_with_the_reference_reader(tokenizer_json: Path, tmp_path: Path) -> None:
    write_gguf(tiny("gemma2"), tokenizer_json, tmp_path / "m.gguf")
    ours = GgufFile.open(tmp_path / "m.gguf")
    theirs = gguf.GGUFReader(tmp_path / "m.gguf")
    fields = {k: f.contents() for k, f in theirs.fields.items() if not k.startswith("GGUF.")}
    assert ours.metadata == fields
    assert {t.name: t.data_offset for t in theirs.tensors} == {
        name: tensor.offset for name, tensor in ours.tensors.items()
    }


def test_tokenizer_is_the_models_own(tokenizer_json: Path, tmp_path: Path) -> None:
    write_gguf(tiny("llama"), tokenizer_json, tmp_path / "m.gguf")
    import_gguf(tmp_path / "m.gguf", tmp_path / "out")
    made: Any = AutoTokenizer.from_pretrained(tmp_path / "out")
    own: Any = AutoTokenizer.from_pretrained(tokenizer_json.parent)
    text = "The fox <|im_start|>한국어 문장\n\n42  x<|im_end|>"
    assert made.encode(text) == own.encode(text)
    assert made.decode(made.encode(text)) == text
    assert made.chat_template == "{{ messages[0].content }}"
    assert made.model_max_length == 256
    assert json.loads((tmp_path / "out" / "generation_config.json").read_text()) == {
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 2,
    }


def test_linear_rope_and_llama3_rope(tokenizer_json: Path, tmp_path: Path) -> None:
    """Both ways of stretching the rotary positions survive, seen in the logits."""
    linear = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
    stretched = tiny("llama", rope_parameters=linear)
    write_gguf(stretched, tokenizer_json, tmp_path / "linear.gguf")
    import_gguf(tmp_path / "linear.gguf", tmp_path / "linear")
    with torch.inference_mode():
        assert torch.equal(logits(tmp_path / "linear"), stretched(IDS).logits)
    llama3 = {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
        "rope_theta": 500000.0,
    }
    model = tiny("llama", rope_parameters=llama3)
    factors = {"rope_freqs.weight": llama3_factors(500000.0, 8, 32.0, 8192)}
    write_gguf(model, tokenizer_json, tmp_path / "three.gguf", extra=factors)
    import_gguf(tmp_path / "three.gguf", tmp_path / "three")
    made = LlamaConfig.from_pretrained(tmp_path / "three")
    assert made.rope_parameters == llama3
    odd = {"rope_freqs.weight": np.array([1, 2, 3, 4], np.float32)}
    write_gguf(model, tokenizer_json, tmp_path / "odd.gguf", extra=odd)
    with pytest.raises(CheckpointError, match="no rope scaling that transformers can express"):
        import_gguf(tmp_path / "odd.gguf", tmp_path / "odd")


def test_llama3_factors_are_transformers_own() -> None:
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    config = LlamaConfig(
        head_dim=64,
        rope_parameters={
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
            "rope_theta": 500000.0,
        },
    )
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 1.0 / 500000.0 ** (np.arange(0, 64, 2) / 64)
    expected = plain / scaled.numpy()
    np.testing.assert_allclose(llama3_factors(500000.0, 64, 8.0, 8192), expected, rtol=1e-5)


def test_refuses_what_does_not_fit(tokenizer_json: Path, tmp_path: Path) -> None:
    model = tiny("llama")
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "missing": ({"drop": "blk.1.ffn_up.weight"}, "'model.layers.1.mlp.up_proj.weight' is not"),
        "extra": ({"extra": {"blk.9.odd": np.ones(4, np.float32)}}, "no place for.*blk.9.odd"),
        "pre": ({"pre": "never-heard-of"}, r"cuts text \('never-heard-of'\) is not known"),
    }
    for name, (options, message) in cases.items():
        write_gguf(model, tokenizer_json, tmp_path / f"{name}.gguf", **options)
        with pytest.raises(CheckpointError, match=message):
            import_gguf(tmp_path / f"{name}.gguf", tmp_path / name)
        assert not (tmp_path / name).exists()


def test_refuses_unknown_architectures(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "rwkv7")
    writer.add_tensor("token_embd.weight", np.ones((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(CheckpointError, match="'rwkv7' is not supported") as caught:
        import_gguf(tmp_path / "m.gguf", tmp_path / "out")
    assert "gemma3, llama" in str(caught.value)


def test_damaged_files(tokenizer_json: Path, tmp_path: Path) -> None:
    """Cut anywhere, the file is an error that says so, never a wrong model."""
    path = tmp_path / "m.gguf"
    write_gguf(tiny("llama"), tokenizer_json, path)
    whole = path.read_bytes()
    for length in (0, 3, 23, 24, 100, 5000, len(whole) - 70000, len(whole) - 64):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"too short|truncated|cut short"):
            GgufFile.open(path)
    path.write_bytes(b"GGML" + whole[4:])
    with pytest.raises(CheckpointError, match="magic"):
        GgufFile.open(path)
    path.write_bytes(b"GGUF" + struct.pack("<I", 1) + whole[8:])
    with pytest.raises(CheckpointError, match="version 1 is not readable"):
        GgufFile.open(path)
    path.write_bytes(whole[:8] + struct.pack("<Q", 2**60) + whole[16:])
    with pytest.raises(CheckpointError, match="more entries than bytes"):
        GgufFile.open(path)
