"""Run a recipe once in peace and once killed again and again; compare the weights bit for bit.

    python benchmarks/demo/killed.py [RECIPE] [--kills 5] [--work runs/killed-proof]

Takes about as long as two runs of the recipe (the demo: 40 minutes on 2 cores), and a little more.
Kills are SIGKILL of the whole process group after 90 to 390 seconds. Writes
results/killed-<date>.json beside this file; exit code 1 when a single file differs.
"""

import argparse
import datetime
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def build(recipe: str, run: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [Path(sys.executable).with_name("solar"), "build", recipe, "--run", run],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def weights(run: Path) -> dict[str, str]:
    """Return the hash of every file of weights in a run's finished stages."""
    files = sorted(run.glob("*/*.safetensors"))
    return {
        str(path.relative_to(run)): hashlib.file_digest(path.open("rb"), "sha256").hexdigest()
        for path in files
    }


def killed(recipe: str, run: Path, kills: int, rng: random.Random) -> list[dict[str, Any]]:
    """Run to the end, killed `kills` times on the way; return when, and what stood then."""
    told = []
    for _ in range(kills):
        seconds = rng.uniform(90, 390)
        process = build(recipe, run)
        try:
            process.wait(timeout=seconds)
            break  # it was faster than the kill
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        told.append({"after": round(seconds), "stages": sorted(p.name for p in run.iterdir())})
        print("killed", told[-1], flush=True)
    if build(recipe, run).wait():
        sys.exit("the last run failed")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recipe", nargs="?", default="recipes/smollm2-demo.toml")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--work", type=Path, default=Path("runs/killed-proof"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if build(given.recipe, given.work / "whole").wait():
        sys.exit("the run in peace failed")
    told = killed(given.recipe, given.work / "killed", given.kills, random.Random(given.seed))
    whole, after = weights(given.work / "whole"), weights(given.work / "killed")
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    report = {"date": date, "kills": told, "files": len(whole), "same": whole == after}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"killed-{date}.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))
    sys.exit(0 if whole and whole == after else 1)


if __name__ == "__main__":
    main()
