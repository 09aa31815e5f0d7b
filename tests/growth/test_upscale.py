"""The written model: bytes, shards, ties, companions, manifest, memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from growth.reference import load, logits
from growth.sparse import write_sparse
from helpers import tiny_model

from solarmini.artifact import read_manifest, verify_artifact
from solarmini.checkpoint.reader import INDEX_NAME, Checkpoint
from solarmini.errors import ConfigError, PlanError
from solarmini.growth.methods import dus, identity
from solarmini.growth.plan import LayerPlan, Slot
from solarmini.growth.upscale import parse_size, plan_for, run_upscale

OUTER = ("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight")


@pytest.fixture(scope="module")
def llama(tmp_path_factory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("llama"), layers=6, dtype="bfloat16")


def test_every_tensor_is_bitwise_its_source(llama: Path, tmp_path: Path) -> None:
    grown = Checkpoint.open(run_upscale(llama, tmp_path / "grown", plan=dus(6, 2)))
    base = Checkpoint.open(llama)
    for name in grown.tensors:
        source = name
        if name.startswith("model.layers."):
            index = int(name.split(".")[2])
            source = name.replace(f".{index}.", f".{dus(6, 2).sources[index]}.", 1)
        assert grown.raw(name) == base.raw(source)
        assert grown.tensors[name].dtype == "BF16"
    assert set(OUTER) <= set(grown.tensors)


def test_shards_or_one_file_hold_the_same_model(llama: Path, tmp_path: Path) -> None:
    sharded_base = tiny_model("llama", tmp_path / "base", layers=6, dtype="bfloat16", shard="60KB")
    assert (sharded_base / INDEX_NAME).exists()
    single = run_upscale(llama, tmp_path / "single", plan=dus(6, 2))
    sharded = run_upscale(
        sharded_base, tmp_path / "sharded", plan=dus(6, 2), max_shard_bytes=50_000
    )
    assert not (single / INDEX_NAME).exists()
    index = json.loads((sharded / INDEX_NAME).read_text())
    files = set(index["weight_map"].values())
    assert len(files) > 2
    assert all((sharded / name).stat().st_size < 60_000 for name in files)
    one, many = Checkpoint.open(single), Checkpoint.open(sharded)
    assert {n: one.raw(n) for n in one.tensors} == {n: many.raw(n) for n in many.tensors}
    assert index["metadata"]["total_size"] == many.nbytes
    assert torch.equal(logits(load(single)), logits(load(sharded)))


@pytest.mark.parametrize("arch", ["llama", "qwen3", "gemma3"])
def test_tied_stays_tied(arch: str, tmp_path: Path) -> None:
    base = tiny_model(arch, tmp_path / "base", layers=4, tie=True)
    grown = run_upscale(base, tmp_path / "grown", plan=dus(4, 1))
    assert "lm_head.weight" not in Checkpoint.open(grown).tensors
    assert json.loads((grown / "config.json").read_text())["tie_word_embeddings"] is True
    model = load(grown)
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()


def test_untied_stays_untied(tmp_path: Path) -> None:
    base = tiny_model("llama", tmp_path / "base", layers=4, tie=False)
    grown = Checkpoint.open(run_upscale(base, tmp_path / "grown", plan=dus(4, 1)))
    assert grown.raw("lm_head.weight") == Checkpoint.open(base).raw("lm_head.weight")
    assert grown.raw("lm_head.weight") != grown.raw("model.embed_tokens.weight")


def test_companions_manifest_and_card(llama: Path, tmp_path: Path) -> None:
    grown = run_upscale(llama, tmp_path / "grown", plan=dus(6, 2))
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        assert (grown / name).read_bytes() == (llama / name).read_bytes()
    manifest = read_manifest(grown)
    assert manifest is not None
    assert manifest.stage == "upscale"
    assert manifest.licence == "apache-2.0"
    assert manifest.growth is not None
    assert LayerPlan.from_dict(manifest.growth) == dus(6, 2)
    assert [parent.name for parent in manifest.parents] == [llama.name]
    assert verify_artifact(grown) == []
    card = (grown / "README.md").read_text()
    assert card.startswith("---\nlicense: apache-2.0\nbase_model:\n")
    assert "| 4–7 | 2–5 | copied bit for bit |" in card
    assert "has not been trained since" in card


def test_grown_twice_keeps_the_family(llama: Path, tmp_path: Path) -> None:
    once = run_upscale(llama, tmp_path / "once", plan=dus(6, 2))
    twice = run_upscale(once, tmp_path / "twice", plan=identity(8, 2))
    manifest = read_manifest(twice)
    assert manifest is not None
    assert manifest.parents[0].name == "once"
    assert manifest.parents[0].parents[0].name == llama.name
    assert torch.equal(logits(load(once)), logits(load(twice)))


def test_hub_name_is_kept(llama: Path, tmp_path: Path) -> None:
    grown = run_upscale(llama, tmp_path / "grown", plan=dus(6, 2), base_name="owner/model")
    manifest = read_manifest(grown)
    assert manifest is not None
    assert manifest.parents[0].name == "owner/model"
    assert "base_model:\n- owner/model\n" in (grown / "README.md").read_text()


def test_input_is_never_changed(llama: Path, tmp_path: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in llama.iterdir()}
    run_upscale(llama, tmp_path / "grown", plan=dus(6, 2))
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in llama.iterdir()} == before


def test_as_llama_generates_like_mistral_within_the_window(tmp_path: Path) -> None:
    base = tiny_model("mistral", tmp_path / "base", layers=4)
    mistral = load(run_upscale(base, tmp_path / "mistral", plan=dus(4, 1)))
    llama = load(run_upscale(base, tmp_path / "llama", plan=dus(4, 1), to_llama=True))
    assert type(llama).__name__ == "LlamaForCausalLM"
    assert llama.config.max_position_embeddings == 16  # the tiny model's window
    ids = torch.arange(3, 19).unsqueeze(0)
    assert torch.equal(logits(llama, ids), logits(mistral, ids))


def test_layers_of_two_models(tmp_path: Path) -> None:
    a = tiny_model("llama", tmp_path / "a", layers=3, tie=False, seed=1)
    b = tiny_model("llama", tmp_path / "b", layers=3, tie=False, seed=2)
    plan = LayerPlan(3, (Slot(0), Slot(1), Slot(1, model=1), Slot(2, model=1)))
    grown = Checkpoint.open(run_upscale([a, b], tmp_path / "grown", plan=plan))
    first, second = Checkpoint.open(a), Checkpoint.open(b)
    name = "model.layers.{}.mlp.up_proj.weight"
    assert grown.raw(name.format(1)) == first.raw(name.format(1))
    assert grown.raw(name.format(2)) == second.raw(name.format(1))
    assert grown.raw("model.embed_tokens.weight") == first.raw("model.embed_tokens.weight")
    assert grown.raw("lm_head.weight") == second.raw("lm_head.weight")
    assert grown.raw("model.norm.weight") == second.raw("model.norm.weight")
    manifest = read_manifest(tmp_path / "grown")
    assert manifest is not None
    assert [parent.name for parent in manifest.parents] == ["a", "b"]


def test_models_of_other_shapes_are_refused(tmp_path: Path) -> None:
    a = tiny_model("llama", tmp_path / "a", layers=3)
    b = tiny_model("llama", tmp_path / "b", layers=3, vocab=400)
    plan = LayerPlan(3, (Slot(0), Slot(1, model=1)))
    with pytest.raises(PlanError, match="do not fit together"):
        run_upscale([a, b], tmp_path / "grown", plan=plan)


def test_identity_of_a_quantised_model_is_refused(llama: Path, tmp_path: Path) -> None:
    base = tiny_model("llama", tmp_path / "base", layers=4)
    config = json.loads((base / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    (base / "config.json").write_text(json.dumps(config))
    with pytest.raises(PlanError, match="the weights are quantised"):
        run_upscale(base, tmp_path / "grown", plan=identity(4, 1))
    run_upscale(base, tmp_path / "copied", plan=dus(4, 1))


def test_memory_does_not_grow_with_the_model(tmp_path: Path) -> None:
    """Bytes pass the process by: growing 0.5 GB takes no more memory than importing does."""
    wide = {"hidden_size": 4096, "vocab_size": 32000, "num_hidden_layers": 2}
    shape = {"intermediate_size": 1024, "num_attention_heads": 32, "num_key_value_heads": 8}
    config = {"model_type": "llama", "tie_word_embeddings": False, **wide, **shape}
    base = write_sparse(tmp_path / "base", config, shards=1)  # embeddings of 262 MB each
    code = (
        "import re, sys; from pathlib import Path;"
        "from solarmini.growth.upscale import run_upscale;"
        "from solarmini.growth.methods import dus;"
        "run_upscale(Path(sys.argv[1]), Path(sys.argv[2]), plan=dus(2, 0));"
        # not ru_maxrss: that counts the parent's memory at the fork
        "status = Path('/proc/self/status').read_text();"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) * 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, base, tmp_path / "grown"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SOLAR_PROGRESS": "0"},
    )
    assert Checkpoint.open(tmp_path / "grown").nbytes > 700_000_000
    assert int(done.stdout) < 150_000_000


@pytest.mark.parametrize(
    ("text", "size"),
    [("5GB", 5 * 10**9), ("500 MB", 5 * 10**8), ("1.5GiB", 3 * 2**29), ("2048", 2048)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "big", "-1GB", "5XB", "0GB", "5iB"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_size(text)


def test_plan_text_excludes_other_options() -> None:
    with pytest.raises(ConfigError, match="--plan says everything"):
        plan_for(8, ranges="0-7", drop=2)
