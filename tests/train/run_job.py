"""Run one training stage from a JSON file, as a process of its own.

usage: run_job.py JOB.json…   each {"stage": "pretrain" | "instruct" | "align", "settings": {...}}
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["SOLAR_PROGRESS"] = "0"

from solarmini.errors import SolarError
from solarmini.train import settings as all_settings
from solarmini.train.align import run_align
from solarmini.train.instruct import run_instruct
from solarmini.train.pretrain import run_pretrain


def run_job(job: dict) -> Path:
    match job["stage"]:
        case "pretrain":
            return run_pretrain(all_settings.PretrainSettings(**job["settings"]))
        case "instruct":
            return run_instruct(all_settings.InstructSettings(**job["settings"]))
        case _:
            return run_align(all_settings.AlignSettings(**job["settings"]))


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    try:
        for path in sys.argv[1:]:
            run_job(json.loads(Path(path).read_text()))
    except SolarError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
