"""What is known of the served model: facts, family tree, loss curves, scores."""

import asyncio
import contextlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from solarmini.artifact import MANIFEST_NAME, Manifest, Parent, read_manifest
from solarmini.errors import SolarError
from solarmini.server.respond import Json
from solarmini.server.state import State, state_of

if TYPE_CHECKING:
    from solarmini.evaluate.records import Record

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_LOG = "training_log.jsonl"
_POINTS = 400  # of one curve
_SIBLINGS = 200  # folders looked at for ancestors
_LOG_BYTES = 64 * 2**20
_SHOWN = ("perplexity", "chat_loss", "preference_accuracy", "acc", "acc_norm")
_SHOWN += ("exact_match_strict", "macro_f1")
_SETTINGS = ("method", "train", "lr", "seq_len", "batch_size", "epochs", "loss", "beta", "dtype")


@dataclass(frozen=True, slots=True)
class Kin:
    """A model folder of the family that is still there."""

    folder: Path
    manifest: Manifest


async def model_card(request: Request) -> Json:
    """Describe the served model; what is not recorded is left out."""
    state = state_of(request)
    own = state.names.own  # 503 while the model is being loaded
    card = state.cache.get("model card")
    if card is None:
        card = await asyncio.to_thread(card_of, state.settings.engine.model, own)
        state.cache["model card"] = card
    return Json(card | {"serving": _serving(state)})


def _serving(state: State) -> dict[str, Any]:
    loaded = state.link.model
    assert loaded is not None
    engine = state.settings.engine
    return {
        "name": loaded.name,
        "engine": engine.engine,
        "context": loaded.context,
        "parallel": loaded.parallel,
    }


def card_of(model: str, name: str) -> dict[str, Any]:
    """Return the card of what `model` names; only files that are here are read."""
    card: dict[str, Any] = {"name": name, "lineage": None, "curves": [], "scores": []}
    if model.startswith(("http://", "https://")):
        return card | {"source": "remote"}
    path = Path(model).expanduser()
    if path.suffix.lower() == ".gguf" and path.is_file():
        return _of_gguf(path, card)
    with contextlib.suppress(SolarError):
        from solarmini.checkpoint.resolve import resolve

        return card | _of_folder(resolve(model)) | {"source": "folder"}
    return card


def _of_gguf(path: Path, card: dict[str, Any]) -> dict[str, Any]:
    from solarmini.checkpoint.gguf_file import GgufFile

    file = GgufFile.open(path)
    kin = next(
        (k for k in _kin(path.parent) if k.manifest.fingerprint == _text(file, "fingerprint")), None
    )
    if kin is not None:
        card |= _of_folder(kin.folder)
    card.setdefault("parameters", sum(math.prod(t.shape) for t in file.tensors.values()))
    card.setdefault("layers", file.get("block_count"))
    card.setdefault("licence", file.metadata.get("general.license"))
    card.setdefault("architecture", file.architecture)
    return card | {"source": "gguf", "file": path.name, "bytes": path.stat().st_size}


def _text(file: Any, name: str) -> str:
    return str(file.metadata.get(f"solar.source.{name}") or "-")


def _of_folder(folder: Path) -> dict[str, Any]:
    from solarmini.checkpoint.layers import layer_count
    from solarmini.checkpoint.reader import Checkpoint

    checkpoint = Checkpoint.open(folder)
    config = checkpoint.config
    facts: dict[str, Any] = {
        "parameters": checkpoint.parameter_count,
        "layers": layer_count(config),
        "bytes": checkpoint.nbytes,
        "architecture": next(iter(config.get("architectures") or ()), None),
        "hidden": config.get("hidden_size"),
        "vocabulary": config.get("vocab_size"),
    }
    manifest = read_manifest(folder)
    if manifest is None:
        return facts
    kin: dict[str | None, Kin] = {k.manifest.fingerprint: k for k in _kin(folder.parent)}
    kin[manifest.fingerprint] = Kin(folder, manifest)
    return facts | {
        "name": _shown(manifest.name),
        "stage": manifest.stage,
        "created": manifest.created,
        "version": manifest.version,
        "licence": manifest.licence,
        "fingerprint": manifest.fingerprint,
        "template": {"name": manifest.template_name, "sha256": manifest.template_sha256},
        "data": [
            record.model_dump(include={"name", "rows", "licence"}) for record in manifest.data
        ],
        "growth": _growth(manifest),
        "lineage": _tree(_as_parent(manifest), kin),
        "curves": _curves(_as_parent(manifest), kin),
        "scores": _scores(_as_parent(manifest), kin, folder.parent / "records"),
    }


def _shown(name: str) -> str:
    """Return a model's name without where it lay: a base may be named by its path."""
    return name if _HUB_ID.fullmatch(name) else PurePath(name).name or name


