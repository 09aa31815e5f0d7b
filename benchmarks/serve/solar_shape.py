"""A model of the true SOLAR 10.7B shape, from a seeded random base to tokens, in bounded memory.

    python benchmarks/serve/solar_shape.py [--shape solar|small] [--quant q4_k_m] [--threads 2]
                                           [--prompt 128] [--answer 32] [--work FOLDER] [--keep]

A random Mistral 7B (32 layers, bf16) is grown by `solar upscale` to 48 layers, and written by
`solar export`. The base is removed before the export and everything at the end: at most 36 GB of
disk at a time. With --keep the file stays in the folder of --work, and a later call only runs it
(the file takes half an hour to make, and only an idle machine runs it at its rate).

States the peak memory of each step, what the export predicts for running the file and what running
it takes, and the rate of tokens against what the memory's bandwidth allows. What a quantisation
costs cannot be seen on random weights. Writes results/solar-shape-<date>.json.
"""

import argparse
import datetime
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solarmini.checkpoint.dtypes import from_float32
from solarmini.checkpoint.writer import OutTensor, write_checkpoint
from solarmini.growth.sample_text import SAMPLE

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from run import machine, versions  # noqa: E402


@dataclass(frozen=True)
class Shape:
    """A Mistral before it grows."""

    hidden: int = 4096
    inner: int = 14336
    layers: int = 32
    heads: int = 32
    kv_heads: int = 8
    vocabulary: int = 32000

    def tensors(self) -> dict[str, tuple[int, ...]]:
        h, f, kv = self.hidden, self.inner, self.hidden // self.heads * self.kv_heads
        layer = {
            "input_layernorm": (h,),
            "mlp.down_proj": (h, f),
            "mlp.gate_proj": (f, h),
            "mlp.up_proj": (f, h),
            "post_attention_layernorm": (h,),
            "self_attn.k_proj": (kv, h),
            "self_attn.o_proj": (h, h),
            "self_attn.q_proj": (h, h),
            "self_attn.v_proj": (kv, h),
        }
        shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocabulary, h)}
        for index in range(self.layers):
            shapes |= {f"model.layers.{index}.{key}.weight": v for key, v in layer.items()}
        return shapes | {"model.norm.weight": (h,), "lm_head.weight": (self.vocabulary, h)}

    def config(self) -> dict[str, Any]:
        return {
            "architectures": ["MistralForCausalLM"],
            "model_type": "mistral",
            "hidden_size": self.hidden,
            "intermediate_size": self.inner,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "vocab_size": self.vocabulary,
            "max_position_embeddings": 32768,
            "sliding_window": 4096,
            "rms_norm_eps": 1e-05,
            "rope_theta": 10000.0,
            "hidden_act": "silu",
            "tie_word_embeddings": False,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "dtype": "bfloat16",
        }


SHAPES = {"solar": Shape(), "small": Shape(512, 1792, 8, 8, 2)}


def make_base(folder: Path, shape: Shape, seed: int) -> None:
    """Write the random base, one tensor in memory at a time."""
    folder.mkdir(parents=True)
    tensors = [
        OutTensor(name, "BF16", size, lambda name=name, size=size: _values(name, size, seed))
        for name, size in shape.tensors().items()
    ]
    write_checkpoint(folder, tensors)
    (folder / "config.json").write_text(json.dumps(shape.config(), indent=2))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# random\n")
    _make_tokenizer(folder, shape.vocabulary)


def _values(name: str, shape: tuple[int, ...], seed: int) -> bytes:
    """Return normal values of the spread that models are initialised with; norms are one."""
    if len(shape) == 1:
        return from_float32(np.ones(shape, np.float32), "BF16")
    chance = np.random.default_rng([seed, zlib.crc32(name.encode())])
    values = chance.standard_normal(shape, np.float32)
    values *= np.float32(0.02)
    return from_float32(values, "BF16")


