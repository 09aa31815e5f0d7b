"""An artifact: a model folder any Hugging Face tool loads, plus `solar.json`, its manifest."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from solarmini import __version__
from solarmini.config import Settings
from solarmini.errors import CheckpointError
from solarmini.licences import read_licence, strictest_licence

MANIFEST_NAME = "solar.json"
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "spiece.model")


class FileRecord(Settings):
    """Size and hash of one file of the artifact."""

    bytes: int = Field(description="Size.")
    sha256: str = Field(description="Hash of the content.")


class DataRecord(Settings):
    """One data source a stage was trained or measured on."""

    name: str = Field(description="Name of the source, without the folders above it.")
    sha256: str = Field(description="Hash of all that the source holds, before split and limit.")
    rows: int = Field(description="Rows that were read.")
    bytes: int = Field(description="Size of the source.")
    licence: str | None = Field(None, description="Licence that was stated for it; null: unknown.")
    note: str | None = Field(
        None, description="Split, limit, weight, and how many rows were dropped or truncated."
    )


class Parent(Settings):
    """A model this one was made of, with its own parents: the family tree travels along."""

    name: str = Field(description="Name of the parent.")
    role: str = Field(
        "base", description="`base`, or `merged` for a model that was merged with others."
    )
    stage: str = Field(description="What made the parent.")
    fingerprint: str | None = Field(
        None, description="Digest of its weight files; null: it had no manifest."
    )
    licence: str | None = Field(None, description="Its licence; null: unknown.")
    settings: dict[str, Any] = Field(
        default_factory=dict, description="The settings it was made with."
    )
    parents: tuple["Parent", ...] = Field((), description="Its own parents.")


class Manifest(Settings):
    """What `solar.json` says of a model: where it comes from and what exactly it is."""

    schema_version: int = Field(1, description="Version of this file format.")
    name: str = Field(description="Name of the model.")
    stage: str = Field(
        description="What made it: base, upscale, pretrain, instruct, align or merged."
    )
    created: str = Field(description="Time in UTC, ISO 8601.")
    version: str = Field(description="Version of solar that made it.")
    parents: tuple[Parent, ...] = Field(
        (), description="The models it was made of, each with its own parents."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Every setting of the stage, with what `auto` was resolved to.",
    )
    data: tuple[DataRecord, ...] = Field((), description="The data it was trained on.")
    licence: str | None = Field(
        None, description="The strictest of the parents' licences; null: unknown."
    )
    template_name: str | None = Field(
        None, description="Name of the chat template; null: the base model's own."
    )
    template_sha256: str | None = Field(None, description="Hash of the chat template's source.")
    tokenizer_sha256: str | None = Field(
        None, description="Hash over the tokenizer's defining files."
    )
    growth: dict[str, Any] | None = Field(
        None,
        description="The growth plan: method, base layers, m, and source and transform of "
        "each layer. Carried on by later stages, which find seams and new layers "
        "by it.",
    )
    metrics: dict[str, Any] = Field(
        default_factory=dict,
        description="What the stage measured of itself: steps, tokens, first and last losses.",
    )
    files: dict[str, FileRecord] = Field(
        default_factory=dict, description="Size and sha256 of every other file of the folder."
    )

    @property
    def fingerprint(self) -> str:
        """Digest of the weight files: two models with the same fingerprint are the same bits."""
        return weights_fingerprint(
            {name: record.sha256 for name, record in self.files.items() if _is_weight(name)}
        )


def weights_fingerprint(hashes: Mapping[str, str]) -> str:
    """Return one sha256 over the weight files' names and hashes."""
    lines = "".join(f"{name} {hashes[name]}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of `folder`; None if it has none, CheckpointError if it is damaged."""
    path = folder / MANIFEST_NAME
    if not path.exists():
        return None
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValidationError) as error:
        raise CheckpointError(f"damaged manifest: {error}", where=path) from None


