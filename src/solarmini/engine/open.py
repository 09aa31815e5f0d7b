"""One name → one engine: what a person means by a model runs on what suits it."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from solarmini.errors import ConfigError

if TYPE_CHECKING:
    from solarmini.engine.interface import Engine
    from solarmini.train.precision import PrecisionName

EngineName = Literal["auto", "llama", "transformers", "remote"]
Attention = Literal["auto", "plain", "flash"]


def open_engine(
    model: str,
    engine: EngineName = "auto",
    *,
    template: str = "model",
    context: int | None = None,
    parallel: int = 1,
    threads: int | None = None,
    device: str = "auto",
    precision: "PrecisionName" = "auto",
    quant: str = "q8_0",
    attention: Attention = "auto",
    speculate: bool | None = None,
    api_key: str | None = None,
) -> "Engine":
    """Open `model` with the engine asked for.

    `auto` takes llama.cpp for a .gguf file, the remote engine for a URL (`http://host/v1#model`)
    and transformers for everything else. `llama` with a folder writes it as GGUF (`quant`) into
    the cache first, once. `precision` is that of transformers. Raises what the engines raise, and
    ConfigError when name and engine do not fit.
    """
    match engine_for(model, engine):
        case "remote":
            from solarmini.engine.remote import RemoteEngine

            return RemoteEngine(model, template=template, api_key=api_key, parallel=parallel)
        case "llama":
            from solarmini.engine.llama import LlamaEngine

            path = gguf_of(model, quant)
            return LlamaEngine(
                path,
                template,
                context=context,
                parallel=parallel,
                threads=threads,
                attention=attention,
                speculate=speculate,
            )
        case "transformers":
            from solarmini.engine.local import TransformersEngine

            return TransformersEngine(
                model,
                template,
                device=device,
                precision=precision,
                context=context,
                parallel=parallel,
            )
    raise ConfigError(
        f"no engine is called '{engine}'",
        where="--engine",
        mend="known: auto, llama, transformers, remote",
    )


def engine_for(model: str, engine: EngineName = "auto") -> EngineName:
    """Return the engine that `open_engine` takes: the one asked for, or for `auto` what suits."""
    if engine != "auto":
        return engine
    if model.startswith(("http://", "https://")):
        return "remote"
    return "llama" if _is_gguf(model) else "transformers"


def _is_gguf(model: str) -> bool:
    path = Path(model).expanduser()
    return path.suffix.lower() == ".gguf" and path.is_file()


def gguf_of(model: str, quant: str = "q8_0") -> Path:
    """Return the GGUF file that `model` is, or was made into (kept in the cache)."""
    if _is_gguf(model):
        return Path(model).expanduser()
    from filelock import FileLock

    from solarmini.artifact import hash_file, read_manifest
    from solarmini.checkpoint.reader import Checkpoint
    from solarmini.checkpoint.resolve import cache_dir, resolve
    from solarmini.console import err
    from solarmini.engine.threads import choose_threads
    from solarmini.export.gguf import plan_gguf, write_gguf
    from solarmini.export.importance import measure_importance
    from solarmini.export.quant import find_quant

    folder = resolve(model)
    kind = find_quant(quant)
    manifest = read_manifest(folder)
    if manifest is not None:
        identity = manifest.fingerprint
    else:
        files = {tensor.path for tensor in Checkpoint.open(folder).tensors.values()}
        identity = "".join(hash_file(path)[:16] for path in sorted(files))
    from solarmini.artifact import template_sha256, tokenizer_sha256

    beside = template_sha256(f"{identity}{tokenizer_sha256(folder)}{_template_of(folder)}")
    made = cache_dir() / "gguf" / f"{folder.name}-{beside[:12]}-{kind.name}.gguf"
    made.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(made.with_suffix(".lock")):
        if not made.exists():
            err().print(f"writing {folder.name} as {kind.name} GGUF into the cache")
            weights = measure_importance(folder) if kind.weighs else None
            plan = plan_gguf(folder, kind, importance=weights)
            write_gguf(plan, made, workers=choose_threads())
    return made


def _template_of(folder: Path) -> str | None:
    from solarmini.artifact import chat_template_of

    return chat_template_of(folder)
