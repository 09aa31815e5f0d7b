"""Start llama.cpp's scheduler inside this process, with settings that keep to themselves.

The library opens an HTTP listener whether one wants it or not; it gets a socket file in a private
folder and a key that nobody else knows, so nothing listens on the network.
"""

import http.client
import json
import secrets
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from solarmini.checkpoint.gguf_file import GgufFile
from solarmini.engine.pages import huge_pages, page_size
from solarmini.errors import EngineError, require
from solarmini.export.memory import BATCH


@dataclass(frozen=True, slots=True)
class Options:
    """How to load a file; see `LlamaEngine`.

    `copy` reads the weights instead of mapping the file: where llama.cpp rearranges them for the
    processor, the mapped pages would stay in memory beside what was made of them. Others are read
    where that brings them onto huge pages, but not for `states`: pages that are mapped can be given
    back where memory is short. `flash` takes flash attention instead of plain matrix products over
    the cache.
    """

    path: Path
    socket: Path
    context: int
    parallel: int
    threads: int
    speculate: bool
    cache_bytes: int
    warm_up: bool
    copy: bool = False
    flash: bool = False
    states: bool = False
    key: str = field(default_factory=lambda: secrets.token_hex(16))

    def for_states(self, socket_path: Path, context: int) -> "Options":
        """Return the options of a context that gives the states of every position."""
        return replace(
            self,
            socket=socket_path,
            context=context,
            states=True,
            parallel=1,
            speculate=False,
            cache_bytes=0,
            warm_up=False,
        )


# ggml types whose rows llama.cpp interleaves for the processor's vector units
_REARRANGED = ("Q4_0", "Q4_K", "Q2_K", "IQ4_NL")


def is_rearranged(file: GgufFile) -> bool:
    """Return whether a good part of the file's weights is stored otherwise in memory."""
    from gguf.constants import GGMLQuantizationType

    kinds = {int(GGMLQuantizationType[name]) for name in _REARRANGED}
    matrices = [tensor for tensor in file.tensors.values() if len(tensor.shape) > 1]
    changed = sum(tensor.nbytes for tensor in matrices if tensor.ggml_type in kinds)
    return 4 * changed > sum(tensor.nbytes for tensor in matrices)


def start_server(options: Options) -> Any:
    """Load the model and start its scheduler; EngineError when llama.cpp cannot run the file."""
    library = require("xllamacpp", "serve")
    try:
        with huge_pages():
            server = library.Server(_params(library, options))
    except (RuntimeError, ValueError) as error:
        raise EngineError(
            f"llama.cpp cannot run this file: {error}",
            where=options.path,
            mend="too large for the memory, of an unknown architecture, or damaged; "
            "a smaller --context and --parallel need less",
        ) from error
    # The constructor returns before the scheduler's loop has begun, and a loop that is told to end
    # before it began never ends: wait until it has answered once.
    server.handle_metrics()
    return server


def _params(library: Any, options: Options) -> Any:
    params = library.CommonParams()
    params.model.path = str(options.path)
    params.n_parallel = options.parallel
    params.n_ctx = -(-options.context // 256) * 256 * options.parallel
    params.n_ubatch = BATCH
    params.n_gpu_layers = 0
    params.fit_params = False
    params.cache_ram_mib = options.cache_bytes // 2**20
    params.n_cache_reuse = 0
    params.warmup = options.warm_up
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = options.threads
        cpu.poll = 0
    if options.states:
        params.embedding = True
        params.pooling_type = library.llama_pooling_type.LLAMA_POOLING_TYPE_NONE
        params.n_batch = params.n_ubatch = params.n_ctx
    else:
        kinds = library.llama_flash_attn_type
        params.flash_attn_type = (
            kinds.LLAMA_FLASH_ATTN_TYPE_ENABLED
            if options.flash
            else kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
    if options.copy or (not options.states and _gains_huge_pages(options.path)):
        params.load_mode = library.llama_load_mode.LLAMA_LOAD_MODE_NONE
    _keep_private(params, options)
    if options.speculate:
        _speculate(library, params)
    return params


def _gains_huge_pages(path: Path) -> bool:
    """Return whether a file may be read onto huge pages, and memory for as much again is left."""
    free = require("psutil", "serve").virtual_memory().available
    return bool(page_size()) and 2 * path.stat().st_size < free


def _keep_private(params: Any, options: Options) -> None:
    params.hostnames = [str(options.socket)]
    params.api_keys = [options.key]
    params.cors_origins = "localhost"
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_metrics = True
    params.n_threads_http = 1
    params.offline = True
    params.enable_chat_template = False
    params.use_jinja = False
    params.sse_ping_interval = -1
    params.verbosity = 0


def _speculate(library: Any, params: Any) -> None:
    """Guess by what followed the last words where they stood before (prompt lookup).

    Twelve rows at once cost about as much as seven single tokens on a processor, so more than half
    of a guess has to be right: seven known tokens in a row are asked for, and a run of wrong
    guesses makes llama.cpp forget what they rest on. Longer guesses gain a little on pure copies
    and lose it where an answer leaves its source.
    """
    kinds = library.common_speculative_type
    params.speculative.types = [kinds.COMMON_SPECULATIVE_TYPE_NGRAM_MOD]
    lookup = params.speculative.ngram_mod
    lookup.n_match, lookup.n_min = 7, 1
    lookup.n_max = 11  # and the token before: 12 rows, and kernels like fours


_ANSWER_SECONDS = 3600  # a long text through a large model on a slow machine


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def post(options: Options, route: str, body: dict[str, Any]) -> Any:
    """Ask the library over its private socket; EngineError when it refuses."""
    connection = _Connection(options.socket)
    try:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {options.key}"}
        connection.request("POST", route, json.dumps(body), headers)
        answer = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise EngineError(f"llama.cpp does not answer: {error}") from error
    finally:
        connection.close()
    if isinstance(answer, dict) and "error" in answer:
        raise EngineError(f"llama.cpp refused: {answer['error'].get('message', answer)}")
    return answer


def native_tokens(options: Options, text: str) -> list[int]:
    """Return the ids that llama.cpp makes of a text: special tokens read, none added."""
    body = {"content": text, "add_special": False, "parse_special": True}
    return [int(token) for token in post(options, "/tokenize", body)["tokens"]]
