"""The stages end to end on tiny models: what is trained, saved and said."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from solarmini.artifact import read_manifest, template_sha256, verify_artifact
from solarmini.checkpoint.reader import Checkpoint
from solarmini.errors import TrainError
from solarmini.text.chat import ChatFormat
from solarmini.train.align import run_align
from solarmini.train.instruct import run_instruct
from solarmini.train.losses import LN2
from solarmini.train.pretrain import run_pretrain
from solarmini.train.settings import AlignSettings, InstructSettings, PretrainSettings
from tests.helpers import solar, tiny_model
from tests.train.common import log_of, write_chats, write_pairs, write_text

SHORT = {"seq_len": 96, "batch_size": 4, "lr": 1e-3}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 4 layers grown to 6: the map is 0 1 2 | 1 2 3."""
    place = tmp_path_factory.mktemp("grown")
    base = tiny_model("llama", place / "base", layers=4, tie=True)
    done = solar("upscale", base, "-o", place / "grown", "--drop", 1)
    assert done.code == 0, done.err
    return place / "grown"


def _changed_layers(before: Path, after: Path) -> tuple[set[int], set[str]]:
    old, new = (load_file(folder / "model.safetensors") for folder in (before, after))
    assert set(old) == set(new)
    layers: set[int] = set()
    others: set[str] = set()
    for name in old:
        if not bool((old[name] != new[name]).any()):
            continue
        parts = name.split(".")
        if parts[1] == "layers":
            layers.add(int(parts[2]))
        else:
            others.add(name)
    return layers, others


@pytest.mark.parametrize(
    ("options", "layers", "others"),
    [
        ({"train": "seam", "seam_width": 1}, {2, 3}, set()),
        ({"train": "new"}, {3, 4}, set()),
        ({"train": "lora", "lora": {"rank": 2}}, set(range(6)), set()),
        ({"train": "full"}, set(range(6)), {"model.embed_tokens.weight", "model.norm.weight"}),
    ],
    ids=lambda value: value.get("train") if isinstance(value, dict) else None,
)
def test_trains_just_what_it_says(
    grown: Path, tmp_path: Path, options: dict, layers: set[int], others: set[str]
) -> None:
    data = write_text(tmp_path / "t.jsonl")
    output = tmp_path / "out"
    run_pretrain(
        PretrainSettings(
            model=grown, output=output, data=str(data), max_steps=3, **SHORT, **options
        )
    )
    assert _changed_layers(grown, output) == (layers, others)
    if options["train"] == "lora":  # norms have no adapter
        old, new = (load_file(folder / "model.safetensors") for folder in (grown, output))
        name = "model.layers.0.input_layernorm.weight"
        assert bool((old[name] == new[name]).all())
    manifest, before = read_manifest(output), read_manifest(grown)
    assert manifest is not None
    assert before is not None
    assert manifest.growth == before.growth  # the next stage can still find the seams
    assert verify_artifact(output) == []
    assert json.loads((output / "config.json").read_text()) == json.loads(
        (grown / "config.json").read_text()
    )


def test_gradient_stops_below_the_lowest_trained_layer(grown: Path) -> None:
    from solarmini.train.model import Policy, load_model
    from solarmini.train.rows import text_row
    from solarmini.train.select import select_weights
    from tests.train.common import CPU, random_example

    manifest = read_manifest(grown)
    assert manifest is not None
    model = load_model(grown, CPU)
    settings = PretrainSettings(model=grown, output=Path("x"), train="seam", seam_width=1)
    select_weights(model, settings, manifest.growth)
    needs: list[bool] = []
    for layer in model.model.layers:
        layer.register_forward_hook(lambda _m, _i, out: needs.append(out.requires_grad))
    Policy(model).loss_sum(text_row([random_example(np.random.default_rng(0), 12)]))
    assert needs == [False, False, True, True, True, True]


def test_seam_without_growth_is_an_error(llama: Path, tmp_path: Path) -> None:
    data = write_text(tmp_path / "t.jsonl")
    settings = PretrainSettings(
        model=llama, output=tmp_path / "o", data=str(data), train="seam", **SHORT
    )
    with pytest.raises(TrainError, match="needs a grown model"):
        run_pretrain(settings)


