"""A written file, read back by the importer, is the model it was made of."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import tiny_model
from safetensors.numpy import load_file

from solarmini.artifact import template_sha256
from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.checkpoint.gguf_import import import_gguf
from solarmini.checkpoint.reader import Checkpoint
from solarmini.errors import ExportError, OutputError, ResourceError
from solarmini.export.architecture import describe, llama3_divisors
from solarmini.export.gguf import Plan, plan_gguf, write_gguf
from solarmini.export.quant import QUANTS
from solarmini.text.chat import ChatFormat


def make(arch: str, folder: Path, **changes: Any) -> Path:
    """Save a tiny model, with a config that differs in `changes`."""
    model = tiny_model(arch, folder, layers=2, seed=3)
    path = model / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | changes))
    return model


def exported(folder: Path, quant: str, path: Path) -> Plan:
    plan = plan_gguf(folder, QUANTS[quant], name="tiny")
    write_gguf(plan, path, workers=2)
    return plan


# llama.cpp computes no sliding windows for these
WHOLE = {"use_sliding_window": False, "sliding_window": None, "layer_types": None}


@pytest.mark.parametrize(
    ("arch", "changes"),
    [
        ("llama", {}),
        ("llama", {"tie_word_embeddings": True}),
        ("mistral", {"sliding_window": None}),
        ("qwen2", WHOLE),
        ("qwen3", WHOLE),
        ("gemma3", {}),
    ],
)
def test_weights_come_back_exactly(arch: str, changes: dict[str, Any], tmp_path: Path) -> None:
    folder = make(arch, tmp_path / "m", **changes)
    exported(folder, "f32", tmp_path / "m.gguf")
    import_gguf(tmp_path / "m.gguf", tmp_path / "back")
    before = load_file(folder / "model.safetensors")
    after = load_file(tmp_path / "back/model.safetensors")
    if changes.get("tie_word_embeddings"):
        before.pop("lm_head.weight", None)
    assert set(after) == set(before)
    for name, values in before.items():
        assert np.allclose(after[name], values, rtol=0, atol=1e-6), name
    config = json.loads((tmp_path / "back/config.json").read_text())
    original = Checkpoint.open(folder).config
    for key in ("num_hidden_layers", "num_key_value_heads", "vocab_size", "head_dim"):
        if original.get(key) is not None:
            assert config[key] == original[key], key


def test_the_tokenizer_and_template_come_back(tmp_path: Path) -> None:
    folder = make("llama", tmp_path / "m")
    exported(folder, "q8_0", tmp_path / "m.gguf")
    import_gguf(tmp_path / "m.gguf", tmp_path / "back")
    before, after = ChatFormat.load(folder), ChatFormat.load(tmp_path / "back")
    for text in ("The quick 123  fox\n\n한국어", " <|im_end|> x"):
        assert after.pieces.whole(text) == before.pieces.whole(text)
    file = GgufFile.open(tmp_path / "m.gguf")
    assert file.metadata["tokenizer.chat_template"] == before.source
    assert file.metadata["solar.chat_template.sha256"] == template_sha256(before.source)
    assert file.metadata["solar.stop_ids"] == before.stop_ids
    assert file.metadata["general.license"] == "apache-2.0"
    assert json.loads(file.metadata["tokenizer.huggingface.json"])["model"]["type"] == "BPE"


def test_quantised_values_are_near(tmp_path: Path) -> None:
    folder = make("llama", tmp_path / "m")
    plan = exported(folder, "q4_k_m", tmp_path / "m.gguf")
    assert set(plan.types) == {"F32", "Q5_0", "Q8_0"}  # 32 and 64 columns: no super-blocks
    assert plan.fallbacks["blk.0.attn_q.weight"] == "Q4_K -> Q5_0"
    assert (tmp_path / "m.gguf").stat().st_size > plan.nbytes
    import_gguf(tmp_path / "m.gguf", tmp_path / "back")
    before = load_file(folder / "model.safetensors")
    after = load_file(tmp_path / "back/model.safetensors")
    for name, values in before.items():
        error = np.sqrt(np.mean((after[name] - values) ** 2) / np.mean(values**2))
        assert error < 0.06, name


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = make("llama", tmp_path / "m")
    for number, workers in enumerate((1, 3)):
        plan = plan_gguf(folder, QUANTS["q4_0"], name="tiny")
        write_gguf(plan, tmp_path / f"{number}.gguf", workers=workers)
    assert (tmp_path / "0.gguf").read_bytes() == (tmp_path / "1.gguf").read_bytes()


def test_nothing_is_left_of_a_file_that_is_not_accepted(tmp_path: Path) -> None:
    folder = make("llama", tmp_path / "m")
    plan = plan_gguf(folder, QUANTS["f16"])
    seen = []

    def refuse(path: Path) -> None:
        seen.append(GgufFile.open(path).architecture)
        raise ExportError("not the model")

    with pytest.raises(ExportError, match="not the model"):
        write_gguf(plan, tmp_path / "out/m.gguf", accept=refuse)
    assert seen == ["llama"]
    assert list((tmp_path / "out").iterdir()) == []
    write_gguf(plan, tmp_path / "out/m.gguf", accept=lambda path: None)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["m.gguf"]
    with pytest.raises(OutputError, match="exists"):
        write_gguf(plan, tmp_path / "out/m.gguf")


def test_a_small_disk_is_said_before_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_gguf(make("llama", tmp_path / "m"), QUANTS["f16"])
    monkeypatch.setattr("solarmini.checkpoint.atomic.shutil.disk_usage", lambda _: Free())
    with pytest.raises(ResourceError, match="not enough disk"):
        write_gguf(plan, tmp_path / "m.gguf")
    assert not (tmp_path / "m.gguf").exists()


class Free:
    free = 1000


def test_a_value_that_is_no_number_names_its_tensor(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    folder = make("llama", tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"][5, 5] = np.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ExportError) as caught:
        exported(folder, "q8_0", tmp_path / "m.gguf")
    assert caught.value.where == "blk.1.ffn_up.weight"
    assert not (tmp_path / "m.gguf").exists()


@pytest.mark.parametrize(
    ("arch", "changes", "says"),
    [
        ("gpt_neox", {}, "gpt_neox"),
        ("mixtral", {}, "mixtral"),
        ("qwen3", {}, "sliding window"),
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0}}, "dynamic"),
        ("gemma3", {"layer_types": ["full_attention", "sliding_attention"]}, "sixth"),
        ("gemma3", {"query_pre_attn_scalar": 3}, "queries"),
        ("llama", {"num_attention_heads": "four"}, "num_attention_heads"),
    ],
)
def test_what_cannot_be_exact_is_refused(
    arch: str, changes: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=says):
        describe(Checkpoint.open(make(arch, tmp_path / "m", **changes)))


def test_a_sliding_window_bounds_the_context(tmp_path: Path) -> None:
    found = describe(Checkpoint.open(make("mistral", tmp_path / "m")))
    assert found.context == 16
    assert "window" in found.notes[0]


def test_llama3_factors_are_those_of_transformers(tmp_path: Path) -> None:
    import torch
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    rope = {
        "rope_type": "llama3",
        "rope_theta": 500000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    config = LlamaConfig(
        hidden_size=128, num_attention_heads=1, rope_parameters=rope, max_position_embeddings=131072
    )
    frequencies, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 1.0 / 500000.0 ** (np.arange(0, 128, 2) / 128)
    assert np.allclose(plain / llama3_divisors(500000.0, 128, rope), frequencies.numpy(), rtol=1e-5)
    folder = make("llama", tmp_path / "m", rope_parameters=rope)
    exported(folder, "f32", tmp_path / "m.gguf")
    import_gguf(tmp_path / "m.gguf", tmp_path / "back")
    back = json.loads((tmp_path / "back/config.json").read_text())["rope_parameters"]
    assert back == rope