def describe_parent(folder: Path, role: str = "base") -> Parent:
    """Describe a model folder as a parent, with or without a manifest of ours."""
    manifest = read_manifest(folder)
    if manifest is None:
        return Parent(name=folder.name, role=role, stage="base", licence=read_licence(folder))
    return Parent(
        name=manifest.name,
        role=role,
        stage=manifest.stage,
        fingerprint=manifest.fingerprint,
        licence=manifest.licence,
        settings=manifest.settings,
        parents=manifest.parents,
    )


def template_sha256(source: str) -> str:
    """Return the sha256 of a chat template's source text."""
    return hashlib.sha256(source.encode()).hexdigest()


def tokenizer_sha256(folder: Path) -> str | None:
    """Return one sha256 over the tokenizer's defining files, None if there are none."""
    present = [folder / name for name in _TOKENIZER_FILES if (folder / name).exists()]
    if not present:
        return None
    digest = hashlib.sha256()
    for path in present:
        digest.update(f"{path.name} {hash_file(path)}\n".encode())
    return digest.hexdigest()


def chat_template_of(folder: Path) -> str | None:
    """Return the chat template a model folder ships, None if it has none."""
    path = folder / "chat_template.jinja"
    if path.exists():
        return path.read_text(encoding="utf-8")
    config = folder / "tokenizer_config.json"
    if config.exists():
        template = json.loads(config.read_text(encoding="utf-8")).get("chat_template")
        return template if isinstance(template, str) else None
    return None


def finish_artifact(
    staging: Path,
    *,
    name: str,
    stage: str,
    parents: Sequence[Parent] = (),
    settings: Mapping[str, Any] | None = None,
    data: Sequence[DataRecord] = (),
    growth: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    template_name: str | None = None,
    licence: str | None = None,
    known_sha256: Mapping[str, str] | None = None,
) -> Manifest:
    """Hash every file of `staging` and write `solar.json` last, flushed to the disk.

    The licence is the strictest of the parents' (None, unknown, when any parent's is unknown);
    `licence` states it for a model without parents. `known_sha256` saves hashing files whose hash
    the writer has already.
    """
    known = known_sha256 or {}
    files = {
        str(path.relative_to(staging)): FileRecord(
            bytes=path.stat().st_size,
            sha256=known.get(str(path.relative_to(staging))) or hash_file(path),
        )
        for path in sorted(staging.rglob("*"))
        if path.is_file() and path.name != MANIFEST_NAME
    }
    template = chat_template_of(staging)
    manifest = Manifest(
        name=name,
        stage=stage,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        parents=tuple(parents),
        settings=dict(settings or {}),
        data=tuple(data),
        licence=strictest_licence([p.licence for p in parents]) if parents else licence,
        template_name=template_name,
        template_sha256=template_sha256(template) if template else None,
        tokenizer_sha256=tokenizer_sha256(staging),
        growth=dict(growth) if growth else None,
        metrics=dict(metrics or {}),
        files=files,
    )
    path = staging / MANIFEST_NAME
    with path.open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return manifest


def verify_artifact(folder: Path) -> list[str]:
    """Return what is wrong with the files of an artifact: missing, changed, or not listed."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise CheckpointError(
            f"there is no {MANIFEST_NAME}", where=folder, mend="name a folder made by solar"
        )
    problems = []
    for name, record in manifest.files.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{name}: missing")
        elif path.stat().st_size != record.bytes:
            problems.append(f"{name}: {path.stat().st_size:,} bytes instead of {record.bytes:,}")
        elif hash_file(path) != record.sha256:
            problems.append(f"{name}: the content changed")
    listed = {*manifest.files, MANIFEST_NAME}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and str(path.relative_to(folder)) not in listed:
            problems.append(f"{path.relative_to(folder)}: not in the manifest")
    return problems


def hash_file(path: Path) -> str:
    """Return the sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def licences_unknown(parents: Iterable[Parent]) -> list[str]:
    """Return the names of all ancestors whose licence is not known."""
    found: list[str] = []
    for parent in parents:
        if parent.licence is None and not parent.parents:
            found.append(parent.name)
        found += licences_unknown(parent.parents)
    return found


def _is_weight(name: str) -> bool:
    return name.endswith(".safetensors")
