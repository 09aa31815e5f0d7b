"""How ONNX networks are run: on the CPU, one thread, memory given back, no network access."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from solarmini.errors import require

if TYPE_CHECKING:
    import onnxruntime

EXTRA = "layout"


@lru_cache(maxsize=16)
def open_session(path: Path, threads: int = 1) -> "onnxruntime.InferenceSession":
    """Open ONNX weights, once a process; pages run in parallel, so one thread each."""
    runtime = require("onnxruntime", EXTRA)
    options = session_options(threads)
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def session_options(threads: int = 1) -> "onnxruntime.SessionOptions":
    """Return how all networks are run."""
    options = require("onnxruntime", EXTRA).SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # inputs differ in size: an arena would keep the largest buffers of each for ever
    options.enable_cpu_mem_arena = False
    return options
