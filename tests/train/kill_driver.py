"""Start training jobs and stop them at chosen moments; every start is a fresh process.

Libraries are imported once, before any of them computed anything; each start is a fork of that.

usage: kill_driver.py JOBS.json    rows: {"job": {...}, "stops": [[rows of the log, delay, signal]]}
Prints one JSON row a job: exit codes of its starts.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import torch

from tests.train.run_job import run_job

SLOW_IMPORTS = (
    "accelerate",
    "peft",
    "psutil",
    "scipy.optimize",
    "sklearn.metrics",
    "torch._dynamo",
    "torch._inductor.utils",
    "torch.distributed.fsdp",
    "torch.distributed.tensor",
    "torch.onnx",
    "transformers.generation.utils",
    "transformers.models.llama.modeling_llama",
    "transformers.quantizers.auto",
)


def start(job: dict) -> int:
    pid = os.fork()
    if pid:
        return pid
    torch.set_num_threads(1)
    code = 1
    try:
        run_job(job)
        code = 0
    except SystemExit as error:
        code = int(error.code or 0)
    except KeyboardInterrupt:  # after the loop, as the command line answers it
        code = 130
    finally:
        sys.stderr.flush()
        os._exit(code)


def stop_at(pid: int, log: Path, rows: int, delay: float, number: int) -> int:
    """Send a signal once the log has `rows` rows (0: at once) and `delay` seconds passed."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if rows == 0 or (log.exists() and log.read_bytes().count(b"\n") >= rows):
            break
        time.sleep(0.002)
    time.sleep(delay)
    os.kill(pid, number)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    for name in SLOW_IMPORTS:
        with contextlib.suppress(ImportError):  # they only save time
            importlib.import_module(name)
    for row in json.loads(Path(sys.argv[1]).read_text()):
        output = Path(row["job"]["settings"]["output"])
        log = output.with_name(output.name + ".run") / "metrics.jsonl"
        codes = []
        for rows, delay, name in row["stops"]:
            codes.append(stop_at(start(row["job"]), log, rows, delay, int(signal.Signals[name])))
            if codes[-1] == 0:  # done before the stop came
                break
        if codes[-1:] != [0]:
            pid = start(row["job"])
            codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        print(json.dumps(codes), flush=True)


if __name__ == "__main__":
    main()
