"""What cannot be trained is refused before anything is done, with the way out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solarmini.checkpoint.reader import Checkpoint
from solarmini.config import parse_settings
from solarmini.errors import (
    CheckpointError,
    ConfigError,
    OutputError,
    ResourceError,
    SupervisionError,
    TokenizerMismatchError,
    TrainError,
)
from solarmini.growth.report import base_needs
from solarmini.growth.training_memory import MemoryNeed, Widths, predict_memory
from solarmini.text.chat import ChatFormat
from solarmini.train import session
from solarmini.train.align import run_align
from solarmini.train.instruct import run_instruct
from solarmini.train.memory import check_memory
from solarmini.train.precision import choose_device, choose_precision
from solarmini.train.pretrain import run_pretrain
from solarmini.train.settings import AlignSettings, InstructSettings, PretrainSettings
from tests.helpers import tiny_model
from tests.train.common import CPU, write_chats, write_rows, write_text

SHORT: dict[str, Any] = {"seq_len": 96, "batch_size": 4, "max_steps": 2}


def test_unknown_key() -> None:
    named = {"model": "m", "output": "o"}
    with pytest.raises(ConfigError, match="unknown key 'seq_lenn'") as caught:
        parse_settings(InstructSettings, named | {"seq_lenn": 1}, "x.toml")
    assert caught.value.mend == "did you mean 'seq_len'?"
    with pytest.raises(ConfigError, match=r"unknown key 'lora\.ranc'"):
        parse_settings(InstructSettings, named | {"lora": {"ranc": 1}}, "x.toml")
    with pytest.raises(ConfigError, match="'batch_size' is 0"):
        parse_settings(PretrainSettings, named | {"batch_size": 0}, "x.toml")


def test_data_and_steps_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="both 'data' and 'steps'"):
        AlignSettings(model=Path("m"), output=Path("o"), data="a", steps=["b"])
    assert len(AlignSettings(model=Path("m"), output=Path("o"), data="a").all_steps) == 1


def test_rows_that_teach_nothing(llama: Path, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "c.jsonl", [{"messages": [{"role": "user", "content": "hi"}]}])
    with pytest.raises(SupervisionError, match=r"0 %|teaches nothing"):
        run_instruct(InstructSettings(model=llama, output=tmp_path / "o", data=str(data), **SHORT))
    assert not (tmp_path / "o").exists()


def test_tokenizer_of_another_model(tmp_path: Path) -> None:
    small = tiny_model("llama", tmp_path / "small", layers=1, vocab=384)
    config = json.loads((small / "config.json").read_text())
    other = tiny_model("llama", tmp_path / "other", layers=1, vocab=300)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (other / name).write_bytes((small / name).read_bytes())
    assert config["vocab_size"] == 384
    data = write_text(tmp_path / "t.jsonl")
    with pytest.raises(TokenizerMismatchError, match="the model knows 300 tokens"):
        run_pretrain(PretrainSettings(model=other, output=tmp_path / "o", data=str(data), **SHORT))


def test_not_enough_memory(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_text(tmp_path / "t.jsonl")
    monkeypatch.setattr(session, "available_memory", lambda device: 2**20)
    with pytest.raises(ResourceError, match="not enough memory") as caught:
        run_pretrain(PretrainSettings(model=llama, output=tmp_path / "o", data=str(data), **SHORT))
    assert "--train lora" in str(caught.value)


def test_memory_is_predicted_by_cause() -> None:
    need = predict_memory(
        parameters=1000,
        trained=100,
        widths=Widths(hidden=64, inner=128, vocabulary=1000),
        tokens=10,
        layers_with_gradient=4,
        checkpointing=False,
        precision="fp32",
    )
    assert (need.weights, need.gradients, need.optimizer) == (4000, 400, 800)
    assert need.activations == 4 * 10 * (14 * 64 + 5 * 128) * 4 + 1000 * 64 * 4
    with pytest.raises(ResourceError, match=r"weights 0\.0"):
        check_memory(MemoryNeed(1, 1, 1, 1), 10)
    check_memory(need, 10**9)


@pytest.mark.parametrize(("learns", "checkpointing"), [("full", False), ("lora", True)])
def test_dry_run_of_growth_foretells_what_training_checks(
    llama: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    learns: str,
    checkpointing: bool,
) -> None:
    checked: list[MemoryNeed] = []

    def look(need: MemoryNeed, available: int) -> None:
        checked.append(need)
        raise ResourceError("seen")

    monkeypatch.setattr(session, "check_memory", look)
    settings: dict[str, Any] = SHORT | {
        "model": llama,
        "output": tmp_path / "o",
        "data": str(write_text(tmp_path / "t.jsonl")),
        "train": learns,
        "gradient_checkpointing": checkpointing,
        "precision": "bf16",
        "micro_batch_tokens": 512,
    }
    with pytest.raises(ResourceError, match="seen"):
        run_pretrain(PretrainSettings(**settings))
    way = f"{learns}_bf16" + ("_checkpointing" if checkpointing else "")
    assert checked == [base_needs(Checkpoint.open(llama)).training(way, 512)]


def test_output_exists_or_is_read_only(llama: Path, tmp_path: Path) -> None:
    data = write_text(tmp_path / "t.jsonl")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "x").write_text("x")
    with pytest.raises(OutputError, match="exists"):
        run_pretrain(PretrainSettings(model=llama, output=taken, data=str(data), **SHORT))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        run_pretrain(
            PretrainSettings(model=llama, output=tmp_path / "file" / "o", data=str(data), **SHORT)
        )


def test_too_long_for_the_model(llama: Path, tmp_path: Path) -> None:
    data = write_text(tmp_path / "t.jsonl")
    settings = SHORT | {"seq_len": 257}
    with pytest.raises(TrainError, match="256 positions"):
        run_pretrain(
            PretrainSettings(model=llama, output=tmp_path / "o", data=str(data), **settings)
        )


def test_loss_that_is_no_number(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    base = tiny_model("llama", tmp_path / "m", layers=1)
    weights = load_file(base / "model.safetensors")
    # a token that the data has, and the check at the start has not, is broken
    data = write_chats(tmp_path / "c.jsonl", 6)
    checked = np.random.Generator(np.random.PCG64(0)).integers(0, 384, 50)
    in_data = ChatFormat.load(base).encode([{"role": "user", "content": "What is +1?"}]).ids
    target = next(name for name in weights if name.endswith("embed_tokens.weight"))
    broken = weights[target].clone()
    broken[sorted(set(in_data) - set(checked.tolist()))] = torch.inf
    save_file({**weights, target: broken}, base / "model.safetensors", {"format": "pt"})
    settings = InstructSettings(model=base, output=tmp_path / "o", data=str(data), **SHORT)
    with pytest.raises(TrainError, match=r"loss nan at step 1 in rows \["):
        run_instruct(settings)


def test_weights_that_do_not_fit_the_config(tmp_path: Path) -> None:
    base = tiny_model("llama", tmp_path / "m", layers=2)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    data = write_text(tmp_path / "t.jsonl")
    with pytest.raises(CheckpointError, match="missing keys"):
        run_pretrain(PretrainSettings(model=base, output=tmp_path / "o", data=str(data), **SHORT))


def test_reference_lost(llama: Path, tmp_path: Path) -> None:
    from types import SimpleNamespace

    from solarmini.train.align import _References
    from solarmini.train.runfolder import RunFolder

    place: Any = SimpleNamespace(folder=RunFolder(tmp_path / "o"))
    settings = AlignSettings(model=llama, output=tmp_path / "o", data="x")
    from solarmini.data.examples import ExampleStore

    store = ExampleStore.build([], tmp_path / "store", "f")
    with pytest.raises(TrainError, match="are gone"):
        _References(place, settings).cached(store, "align")


def test_devices_and_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    assert choose_precision("fp32", CPU) == "fp32"
    assert choose_precision("bf16", CPU) == "bf16"
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False, raising=False)
    assert choose_precision("auto", CPU) == "fp32"
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    assert choose_precision("auto", CPU) == "bf16"
    cuda = torch.device("cuda")
    for capability, wanted in (((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _d, c=capability: c)
        assert choose_precision("auto", cuda) == wanted
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainError, match="no device 'cuda'"):
        choose_device("cuda")
    assert choose_device("auto") == CPU


def test_align_needs_pairs(llama: Path, tmp_path: Path) -> None:
    from solarmini.errors import DataError

    data = write_chats(tmp_path / "c.jsonl")
    with pytest.raises(DataError, match="preference triples"):
        run_align(AlignSettings(model=llama, output=tmp_path / "o", data=str(data), **SHORT))