def _kin(folder: Path) -> Iterator[Kin]:
    """Yield the model folders in `folder` that have a manifest."""
    with contextlib.suppress(OSError):
        for count, entry in enumerate(sorted(folder.iterdir())):
            if count >= _SIBLINGS:
                return
            if (entry / MANIFEST_NAME).is_file():
                with contextlib.suppress(SolarError, OSError):
                    manifest = read_manifest(entry)
                    if manifest is not None:
                        yield Kin(entry, manifest)


def _as_parent(manifest: Manifest) -> Parent:
    return Parent(
        name=manifest.name,
        stage=manifest.stage,
        fingerprint=manifest.fingerprint,
        licence=manifest.licence,
        settings=manifest.settings,
        parents=manifest.parents,
    )


def _growth(manifest: Manifest) -> dict[str, Any] | None:
    growth = manifest.growth
    if not growth:
        return None
    plan = growth.get("plan") or []
    return {
        "method": growth.get("method"),
        "base_layers": growth.get("base_layers"),
        "drop": growth.get("drop"),
        "sources": [layer.get("source") for layer in plan if isinstance(layer, Mapping)],
    }


def _tree(node: Parent, kin: Mapping[str | None, Kin]) -> dict[str, Any]:
    here = kin.get(node.fingerprint)
    layers = parameters = None
    if here is not None:
        from solarmini.checkpoint.layers import layer_count
        from solarmini.checkpoint.reader import Checkpoint

        with contextlib.suppress(SolarError):
            checkpoint = Checkpoint.open(here.folder)
            layers, parameters = layer_count(checkpoint.config), checkpoint.parameter_count
    said = {
        k: v
        for k, v in node.settings.items()
        if k in _SETTINGS and isinstance(v, str | int | float)
    }
    return {
        "name": _shown(node.name),
        "fingerprint": node.fingerprint,
        "stage": node.stage,
        "role": node.role,
        "licence": node.licence,
        "layers": layers,
        "parameters": parameters,
        "tokens": here.manifest.metrics.get("tokens") if here else None,
        "settings": said,
        "parents": [_tree(parent, kin) for parent in node.parents],
    }


def _ancestry(node: Parent) -> list[Parent]:
    """Return a model and its ancestors, the oldest first, each once."""
    found: dict[str, Parent] = {}

    def visit(one: Parent) -> None:
        for parent in one.parents:
            visit(parent)
        found.setdefault(one.fingerprint or one.name, one)

    visit(node)
    return list(found.values())


def _curves(node: Parent, kin: Mapping[str | None, Kin]) -> list[dict[str, Any]]:
    """Return loss over tokens of every trained stage, the oldest first."""
    curves = []
    for one in _ancestry(node):
        here = kin.get(one.fingerprint)
        if here is None or one.stage not in ("pretrain", "instruct", "align"):
            continue
        rows = _rows(here.folder / _LOG)
        train, held = _points(rows, "loss"), _points(rows, "eval_loss")
        if train or held:
            curves.append(
                {"name": _shown(one.name), "stage": one.stage, "train": train, "heldout": held}
            )
    return curves


def _rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if path.stat().st_size > _LOG_BYTES:
            return []
        for text in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                row = json.loads(text)
                if isinstance(row, dict):
                    rows.append(row)
    return rows


def _points(rows: list[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    found = [
        (float(row["tokens"]), float(row[name]))
        for row in rows
        if isinstance(row.get("tokens"), int | float) and isinstance(row.get(name), int | float)
    ]
    found = [point for point in found if all(map(math.isfinite, point))]
    step = max(1, math.ceil(len(found) / _POINTS))
    return found[::step] if step == 1 else [*found[:-1:step], found[-1]]


def _scores(node: Parent, kin: Mapping[str | None, Kin], folder: Path) -> list[dict[str, Any]]:
    """Return what was measured of a model and its ancestors, the oldest first."""
    from solarmini.evaluate.records import read_records

    records: list[Record] = []
    with contextlib.suppress(OSError):
        for path in sorted(folder.glob("*.json"))[:_SIBLINGS]:
            with contextlib.suppress(SolarError, OSError):
                records += read_records(path).records
    scores = []
    for one in _ancestry(node):
        here = kin.get(one.fingerprint)
        label = here.folder.name if here else _shown(one.name)
        seen: set[tuple[str, str]] = set()
        for record in records:
            if record.fingerprint != one.fingerprint or record.key in seen:
                continue
            seen.add(record.key)
            if record.metric in _SHOWN and math.isfinite(record.value):
                scores.append(_score(label, record))
    return scores


def _score(label: str, record: "Record") -> dict[str, Any]:
    kept = {"task", "metric", "value", "ci_low", "ci_high", "n", "unit", "shots"}
    kept |= {"higher_is_better", "date", "machine"}
    return {"model": label, **record.model_dump(include=kept)}