def _make_tokenizer(folder: Path, size: int) -> None:
    """Write a byte-level tokenizer of our own sample's words; the other ids are made-up words."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        special_tokens=["<unk>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SAMPLE, trainer)
    definition = json.loads(tokenizer.to_str())
    words = definition["model"]["vocab"]
    words |= {f"\u0120w{index}": index for index in range(len(words), size)}
    (folder / "tokenizer.json").write_text(json.dumps(definition))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>"}
    (folder / "tokenizer_config.json").write_text(
        json.dumps(config | {"eos_token": "</s>", "unk_token": "<unk>"})
    )


def step(*arguments: object, threads: int) -> dict[str, Any]:
    """Run Python; return seconds, processor seconds, peak memory and what it printed."""
    command = [sys.executable, *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "SOLAR_PROGRESS": "0"}
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read()
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_bytes": usage.ru_maxrss * 1024,
        "said": said,
    }


def run_file(path: Path, options: argparse.Namespace, predicted: dict[str, int]) -> dict[str, Any]:
    """Load the file, answer once, and compare with what was predicted."""
    said = step(
        *("-m", "solarmini", "bench", path, "--streams", 1, "--threads", options.threads),
        *("--prompt", options.prompt, "--answer", options.answer, "--json"),
        threads=options.threads,
    )
    facts = json.loads(said.pop("said"))
    return {
        **facts,
        "predicted_bytes": predicted["total"],
        "measured_over_predicted": facts["peak_bytes"] / predicted["total"],
    }


def _in_a_child(function: Callable[..., None], *arguments: object) -> None:
    """Run a function in a process of its own: a child's peak memory begins with its parent's."""
    child = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit(f"failed: {function.__name__}")


def make(work: Path, path: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Make, grow and export; remove each thing when the next is there."""
    shape, found = SHAPES[options.shape], {}
    base, grown = work / "base", work / "grown"
    _in_a_child(make_base, base, shape, options.seed)
    found["base_bytes"] = sum(file.stat().st_size for file in base.glob("*.safetensors"))
    found["upscale"] = step("-m", "solarmini", "upscale", base, "-o", grown, threads=1)
    del found["upscale"]["said"]
    shutil.rmtree(base)
    exported = step(
        *("-m", "solarmini", "export", grown, "--quant", options.quant, "-o", path, "--json"),
        *("--threads", options.threads, "--context", options.prompt + options.answer),
        *([] if options.check else ["--no-check"]),
        threads=options.threads,
    )
    facts = json.loads(exported.pop("said"))
    found["export"] = {**exported, **facts, "path": path.name}
    shutil.rmtree(grown)
    return found


def run(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Make the file unless a former call kept it, and run it."""
    path, notes = work / "solar.gguf", work / "solar.json"
    if notes.exists():
        found = json.loads(notes.read_text())
    else:
        found = make(work, path, options)
        notes.write_text(json.dumps(found))
    found["run"] = run_file(path, options, found["export"]["memory"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=list(SHAPES), default="solar")
    parser.add_argument("--quant", default="q4_k_m")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--answer", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="let the export read texts as well")
    parser.add_argument("--work", type=Path, help="folder for 36 GB; default: a temporary one")
    parser.add_argument("--keep", action="store_true", help="leave the file in --work")
    options = parser.parse_args()
    if options.keep and not options.work:
        parser.error("--keep needs a folder: --work FOLDER")
    before = machine(options.threads)
    if options.keep:
        options.work.mkdir(parents=True, exist_ok=True)
        found = run(options.work, options)
    else:
        with tempfile.TemporaryDirectory(prefix="solar-shape-", dir=options.work) as folder:
            found = run(Path(folder), options)
    report = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {**before, "load_after": os.getloadavg()[0]},
        "versions": versions(),
        "shape": {"name": options.shape, **asdict(SHAPES[options.shape])},
        **found,
    }
    text = json.dumps(report, indent=1)
    if options.shape == "solar":
        name = f"solar-shape-{report['date'][:10]}.json"
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / name).write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
