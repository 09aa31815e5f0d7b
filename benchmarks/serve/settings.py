"""Which of llama.cpp's settings suit a processor: flash attention, batch sizes, cost of a batch.

    python benchmarks/serve/settings.py FILE [--prompt 512] [--answer 128] [--streams 1 8]
                                             [--only "128 rows"] [--rows 1 2 4 8 12 …]
                                             [--layers 4]

Prints tokens per second of processor time for each setting, and what a batch of k rows costs in
units of one row, which decides how long a guess of prompt lookup should be. `--layers` takes the
first layers only: what attention costs beside the rest is the same in each, and a large model's
long contexts are measured in minutes.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import gguf
import xllamacpp

from solarmini.engine import llama_server
from solarmini.engine.interface import GenerationSettings
from solarmini.engine.llama import LlamaEngine
from solarmini.engine.measure import measure_load

ROWS = (1, 2, 4, 8, 9, 12, 13, 16, 17, 24, 32, 48, 64)
PROMPT = 300
KINDS = xllamacpp.llama_flash_attn_type
FLASH, PLAIN = KINDS.LLAMA_FLASH_ATTN_TYPE_ENABLED, KINDS.LLAMA_FLASH_ATTN_TYPE_DISABLED
F16, BF16 = xllamacpp.ggml_type.GGML_TYPE_F16, xllamacpp.ggml_type.GGML_TYPE_BF16
SETTINGS = {  # attention, rows of a batch, type of the values in the cache
    "flash attention, 512 rows": (FLASH, 512, F16),
    "flash attention, 128 rows": (FLASH, 128, F16),
    "flash attention, 128 rows, values in bfloat16": (FLASH, 128, BF16),
    "plain, 512 rows": (PLAIN, 512, F16),
    "plain, 256 rows": (PLAIN, 256, F16),
    "plain, 128 rows": (PLAIN, 128, F16),
    "plain, 64 rows": (PLAIN, 64, F16),
}


def compare(path: Path, options: argparse.Namespace) -> None:
    """Print the rates of each setting."""
    ours = llama_server._params
    for name, setting in SETTINGS.items():
        if options.only not in name:
            continue

        def params(library: Any, given: Any, setting: tuple[Any, ...] = setting) -> Any:
            made = ours(library, given)
            made.flash_attn_type, made.n_ubatch, made.cache_type_v = setting
            return made

        llama_server._params = params
        context = options.prompt + options.answer
        parallel = max(options.streams)
        with LlamaEngine(
            path, context=context, parallel=parallel, threads=1, speculate=False
        ) as engine:
            for count in options.streams:
                load = measure_load(engine, count, options.prompt, options.answer)
                print(
                    f"{name}, {count} streams: prefill {load.prefill_per_cpu:.0f}, decode "
                    f"{load.decode_per_cpu:.1f} tokens per CPU-second, {load.cpu_seconds:.1f} s",
                    flush=True,
                )
    llama_server._params = ours


def cost_of_rows(path: Path, counts: list[int]) -> None:
    """Print the processor time of batches of known size after a cached beginning."""
    chance = random.Random(0)
    reading: dict[str, Any] = {"attention": "flash", "speculate": False}  # as guesses are made
    with LlamaEngine(path, context=1024, threads=1, **reading) as engine:
        words = sorted(set(engine.tokenize(Path(__file__).read_text())))
        begin = chance.choices(words, k=PROMPT)
        settings = GenerationSettings(max_tokens=1, ignore_end=True)

        def cost(rows: int) -> float:
            best = float("inf")
            for _ in range(5):
                generation = engine.generate([*begin, *chance.choices(words, k=rows)], settings)
                started = time.process_time()
                generation.text()
                best = min(best, time.process_time() - started)
            return best

        cost(2)
        one = cost(1)
        parts = [f"{rows}: {cost(rows) / one:.2f}" for rows in counts]
        print(f"a batch in units of one row ({1000 * one:.1f} ms): {', '.join(parts)}")


def first_layers(path: Path, count: int, output: Path) -> Path:
    """Write a file's first `count` layers, and what stands before and after all, to `output`."""
    whole = gguf.GGUFReader(path)
    architecture = whole.fields["general.architecture"].contents()
    part = gguf.GGUFWriter(output, architecture)
    for key, held in whole.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        value = count if key == f"{architecture}.block_count" else held.contents()
        if held.types[0] == gguf.GGUFValueType.ARRAY:
            part.add_array(key, value)
        else:
            part.add_key_value(key, value, held.types[0])
    for tensor in whole.tensors:
        kind, _, rest = tensor.name.partition(".")
        if kind != "blk" or int(rest.split(".")[0]) < count:
            part.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    part.write_header_to_file()
    part.write_kv_data_to_file()
    part.write_tensors_to_file()
    part.close()
    return output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--answer", type=int, default=128)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--only", default="", help="settings whose name holds this")
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS), help="sizes of batches")
    parser.add_argument("--layers", type=int, help="take so many of the first layers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="solar-layers-") as folder:
        path = options.file
        if options.layers:
            path = first_layers(path, options.layers, Path(folder) / path.name)
        cost_of_rows(path, options.rows)
        compare(path, options)


if __name__ == "__main__":
    main()