def test_pretrain_learns_and_replays(llama: Path, tmp_path: Path) -> None:
    data, old = write_text(tmp_path / "t.jsonl"), write_text(tmp_path / "old.jsonl", 12)
    output = run_pretrain(
        PretrainSettings(
            model=llama,
            output=tmp_path / "o",
            data=str(data),
            replay=str(old),
            replay_share=0.2,
            eval=[f"{data}@5", f"{old}@5"],
            eval_every=5,
            max_steps=12,
            **SHORT,
        )
    )
    rows = log_of(output)
    measured = [row["step"] for row in rows if "eval_loss" in row]
    assert measured == [0, 5, 10, 12]
    assert rows[-1]["eval_loss"] < rows[0]["eval_loss"] - 0.3
    assert {"eval_loss_t", "eval_loss_old"} <= set(rows[-1])
    assert [row["step"] for row in rows] == list(range(13))
    assert all(
        {"tokens", "loss", "lr", "grad_norm", "seconds", "tokens_per_second", "memory_bytes"}
        <= set(row)
        for row in rows[1:]
    )
    manifest = read_manifest(output)
    assert manifest is not None
    assert [record.name for record in manifest.data] == ["t.jsonl", "old.jsonl"]
    assert manifest.stage == "pretrain"
    assert manifest.licence == "apache-2.0"
    assert manifest.parents[0].name == "llama"
    assert manifest.metrics["eval_loss_last"] == rows[-1]["eval_loss"]


def test_untrained_weights_come_back_bit_for_bit(tmp_path: Path) -> None:
    """A rate of zero: loading, training and saving change nothing, whatever the source's dtype."""
    data = write_text(tmp_path / "t.jsonl", 8)
    for arch, dtype in (("gemma2", "bfloat16"), ("mixtral", "float32"), ("phi3", "float16")):
        base = tiny_model(arch, tmp_path / arch, layers=2, dtype=dtype)
        output = tmp_path / f"{arch}-out"
        settings = {"max_steps": 1, **SHORT, "lr": 0.0, "weight_decay": 0.0}
        run_pretrain(PretrainSettings(model=base, output=output, data=str(data), **settings))
        old, new = Checkpoint.open(base), Checkpoint.open(output)
        assert list(old.tensors) == list(new.tensors)
        assert all(old.raw(name) == new.raw(name) for name in old.tensors)


def test_instruct_writes_its_template(llama: Path, tmp_path: Path) -> None:
    data = write_chats(tmp_path / "c.jsonl")
    output = run_instruct(
        InstructSettings(
            model=llama, output=tmp_path / "o", data=str(data), template="solar", epochs=3, **SHORT
        )
    )
    wanted = ChatFormat.load(llama, "solar")
    saved = ChatFormat.load(output)
    assert saved.source == wanted.source
    manifest = read_manifest(output)
    assert manifest is not None
    assert manifest.template_name == "solar"
    assert manifest.template_sha256 == template_sha256(wanted.source)
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
    assert saved.encode(messages) == wanted.encode(messages)
    rows = log_of(output)
    assert rows[-1]["loss"] < rows[0]["loss"] - 0.3
    own = run_instruct(
        InstructSettings(
            model=llama,
            output=tmp_path / "own",
            data=str(data),
            max_steps=1,
            save_dtype="bf16",
            **SHORT,
        )
    )
    assert ChatFormat.load(own).source == ChatFormat.load(llama).source
    assert {t.dtype for t in Checkpoint.open(own).tensors.values()} == {"BF16"}
    assert Checkpoint.open(own).config["dtype"] == "bfloat16"


def test_sdpo_starts_every_step_at_ln2(llama: Path, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "p.jsonl")
    output = run_align(
        AlignSettings(
            model=llama,
            output=tmp_path / "o",
            steps=[f"{pairs}@8", f"{pairs}@16", str(pairs)],
            eval=f"{pairs}@6",
            precision="fp32",
            warmup=0,
            **SHORT,
        )
    )
    rows = log_of(output)
    assert rows[0]["eval_loss"] == pytest.approx(LN2, abs=1e-6)
    assert rows[0]["eval_accuracy"] == 0.5
    trained = [row for row in rows if row["step"]]
    names = [row["phase"] for row in trained]
    assert names == ["align-1"] * 2 + ["align-2"] * 4 + ["align-3"] * 6
    starts = [
        row for row, name in zip(trained, [None, *names], strict=False) if row["phase"] != name
    ]
    assert [row["loss"] for row in starts] == pytest.approx([LN2] * 3, abs=1e-6)
    assert all(abs(row["loss"] - LN2) > 1e-3 for row in trained if row not in starts)
    # each step has a schedule of its own, from the peak
    assert [row["lr"] for row in starts] == [1e-3] * 3
    assert rows[-1]["eval_accuracy"] == 1.0


