"""`cp` of as many bytes as the grown model has: whole shards, then the head of one more.

Uses cp for every file, without reflinks, so that bytes are really copied.
"""

import subprocess
import sys
from pathlib import Path

base, drop, output = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])


def grown_bytes() -> int:
    """Bytes of the grown model: the base's and those of its layers that are used twice."""
    import json

    config = json.loads((base / "config.json").read_text())
    n = config["num_hidden_layers"]
    doubled = range(drop, n - drop)
    total = 0
    for shard in base.glob("model-*.safetensors"):
        with shard.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            parts = name.split(".")
            twice = parts[1] == "layers" and int(parts[2]) in doubled
            total += (end - begin) * (2 if twice else 1)
    return total


output.mkdir()
left, number = grown_bytes(), 0
shards = sorted(base.glob("model-*.safetensors"))
while left > 0:
    shard = shards[number % len(shards)]
    target = output / f"{number:05d}.raw"
    if shard.stat().st_size <= left:
        subprocess.run(["cp", "--reflink=never", shard, target], check=True)
    else:
        part = ["dd", f"if={shard}", f"of={target}", "bs=1M", "iflag=count_bytes", f"count={left}"]
        subprocess.run([*part, "status=none"], check=True)
    left -= target.stat().st_size
    number += 1