def test_a_wrong_reference_stops_the_run(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solarmini.train import align

    right = align.read_cached

    def wrong(cache: Path) -> np.ndarray | None:
        table = right(cache)
        return None if table is None else table + np.array([[0.5, 0.0]], dtype=np.float32)

    monkeypatch.setattr(align, "read_cached", wrong)
    pairs = write_pairs(tmp_path / "p.jsonl", 8)
    settings = AlignSettings(
        model=llama, output=tmp_path / "o", data=str(pairs), precision="fp32", **SHORT
    )
    with pytest.raises(TrainError, match="not ln 2"):
        run_align(settings)
    assert not (tmp_path / "o").exists()


def test_reference_is_read_back_only_for_the_same_weights_and_data(
    llama: Path, tmp_path: Path
) -> None:
    import torch

    from solarmini.train.reference import reference_logprobs
    from tests.train.common import PairRows, make_policy, random_pair

    policy = make_policy("llama", llama)
    rng = np.random.default_rng(0)
    pairs = PairRows([random_pair(rng, 5, 4, 6), random_pair(rng, 3, 2, 2)])
    options = {"cache": tmp_path / "r", "precision": "fp32", "micro_batch_tokens": 64}
    first = reference_logprobs(policy, pairs, data_fingerprint="a", **options)
    raw = bytearray((tmp_path / "r").read_bytes())
    raw[-1] ^= 1  # a mark that shows whether the cache was used
    (tmp_path / "r").write_bytes(raw)
    again = reference_logprobs(policy, pairs, data_fingerprint="a", **options)
    assert (again != first).any()
    other = reference_logprobs(policy, pairs, data_fingerprint="b", **options)
    assert (other == first).all()
    with torch.no_grad():
        policy.model.model.norm.weight.mul_(1.01)
    moved = reference_logprobs(policy, pairs, data_fingerprint="b", **options)
    assert (moved != first).all()


def test_checkpointing_changes_memory_only(llama: Path, tmp_path: Path) -> None:
    data = write_text(tmp_path / "t.jsonl", 8)
    losses = []
    for on in (False, True):
        output = run_pretrain(
            PretrainSettings(
                model=llama,
                output=tmp_path / f"o{on}",
                data=str(data),
                max_steps=2,
                gradient_checkpointing=on,
                **SHORT,
            )
        )
        losses.append([row["loss"] for row in log_of(output)])
    assert losses[0] == losses[1]


def test_tracker(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown tracker is an error, and so is one whose package is not there."""
    from accelerate import tracking

    data = write_text(tmp_path / "t.jsonl", 8)
    common = {"model": llama, "data": str(data), "max_steps": 2, **SHORT}
    with pytest.raises(TrainError, match="no tracker 'nonesuch'"):
        run_pretrain(PretrainSettings(output=tmp_path / "o", tracker="nonesuch", **common))
    monkeypatch.setattr(tracking, "_available_trackers", [])
    with pytest.raises(TrainError, match="needs the package 'wandb'") as caught:
        run_pretrain(PretrainSettings(output=tmp_path / "o", tracker="wandb", **common))
    assert caught.value.mend == "pip install wandb"
    assert not (tmp_path / "o").exists()


def test_command_line(llama: Path, tmp_path: Path) -> None:
    text, chats = write_text(tmp_path / "t.jsonl"), write_chats(tmp_path / "c.jsonl")
    pairs = write_pairs(tmp_path / "p.jsonl")
    config = tmp_path / "c.toml"
    config.write_text("seq_len = 96\nlr = 1e-3\nmax_steps = 2\n[lora]\nrank = 2\n")
    common = ["--config", config, "--batch-size", 4, "--json"]
    done = solar(
        "pretrain", llama, "-o", tmp_path / "a", "--data", text, "--train", "lora", *common
    )
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["steps"] == 2
    assert facts["output"] == str(tmp_path / "a")
    done = solar("instruct", tmp_path / "a", "-o", tmp_path / "b", "--data", chats, *common)
    assert done.code == 0, done.err
    arguments = ["--step", f"{pairs}@8", "--step", pairs, "--eval", f"{pairs}@4"]
    done = solar("align", tmp_path / "b", "-o", tmp_path / "c", *arguments, *common)
    assert done.code == 0, done.err
    assert json.loads(done.out)["eval_accuracy_first"] == 0.5
    manifest = read_manifest(tmp_path / "c")
    assert manifest is not None
    lineage = [manifest.parents[0].name, manifest.parents[0].parents[0].name]
    assert lineage == ["b", "a"]
    assert manifest.settings["seq_len"] == 96
    done = solar("instruct", tmp_path / "a", "-o", tmp_path / "b", "--data", chats)
    assert done.code == 2
    assert "exists" in done.err
